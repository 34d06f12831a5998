"""Home (首页): what awaits the visitor, and whether everything stands."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role
from credit.errors import CreditError
from lab.console import training_status
from lab.console.access_rules import EVERYONE, open_to_all, shows
from lab.console.app_state import Room
from lab.console.pages.parcels import desk_of
from lab.console.request_session import Visiting

NEWS = 8  # lines of what changed
LEAST_FREE = 5 << 30  # bytes on the disk of homes and parcels, below which the platform team is told
router = APIRouter()


@dataclass(frozen=True, slots=True)
class LedgerHealth:
    """How far a ledger has been read and verified, and what is wrong with it if anything is."""

    zone: str
    read: int
    told: int
    head: str
    fault: CreditError | None


@shows(router, "/", EVERYONE)
def home(visit: Visiting) -> Response:
    """Tasks, projects, running orders, health."""
    everything = visit.has(Role.PLATFORM, Role.REVIEWER)
    mine = {each.name for each in visit.room.projects.of(visit.name, visit.room.today())}
    running = [
        each for each in training_status.of(visit.room) if not each.ended and (everything or each.project in mine)
    ]
    projects = [visit.room.projects.get(name) for name in sorted(mine)]
    notices = desk_of(visit.room).notices(visit.name, visit.account.roles if visit.account else ())
    return visit.show(
        "home.html.j2",
        tasks=[each for each in notices if each.yours],
        news=[each for each in notices if not each.yours][:NEWS],
        projects=projects,
        running=running,
        ledgers=ledgers(visit.room) if everything else [],
        hub=visit.room.hub.answers(),
        free=free_bytes(visit.room),
        least=LEAST_FREE,
    )


@open_to_all(router, "/live")
def live(visit: Visiting) -> Response:
    """Says nothing but that the process is alive."""
    return Response(status_code=204)


def ledgers(room: Room) -> list[LedgerHealth]:
    """The health of every ledger."""
    found = []
    for zone, index in room.indexes.items():
        fault = room.faults.get(zone)
        try:
            told, head = index.ledger.head()
        except CreditError as broken:
            told, head, fault = 0, "", fault or broken
        found.append(LedgerHealth(zone, index.reached(), told, head, fault))
    return found


def free_bytes(room: Room) -> int:
    """What is free on the disk of the airlock."""
    place = room.settings.airlock
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free
