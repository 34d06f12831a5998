"""Home (首页): the user's tasks, news and projects, and the health of the system."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role
from credit.errors import CreditError
from lab.console import training_status
from lab.console.access_rules import EVERYONE, LAB, get_page, public_page
from lab.console.app_state import AppState
from lab.console.awaiting import Awaiting
from lab.console.pages.parcels import airlock_of
from lab.console.request_session import CurrentSession

NEWS_LINES = 8  # lines of recent changes
LEAST_FREE = 5 << 30  # bytes; the page warns when the disk of homes and parcels has less free space
router = APIRouter()


@dataclass(frozen=True, slots=True)
class LedgerHealth:
    """The number of entries verified and recorded in a ledger, its head, and its fault if it has one."""

    zone: str
    verified: int
    recorded: int
    head: str
    fault: CreditError | None


@get_page(router, "/", EVERYONE)
def home(session: CurrentSession) -> Response:
    """Tasks, news, projects, running orders, health; for other roles than the lab's, what to do and where."""
    if not session.has(*LAB):
        return session.page("start.html.j2")
    oversees = session.has(Role.PLATFORM, Role.REVIEWER)
    own_projects = {each.name for each in session.app_state.projects.of(session.name, session.app_state.today())}
    running = [
        each
        for each in training_status.all_trainings(session.app_state)
        if not each.ended and (oversees or each.project in own_projects)
    ]
    projects = [session.app_state.projects.get(name) for name in sorted(own_projects)]
    notices = airlock_of(session.app_state).notices(session.name, session.account.roles if session.account else ())
    return session.page(
        "home.html.j2",
        tasks=[each for each in notices if each.yours],
        awaiting=Awaiting.of(session),
        news=[each for each in notices if not each.yours][:NEWS_LINES],
        projects=projects,
        running=running,
        ledgers=ledgers(session.app_state) if oversees else [],
        hub=session.app_state.hub.is_available(),
        free=free_bytes(session.app_state),
        least=LEAST_FREE,
    )


@public_page(router, "/live")
def live(session: CurrentSession) -> Response:
    """Answer 204 while the process runs (liveness probe)."""
    return Response(status_code=204)


def ledgers(app_state: AppState) -> list[LedgerHealth]:
    """The health of each ledger that the console reads."""
    health = []
    for zone, index in app_state.indexes.items():
        fault = app_state.faults.get(zone)
        try:
            recorded, head = index.ledger.head()
        except CreditError as broken:
            recorded, head, fault = 0, "", fault or broken
        health.append(LedgerHealth(zone, index.reached(), recorded, head, fault))
    return health


def free_bytes(app_state: AppState) -> int:
    """Free bytes on the disk that holds the airlock's files."""
    place = app_state.settings.airlock
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free
