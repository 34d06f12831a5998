"""What compute measures for notebooks: a project's version on other rows."""

from __future__ import annotations

import json
import threading
from datetime import date
from functools import partial

from credit.actor import Actor
from credit.order_requests import MEASUREMENT
from credit.seal import Seal
from credit.shelf import OpenedSeal
from infra.agents.compute_zone import Compute
from infra.agents.orders_of_research import make_for_notebooks
from models.distributed.ray_cluster import in_process
from models.measuring.measure import Measuring, measure_version
from models.measuring.request import FILE, MeasurementRequest
from models.training.pipeline import Progress, answered_orders


def measure_for_notebooks(compute: Compute, end: threading.Event) -> None:
    """Measure what notebooks request, until the event is set."""
    answered = answered_orders(compute.settings, compute.ledger)
    measuring = Measuring(compute.shelf, compute.ledger, answered, in_process(), compute.settings.limits)
    make_for_notebooks(compute, MEASUREMENT, partial(measured_of_order, measuring), end)


def measured_of_order(measuring: Measuring, order: OpenedSeal, by: Actor, today: date, progress: Progress) -> Seal:
    """Measure what an order asks for; the seal of the order, as the evidence is an entry of the ledger."""
    request = MeasurementRequest.parse(json.loads((order.path / FILE).read_bytes()))
    project = str(order.seal.terms["project"])
    measure_version(measuring, order, request, project=project, by=by, today=today, progress=progress)
    return order.seal
