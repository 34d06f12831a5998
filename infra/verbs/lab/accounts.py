"""Verbs of the research zone's platform team: accounts and projects. (The console does the same.)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from credit.actor import Role
from credit.errors import CreditError
from infra import output
from infra.home import Home
from infra.language.texts import field, localized
from infra.verbs import options
from infra.verbs.lab.account_code import account_code
from infra.verbs.options import AsJson, By
from infra.verbs.requesting import carry_out, front_desk, require_named

if TYPE_CHECKING:
    from lab.projects import Project

account_app = typer.Typer(help="Manage who may log in to the lab.", no_args_is_help=True)
project_app = typer.Typer(help="Manage projects: who works on which tables until when.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="2 to 30 of a–z and 0–9, a letter first.")]
Change = Annotated[str, typer.Argument(help="The id of a change that waits; `haihe account list` prints them.")]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    account_app.command("code")(account_code)
    app.add_typer(account_app, name="account")
    app.add_typer(project_app, name="project")


@account_app.command("add")
def account_add(
    name: Name,
    role: Annotated[list[str], typer.Option(help="researcher, reviewer, platform, auditor, bank or city.")],
    bank: Annotated[str, typer.Option(help="For the role bank: the bank whose person it is.")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Request an account; the person enrols with a link that works once.

    An account of a reviewer or of the platform needs the confirmation of a second person, who gets a code. The new
    person needs both.
    """
    _change("add", {"account": name, "roles": role, "bank": bank}, by, as_json)


@account_app.command("roles")
def account_roles(
    name: Name,
    role: Annotated[list[str], typer.Option(help="The roles the account is to have from then on.")],
    bank: Annotated[str, typer.Option(help="For the role bank: the bank whose person it is.")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Request other roles for an account."""
    _change("roles", {"account": name, "roles": role, "bank": bank}, by, as_json)


@account_app.command("reset")
def account_reset(name: Name, by: By = "", as_json: AsJson = False) -> None:
    """Request that a person enrols again, as after losing a password and every second factor."""
    _change("reset", {"account": name}, by, as_json)


@account_app.command("confirm")
def account_confirm(change: Change, by: By = "", as_json: AsJson = False) -> None:
    """Confirm what another person requested; prints the code that is needed with the link."""
    _change("confirm", {"change": change}, by, as_json)


@account_app.command("refuse")
def account_refuse(change: Change, by: By = "", as_json: AsJson = False) -> None:
    """Refuse what another person requested."""
    _change("refuse", {"change": change}, by, as_json)


@account_app.command("withdraw")
def account_withdraw(change: Change, by: By = "", as_json: AsJson = False) -> None:
    """Take back what one requested."""
    _change("withdraw", {"change": change}, by, as_json)


@account_app.command("remove")
def account_remove(name: Name, by: By = "", as_json: AsJson = False) -> None:
    """Remove an account; its sessions end within a minute, its workspace at once."""
    _change("remove", {"account": name}, by, as_json)


def _change(act: str, body: dict[str, Any], by: str, as_json: bool) -> None:
    require_named(by, (Role.PLATFORM,), act="act.change-accounts")
    with front_desk(Home.here(), by) as desk:
        made = desk.call("POST", f"/accounts/{act}", body)
    made.pop("name", None)
    if token := made.pop("token", ""):
        made["link"] = _link(token)
    shown = {name: value for name, value in {**body, **made}.items() if value}
    text = localized("cli.account.waits") if made.get("waits") else localized("cli.changed")
    output.result(shown, as_json=as_json, text=text)


def _link(token: str) -> str:
    """The address at which a person enrols; the token alone where the lab's address is not known here."""
    from infra.sign_in.login import hub_address

    try:
        return f"{hub_address(Home.here()).rstrip('/')}/hub/enrol?key={token}"
    except CreditError:
        return token


@account_app.command("install")
def account_install(
    names: Annotated[list[str], typer.Argument(help="The names of two people of the platform.")],
    as_json: AsJson = False,
) -> None:
    """Make the first two accounts of a new lab; each person enrols alone with a link that works once."""
    with front_desk(Home.here()) as desk:
        made = desk.call("POST", "/accounts/install", {"accounts": names})
    links = {name: _link(link["token"]) for name, link in made["links"].items()}
    output.result(links, as_json=as_json, text=localized("cli.account.installed"))


@account_app.command("list")
def account_list(by: By = "", as_json: AsJson = False) -> None:
    """List the accounts and their roles, and what waits for a second person."""
    with front_desk(Home.here(), by) as desk:
        made = desk.call("GET", "/accounts")
    if as_json:
        output.document(made)
        return
    rows = [(each["account"], ", ".join(each["roles"])) for each in made["accounts"]]
    output.table(localized("cli.account.title"), ("name", "roles"), rows)
    waiting = [(e["change"], field(e["kind"]), e["account"], ", ".join(e["roles"]), e["by"]) for e in made["waiting"]]
    if waiting:
        head = ("change", "kind", "name", "roles", "requested by")
        output.table(localized("cli.account.waiting"), head, waiting)


@project_app.command("open")
def project_open(
    name: Name,
    title: Annotated[str, typer.Option(help="What it is called.")],
    purpose: Annotated[str, typer.Option(help="What it is for: reviewers judge by it what may leave.")],
    until: Annotated[str, typer.Option(help="The day it ends on.")],
    member: Annotated[list[str] | None, typer.Option(help="A member; may be given again.")] = None,
    table: Annotated[list[str] | None, typer.Option(help="A table that its members may see.")] = None,
    all_tables: Annotated[bool, typer.Option("--all-tables", help="Every table of the newest release.")] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Open a project with its members and the tables they may see."""
    wanted: dict[str, Any] = {
        "title": title,
        "purpose": purpose,
        "until": options.day(until).isoformat(),
        "members": member or [],
    }
    wanted |= {"tables": table or [], "all_tables": all_tables}
    _project("open", name, wanted, by, as_json, localized("cli.opened"))


@project_app.command("members")
def project_members(
    name: Name, member: Annotated[list[str], typer.Argument()], by: By = "", as_json: AsJson = False
) -> None:
    """Set the members of a project."""
    _project("members", name, {"members": member}, by, as_json, localized("cli.changed"))


@project_app.command("grant")
def project_grant(
    name: Name, table: Annotated[list[str], typer.Argument()], by: By = "", as_json: AsJson = False
) -> None:
    """Set the tables that the members of a project may see."""
    _project("grant", name, {"tables": table}, by, as_json, localized("cli.changed"))


@project_app.command("extend")
def project_extend(
    name: Name,
    until: Annotated[str, typer.Option(help="The new last day.")],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Change the day on which a project ends."""
    _project("extend", name, {"until": options.day(until).isoformat()}, by, as_json, localized("cli.changed"))


@project_app.command("close")
def project_close(name: Name, by: By = "", as_json: AsJson = False) -> None:
    """End a project now: its workspaces end with it."""
    _project("close", name, {}, by, as_json, localized("cli.closed"))


def _project(act: str, name: str, wanted: dict[str, Any], by: str, as_json: bool, text: str) -> None:
    arguments = {"act": act, "name": name, **wanted}
    made = carry_out(Home.here(), "project", arguments, by=by, today=options.requested_day(None)).last
    output.result(made, as_json=as_json, text=text)


@project_app.command("list")
def project_list(as_json: AsJson = False) -> None:
    """List the projects."""
    from lab.projects import Projects

    projects = [_as_json(project) for project in Projects(Home.here().ledger("research")).all().values()]
    if as_json:
        output.document({"projects": projects})
        return
    rows = [(p["project"], p["title"], ", ".join(p["members"]), len(p["tables"]), *_end(p)) for p in projects]
    output.table(localized("cli.project.title"), ("name", "title", "members", "tables", "ends on", "state"), rows)


def _end(project: dict[str, Any]) -> tuple[object, str]:
    return project["ends_on"], field("closed" if project["closed"] else "open")


def _as_json(project: Project) -> dict[str, Any]:
    return {
        "project": project.name,
        "title": project.title,
        "members": list(project.members),
        "tables": list(project.tables),
        "ends_on": project.ends_on,
        "closed": bool(project.closed),
    }
