"""Training orders (训练): their states and progress; the platform team may cancel an order."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role
from credit.errors import Missing, Refused
from lab.console import training_status
from lab.console.access_rules import LAB, OVERSEERS, PLATFORM, get_page, post_form
from lab.console.request_session import CurrentSession, RequestSession

ENDED_SHOWN = 100  # the newest ended orders on the page
router = APIRouter()


@get_page(router, "/orders", LAB)
def listing(session: CurrentSession) -> Response:
    """Orders under way, then ended ones; a researcher sees the orders of their own projects."""
    trainings = [each for each in training_status.all_trainings(session.app_state) if _may_see(session, each)]
    ended = [each for each in trainings if each.ended]
    return session.page(
        "orders.html.j2",
        running=[each for each in trainings if not each.ended],
        ended=ended[:ENDED_SHOWN],
        all_ended=len(ended),
    )


@post_form(router, "/orders/{name}/cancel", PLATFORM)
def cancel(session: CurrentSession, name: str) -> Response:
    """Record that the order is cancelled; the worker reads the entry between two steps and stops."""
    project = session.field("project")
    order = next(
        (
            each
            for each in training_status.all_trainings(session.app_state)
            if (each.id, each.project) == (name, project)
        ),
        None,
    )
    if order is None:
        raise Missing("orders.no-such-order-in-training")
    if order.ended or order.state == "stopping":
        raise Refused("orders.order-cannot-be-cancelled-now", state=order.state)
    details = {"project": order.project}
    session.app_state.ledger.append("training.cancelled", order.id, by=session.actor(Role.PLATFORM), details=details)
    return session.redirect("orders", confirmation="order_cancelled")


def _may_see(session: RequestSession, order: training_status.TrainingStatus) -> bool:
    if session.has(*OVERSEERS):
        return True
    project = session.app_state.projects.all().get(order.project)
    return project is not None and session.name in project.members
