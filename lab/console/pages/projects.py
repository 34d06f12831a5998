"""Projects and grants (课题与授权): who works on which tables until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role
from credit.catalogue import Catalogue
from credit.errors import Malformed, Missing
from lab.console.access_rules import EVERYONE, OVERSEERS, PLATFORM, does, shows
from lab.console.app_state import Room
from lab.console.ledgers.ledger_view import Chapter
from lab.console.request_session import Visit, Visiting
from lab.projects import Project

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Offered:
    """A table of the newest research release, or one granted that is in it no more."""

    name: str
    title: str
    source: str
    rows: int
    there: bool = True


@shows(router, "/projects", EVERYONE)
def listing(visit: Visiting) -> Response:
    """All projects for those who oversee them, their own for researchers."""
    today = visit.room.today()
    found = [each for each in visit.room.projects.all().values() if _sees(visit, each)]
    found.sort(key=lambda each: (each.closed or today >= each.ends_on, each.ends_on, each.name))
    return visit.show("projects.html.j2", projects=found, today=today, soon=today + timedelta(days=30))


@shows(router, "/projects/new", PLATFORM)
def new(visit: Visiting) -> Response:
    """The form of a new project."""
    today = visit.room.today()
    return visit.show("project_new.html.j2", today=today, ends=today + timedelta(days=180))


@does(router, "/projects/new", PLATFORM)
def opened(visit: Visiting) -> Response:
    """Open a project."""
    project = visit.room.projects.open(
        visit.one("name"),
        title=visit.one("title"),
        purpose=visit.one("purpose"),
        ends_on=_future(visit),
        by=visit.actor(Role.PLATFORM),
    )
    return visit.go(f"projects/{project.name}", said="project_opened")


@shows(router, "/projects/{name}", EVERYONE)
def one(visit: Visiting, name: str) -> Response:
    """A project, with forms for the platform team."""
    project = visit.room.projects.get(name)
    if not _sees(visit, project):
        raise Missing("projects.no-such-project-among-yours")
    researchers = sorted(n for n, account in visit.room.accounts.all().items() if Role.RESEARCHER in account.roles)
    history = Chapter.of(visit.room.research, "project.").about(f"project-{name}") if visit.has(*OVERSEERS) else []
    return visit.show(
        "project.html.j2",
        project=project,
        today=visit.room.today(),
        tables=offered(visit.room, project),
        researchers=sorted({*researchers, *project.members}),
        history=history[::-1],
    )


@does(router, "/projects/{name}/members", PLATFORM)
def members(visit: Visiting, name: str) -> Response:
    """Say who the members are; each must have an account as a researcher."""
    chosen, accounts = visit.form.get("members", []), visit.room.accounts.all()
    for each in chosen:
        if each not in accounts or Role.RESEARCHER not in accounts[each].roles:
            raise Malformed("projects.member-must-be-researcher-with")
    visit.room.projects.set_members(name, chosen, by=visit.actor(Role.PLATFORM))
    return visit.go(f"projects/{name}", said="members_set")


@does(router, "/projects/{name}/tables", PLATFORM)
def tables(visit: Visiting, name: str) -> Response:
    """Say which tables are granted; each must be in the newest research release, or have been granted before."""
    chosen, project = visit.form.get("tables", []), visit.room.projects.get(name)
    known = {each.name for each in offered(visit.room, project)}
    if not set(chosen) <= known:
        raise Malformed("projects.table-granted-must-be-in")
    visit.room.projects.grant(name, chosen, by=visit.actor(Role.PLATFORM))
    return visit.go(f"projects/{name}", said="tables_granted")


@does(router, "/projects/{name}/extend", PLATFORM)
def extend(visit: Visiting, name: str) -> Response:
    """Let it end on another day; opens it again when it was closed."""
    visit.room.projects.extend(name, _future(visit), by=visit.actor(Role.PLATFORM))
    return visit.go(f"projects/{name}", said="project_extended")


@does(router, "/projects/{name}/close", PLATFORM)
def close(visit: Visiting, name: str) -> Response:
    """End it now."""
    visit.room.projects.close(name, by=visit.actor(Role.PLATFORM))
    return visit.go(f"projects/{name}", said="project_closed")


def offered(room: Room, project: Project) -> list[Offered]:
    """The tables of the newest research release with their catalogue's titles, and what is granted beside them."""
    release = room.newest_release()
    told = release.seal.terms["tables"] if release else {}
    titles = _catalogue(release.seal.terms.get("catalogue", {}).get("name", "")) if release else None
    found = []
    for name in sorted({*told, *project.tables}):
        known = titles.tables.get(name) if titles else None
        title, source = (known.title, known.source) if known else (name, "")
        rows = told[name].get("rows", 0) if name in told else 0
        found.append(Offered(name, title, source, rows, name in told))
    return found


@cache
def _catalogue(name: str) -> Catalogue | None:
    try:
        return Catalogue.load(name) if name.isidentifier() else None
    except Missing:
        return None


def _sees(visit: Visit, project: Project) -> bool:
    return visit.has(*OVERSEERS) or visit.name in project.members


def _future(visit: Visit) -> date:
    try:
        day = date.fromisoformat(visit.one("ends_on"))
    except ValueError as error:
        raise Malformed("projects.not-day") from error
    if day <= visit.room.today():
        raise Malformed("projects.project-ends-on-day-to")
    return day
