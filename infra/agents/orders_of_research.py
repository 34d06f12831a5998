"""What compute does with every order that research placed, whether rows or a table are made of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

from credit.actor import Actor
from credit.order_requests import OrderRequest, RequestVerbs
from credit.requests.task import Task
from credit.seal import Seal
from credit.shelf import OpenedSeal, Shelf
from infra.agents.compute_zone import Compute
from models.worker.order_loop import OrderWorker, Progress

FEW_BUCKETS = 4  # to start a cluster for so few would take longer
MakeFromOrder = Callable[[OpenedSeal, Actor, date, Progress], Seal]


def order_of_research(compute: Compute, task: Task) -> tuple[OpenedSeal, bool]:
    """The order that research placed in the step before, and whether its release has so few buckets that this process
    works on them alone."""
    order = compute.shelf.open(str(task.earlier[0]["order"]))
    release = compute.shelf.open(order.seal.parents[0], deep=False, today=task.today)
    return order, int(release.seal.terms["buckets"]) <= FEW_BUCKETS


def arguments_of_order(shelf: Shelf, order: OpenedSeal, by: Actor, today: date, progress: Progress) -> dict[str, Any]:
    """What compute makes an order with, beside its request, as keyword arguments; the release is verified whole."""
    return {
        "release": shelf.open(order.seal.parents[0]),
        "project": str(order.seal.terms["project"]),
        "by": by,
        "today": today,
        "progress": progress,
        "order": order.seal.id,
    }


def make_for_notebooks(compute: Compute, verbs: RequestVerbs, make: MakeFromOrder, end: threading.Event) -> None:
    """Make what notebooks request of one kind, until the event is set."""

    def make_of_order(request: OrderRequest, order: OpenedSeal, progress: Progress) -> Seal:
        return make(order, request.by, compute.settings.day(), progress)

    OrderWorker.open(compute.settings, verbs, make_of_order, compute.shelf, compute.ledger, end).serve()
