"""Verbs of the research zone's platform team: accounts and projects. (The console does the same.)"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credit.actor import Actor, Role
from infra import output
from infra.home import Home
from infra.language.texts import field, localized
from infra.progress import progress
from infra.verbs import options
from infra.verbs.actors import BOB, acting
from infra.verbs.options import AsJson, By

if TYPE_CHECKING:
    from lab.accounts import Accounts
    from lab.projects import Project, Projects

account_app = typer.Typer(help="Manage who may log in to the lab.", no_args_is_help=True)
project_app = typer.Typer(help="Manage projects: who works on which tables until when.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="2 to 30 of a–z and 0–9, a letter first.")]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.add_typer(account_app, name="account")
    app.add_typer(project_app, name="project")


def _accounts(home: Home) -> Accounts:
    from lab.accounts import Accounts
    from lab.settings import ResearchSettings

    return Accounts(home.settings(ResearchSettings, "research").accounts)


def _projects(home: Home, *, writing: bool = False) -> Projects:
    from lab.projects import Projects

    return Projects(home.ledger("research", writing=writing))


@account_app.command("add")
def account_add(
    name: Name,
    role: Annotated[list[str], typer.Option(help="researcher, reviewer or platform; may be given again.")],
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Add an account, or give one new roles and a new password; the password is shown this once."""
    actor = acting(by, BOB, Role.PLATFORM, act="act.add-accounts")
    home = Home.here()
    given = sys.stdin.readline().rstrip("\n") if password_stdin else ""
    roles = tuple(Actor.parse(f"{each}:x").role for each in role)
    ledger = home.ledger("research", writing=True)
    password = _accounts(home).add(name, roles, by=actor, ledger=ledger, password=given)
    data = {"account": name, "roles": ", ".join(roles)} | ({} if given else {"password": password})
    output.result(data, as_json=as_json, text=localized("cli.account.added"))


@account_app.command("remove")
def account_remove(name: Name, by: By = None, as_json: AsJson = False) -> None:
    """Remove an account; its sessions end within a minute, its workspace at once."""
    actor = acting(by, BOB, Role.PLATFORM, act="act.remove-accounts")
    home = Home.here()
    _accounts(home).remove(name, by=actor, ledger=home.ledger("research", writing=True))
    output.result({"account": name}, as_json=as_json, text=localized("cli.removed"))


@account_app.command("list")
def account_list(as_json: AsJson = False) -> None:
    """List the accounts and their roles."""
    accounts = list(_accounts(Home.here()).all().values())
    if as_json:
        output.document({"accounts": [{"account": each.name, "roles": list(each.roles)} for each in accounts]})
        return
    output.table(
        localized("cli.account.title"), ("name", "roles"), [(each.name, ", ".join(each.roles)) for each in accounts]
    )


@project_app.command("open")
def project_open(
    name: Name,
    title: Annotated[str, typer.Option(help="What it is called.")],
    purpose: Annotated[str, typer.Option(help="What it is for: reviewers judge by it what may leave.")],
    until: Annotated[str, typer.Option(help="The day it ends on.")],
    member: Annotated[list[str] | None, typer.Option(help="A member; may be given again.")] = None,
    table: Annotated[list[str] | None, typer.Option(help="A table granted; all of the newest release if none.")] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Open a project with its members and the tables they may see."""
    actor = acting(by, BOB, Role.PLATFORM, act="act.open-projects")

    from infra.verbs.seals import release_of

    home = Home.here()
    projects = _projects(home, writing=True)
    with progress() as report:
        report("verifying the release", 0, 0)
        tables = table or list(release_of(home, "research").seal.terms["tables"])
    projects.open(name, title=title, purpose=purpose, ends_on=options.day(until), by=actor)
    projects.set_members(name, member or [], by=actor)
    made = projects.grant(name, tables, by=actor)
    data = {"project": name, "members": list(made.members), "tables": list(made.tables), "ends_on": made.ends_on}
    output.result(data, as_json=as_json, text=localized("cli.opened"))


@project_app.command("members")
def project_members(
    name: Name, member: Annotated[list[str], typer.Argument()], by: By = None, as_json: AsJson = False
) -> None:
    """Set the members of a project."""
    actor = acting(by, BOB, Role.PLATFORM, act="act.change-members")
    made = _projects(Home.here(), writing=True).set_members(name, member, by=actor)
    output.result({"project": name, "members": list(made.members)}, as_json=as_json, text=localized("cli.changed"))


@project_app.command("grant")
def project_grant(
    name: Name, table: Annotated[list[str], typer.Argument()], by: By = None, as_json: AsJson = False
) -> None:
    """Set the tables that the members of a project may see."""
    actor = acting(by, BOB, Role.PLATFORM, act="act.grant-tables")
    made = _projects(Home.here(), writing=True).grant(name, table, by=actor)
    output.result({"project": name, "tables": list(made.tables)}, as_json=as_json, text=localized("cli.changed"))


@project_app.command("extend")
def project_extend(
    name: Name,
    until: Annotated[str, typer.Option(help="The new last day.")],
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Change the day on which a project ends."""
    actor = acting(by, BOB, Role.PLATFORM, act="act.extend-projects")
    made = _projects(Home.here(), writing=True).extend(name, options.day(until), by=actor)
    output.result({"project": name, "ends_on": made.ends_on}, as_json=as_json, text=localized("cli.changed"))


@project_app.command("close")
def project_close(name: Name, by: By = None, as_json: AsJson = False) -> None:
    """End a project now: its workspaces end with it."""
    actor = acting(by, BOB, Role.PLATFORM, act="act.close-projects")
    _projects(Home.here(), writing=True).close(name, by=actor)
    output.result({"project": name}, as_json=as_json, text=localized("cli.closed"))


@project_app.command("list")
def project_list(as_json: AsJson = False) -> None:
    """List the projects."""
    projects = [_as_json(project) for project in _projects(Home.here()).all().values()]
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
