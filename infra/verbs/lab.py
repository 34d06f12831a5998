"""Verbs of the research zone's platform team: accounts and projects. (The console does the same.)"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from credit.actor import Actor
from infra import output
from infra.home import Home
from infra.verbs import options
from infra.verbs.options import AsJson, By
from infra.verbs.seals import BOB, release_of
from lab.accounts import Accounts
from lab.projects import Projects
from lab.settings import ResearchSettings

account_app = typer.Typer(help="Who may log in to the lab.", no_args_is_help=True)
project_app = typer.Typer(help="Projects: who works on which tables until when.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="2 to 30 of a–z and 0–9, a letter first.")]


def add_to(app: typer.Typer) -> None:
    """Put these verbs on the command line."""
    app.add_typer(account_app, name="account")
    app.add_typer(project_app, name="project")


def _accounts(home: Home) -> Accounts:
    return Accounts(home.settings(ResearchSettings, "research").accounts)


def _projects(home: Home, *, writing: bool = False) -> Projects:
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
    home = Home.here()
    given = sys.stdin.readline().rstrip("\n") if password_stdin else ""
    roles = tuple(Actor.parse(f"{each}:x").role for each in role)
    password = _accounts(home).add(
        name, roles, by=by or BOB, ledger=home.ledger("research", writing=True), password=given
    )
    told = {"account": name, "roles": ", ".join(roles)} | ({} if given else {"password": password})
    output.result(told, as_json=as_json, text="added; the password cannot be shown again")


@account_app.command("remove")
def account_remove(name: Name, by: By = None, as_json: AsJson = False) -> None:
    """Take an account away; its sessions end within a minute, its workspace at once."""
    home = Home.here()
    _accounts(home).remove(name, by=by or BOB, ledger=home.ledger("research", writing=True))
    output.result({"account": name}, as_json=as_json, text="removed")


@account_app.command("list")
def account_list() -> None:
    """List the accounts and their roles."""
    rows = [(each.name, ", ".join(each.roles)) for each in _accounts(Home.here()).all().values()]
    output.table("accounts", ("name", "roles"), rows)


@project_app.command("open")
def project_open(
    name: Name,
    title: Annotated[str, typer.Option(help="What it is called.")],
    purpose: Annotated[str, typer.Option(help="What it is for: reviewers judge what leaves by it.")],
    until: Annotated[str, typer.Option(help="The day it ends on.")],
    member: Annotated[list[str] | None, typer.Option(help="A member; may be given again.")] = None,
    table: Annotated[list[str] | None, typer.Option(help="A table granted; all of the newest release if none.")] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Open a project with its members and the tables they may see."""
    home = Home.here()
    projects, who = _projects(home, writing=True), by or BOB
    tables = table or list(release_of(home, "research").seal.terms["tables"])
    projects.open(name, title=title, purpose=purpose, ends_on=options.day(until), by=who)
    projects.set_members(name, member or [], by=who)
    made = projects.grant(name, tables, by=who)
    told = {"project": name, "members": list(made.members), "tables": list(made.tables), "ends_on": made.ends_on}
    output.result(told, as_json=as_json, text="opened")


@project_app.command("members")
def project_members(name: Name, member: Annotated[list[str], typer.Argument()], by: By = None) -> None:
    """Say who the members are from now on."""
    made = _projects(Home.here(), writing=True).set_members(name, member, by=by or BOB)
    output.result({"members": ", ".join(made.members)}, as_json=False)


@project_app.command("grant")
def project_grant(name: Name, table: Annotated[list[str], typer.Argument()], by: By = None) -> None:
    """Say which tables are granted from now on."""
    made = _projects(Home.here(), writing=True).grant(name, table, by=by or BOB)
    output.result({"tables": ", ".join(made.tables)}, as_json=False)


@project_app.command("extend")
def project_extend(name: Name, until: Annotated[str, typer.Option()], by: By = None) -> None:
    """Let a project end on another day."""
    made = _projects(Home.here(), writing=True).extend(name, options.day(until), by=by or BOB)
    output.result({"ends_on": made.ends_on}, as_json=False)


@project_app.command("close")
def project_close(name: Name, by: By = None) -> None:
    """End a project now: its workspaces end with it."""
    _projects(Home.here(), writing=True).close(name, by=by or BOB)
    output.result({"closed": name}, as_json=False)


@project_app.command("list")
def project_list() -> None:
    """List the projects."""
    rows = [
        (
            each.name,
            each.title,
            ", ".join(each.members),
            len(each.tables),
            each.ends_on,
            "closed" if each.closed else "",
        )
        for each in _projects(Home.here()).all().values()
    ]
    output.table("projects", ("name", "title", "members", "tables", "ends on", ""), rows)
