"""Running orders (训练): what is in training and how far it is; the platform team may cancel."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role
from credit.errors import Missing, Refused
from lab.console import training_status
from lab.console.access_rules import EVERYONE, OVERSEERS, PLATFORM, does, shows
from lab.console.request_session import Visit, Visiting

SHOWN = 100  # ended ones on the page, the newest
router = APIRouter()


@shows(router, "/orders", EVERYONE)
def listing(visit: Visiting) -> Response:
    """Those under way, then those that ended; a researcher's are those of their projects."""
    found = [each for each in training_status.of(visit.room) if _sees(visit, each)]
    ended = [each for each in found if each.ended]
    return visit.show(
        "orders.html.j2", running=[each for each in found if not each.ended], ended=ended[:SHOWN], all_ended=len(ended)
    )


@does(router, "/orders/{name}/cancel", PLATFORM)
def cancel(visit: Visiting, name: str) -> Response:
    """Ask the compute zone to stop; it sees the entry between two steps."""
    project = visit.one("project")
    order = next((each for each in training_status.of(visit.room) if (each.id, each.project) == (name, project)), None)
    if order is None:
        raise Missing("orders.no-such-order-in-training")
    if order.ended or order.state == "stopping":
        raise Refused("orders.order-cannot-be-cancelled-now", state=order.state)
    because = {"project": order.project}
    visit.room.ledger.append("training.cancelled", order.id, by=visit.actor(Role.PLATFORM), because=because)
    return visit.go("orders", said="order_cancelled")


def _sees(visit: Visit, order: training_status.Training) -> bool:
    if visit.has(*OVERSEERS):
        return True
    project = visit.room.projects.all().get(order.project)
    return project is not None and visit.name in project.members
