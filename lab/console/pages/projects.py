"""Projects and grants (课题与授权): members, granted tables and the last day of each project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role
from credit.catalogue import Catalogue
from credit.errors import Malformed, Missing
from lab.console.access_rules import LAB, OVERSEERS, PLATFORM, get_page, post_form
from lab.console.app_state import AppState
from lab.console.ledgers.ledger_view import LedgerView
from lab.console.project_answers import answers_of
from lab.console.request_session import CurrentSession, RequestSession
from lab.projects import Project

router = APIRouter()


@dataclass(frozen=True, slots=True)
class OfferedTable:
    """A table that may be granted. ``in_release`` is False for a granted table that the newest release lacks."""

    name: str
    title: str
    source: str
    rows: int
    in_release: bool = True


@get_page(router, "/projects", LAB)
def listing(session: CurrentSession) -> Response:
    """All projects for reviewers and the platform team; for researchers, their own."""
    today = session.app_state.today()
    visible = [each for each in session.app_state.projects.all().values() if _may_see(session, each)]
    visible.sort(key=lambda each: (each.closed or today >= each.ends_on, each.ends_on, each.name))
    return session.page("projects.html.j2", projects=visible, today=today, soon=today + timedelta(days=30))


@get_page(router, "/projects/new", PLATFORM)
def new(session: CurrentSession) -> Response:
    """The form for a new project."""
    today = session.app_state.today()
    return session.page("project_new.html.j2", today=today, ends=today + timedelta(days=180))


@post_form(router, "/projects/new", PLATFORM)
def open_project(session: CurrentSession) -> Response:
    """Open a project."""
    project = session.app_state.projects.open(
        session.field("name"),
        title=session.field("title"),
        purpose=session.field("purpose"),
        ends_on=_day(session),
        by=session.actor(Role.PLATFORM),
        today=session.app_state.today(),
    )
    return session.redirect(f"projects/{project.name}", confirmation="project_opened")


@get_page(router, "/projects/{name}", LAB)
def project_page(session: CurrentSession, name: str) -> Response:
    """A project; the platform team also sees forms that change it."""
    project = session.app_state.projects.get(name)
    if not _may_see(session, project):
        raise Missing("projects.no-such-project-among-yours")
    researchers = sorted(
        n for n, account in session.app_state.accounts.all().items() if Role.RESEARCHER in account.roles
    )
    history = (
        LedgerView.of(session.app_state.research, "project.").about(f"project-{name}")
        if session.has(*OVERSEERS)
        else []
    )
    answers, all_answers = answers_of(session.app_state, name)
    return session.page(
        "project.html.j2",
        answers=answers,
        all_answers=all_answers,
        project=project,
        today=session.app_state.today(),
        tables=tables_offered(session.app_state, project),
        researchers=sorted({*researchers, *project.members}),
        history=history[::-1],
    )


@post_form(router, "/projects/{name}/members", PLATFORM)
def members(session: CurrentSession, name: str) -> Response:
    """Set the members; each new one must have an account with the role researcher."""
    chosen = session.form.get("members", [])
    session.app_state.projects.set_members(name, chosen, by=session.actor(Role.PLATFORM))
    return session.redirect(f"projects/{name}", confirmation="members_set")


@post_form(router, "/projects/{name}/tables", PLATFORM)
def tables(session: CurrentSession, name: str) -> Response:
    """Set the granted tables; each must be in the newest research release or already granted."""
    chosen, project = session.form.get("tables", []), session.app_state.projects.get(name)
    known = {each.name for each in tables_offered(session.app_state, project)}
    if not set(chosen) <= known:
        raise Malformed("projects.table-granted-must-be-in")
    session.app_state.projects.grant(name, chosen, by=session.actor(Role.PLATFORM))
    return session.redirect(f"projects/{name}", confirmation="tables_granted")


@post_form(router, "/projects/{name}/extend", PLATFORM)
def extend(session: CurrentSession, name: str) -> Response:
    """Set a new last day; a closed project opens again."""
    session.app_state.projects.extend(
        name, _day(session), by=session.actor(Role.PLATFORM), today=session.app_state.today()
    )
    return session.redirect(f"projects/{name}", confirmation="project_extended")


@post_form(router, "/projects/{name}/close", PLATFORM)
def close(session: CurrentSession, name: str) -> Response:
    """Close the project now."""
    session.app_state.projects.close(name, by=session.actor(Role.PLATFORM))
    return session.redirect(f"projects/{name}", confirmation="project_closed")


def tables_offered(app_state: AppState, project: Project) -> list[OfferedTable]:
    """The tables of the newest research release with their titles in the catalogue, and other granted tables."""
    release = app_state.newest_release()
    released_tables = release.seal.terms["tables"] if release else {}
    titles = _catalogue(release.seal.terms.get("catalogue", {}).get("name", "")) if release else None
    offered_tables = []
    for name in sorted({*released_tables, *project.tables}):
        known = titles.tables.get(name) if titles else None
        title, source = (known.title, known.source) if known else (name, "")
        rows = released_tables[name].get("rows", 0) if name in released_tables else 0
        offered_tables.append(OfferedTable(name, title, source, rows, name in released_tables))
    return offered_tables


@cache
def _catalogue(name: str) -> Catalogue | None:
    try:
        return Catalogue.load(name) if name.isidentifier() else None
    except Missing:
        return None


def _may_see(session: RequestSession, project: Project) -> bool:
    return session.has(*OVERSEERS) or session.name in project.members


def _day(session: RequestSession) -> date:
    try:
        return date.fromisoformat(session.field("ends_on"))
    except ValueError as error:
        raise Malformed("projects.not-day") from error
