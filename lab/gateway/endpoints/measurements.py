"""Measurements for a notebook: a version of the project on other rows, measured in compute."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from credit.errors import Missing
from lab.gateway import order_state
from lab.gateway.endpoints.orders import request_of, require_granted
from lab.gateway.identity import Admitted, Principal
from lab.gateway.request_bodies import read_object, text_of
from lab.gateway.research_zone import ResearchZone
from lab.measurement_placement import order_to_measure, place_measurement
from lab.projects import Project
from models.order.order import Order

PACE = (30, 60.0)  # requests of one workspace per number of seconds
router = APIRouter()


@router.post("/v1/measurements", status_code=201)
async def create_measurement(request: Request, who: Admitted) -> dict[str, Any]:
    """Place an order to measure the version of ``run`` on the rows of ``order``; a repetition changes nothing."""
    principal, project = who
    data = await read_object(request)
    rows, run = Order.parse(data.get("order")), text_of(data, "run", most=80)
    release = text_of(data, "release", most=80, otherwise="")
    principal.limit_rate("measurements", *PACE)
    return await principal.run_blocking(_place, request.app.state.zone, principal, project, run, rows, release)


@router.get("/v1/measurements/{order}")
async def measurement(request: Request, who: Admitted, order: str) -> dict[str, Any]:
    """The state of an order for a measurement of the project; when it is done, with what was measured."""
    principal, project = who
    return await principal.run_blocking(describe, request.app.state.zone, project, order)


def describe(zone: ResearchZone, project: Project, order: str) -> dict[str, Any]:
    """The state of an order (:func:`lab.gateway.order_state.describe`) with ``measured``: null, or ``{version, release,
    evidence, on_training_days}``.

    Raises :class:`Missing` for an order that the project did not place.
    """
    state, made = order_state.describe(zone, zone.measurements, project, order)
    requested = zone.measurements.get(order, project.name)
    ended = zone.measurements.result(requested) if made and requested else None
    return state | {"measured": dict(ended.measured) if ended else None}


def _place(
    zone: ResearchZone, principal: Principal, project: Project, run: str, rows: Order, release: str
) -> dict[str, Any]:
    trained = zone.trainings.result(request_of(zone, project, run))
    if trained is None or not trained.made:
        raise Missing("measuring.no-version", run=run[:18])
    version = zone.shelf.open(trained.made, deep=False).seal
    order = order_to_measure(version, rows, zone.shelf)
    require_granted(order, project)
    order_state.require_place(zone.measurements, project)
    requested = place_measurement(
        version,
        order,
        project,
        release=zone.release(release),
        shelf=zone.shelf,
        key=zone.key,
        by=principal.actor,
        ledger=zone.ledger,
        today=zone.settings.day(),
    )
    order_state.request(zone, zone.measurements, principal, project, requested.id)
    return describe(zone, project, requested.id)
