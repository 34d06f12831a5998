"""Rows for a notebook: an order is placed, compute makes them, and they appear in the project's ``/data/rows``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from lab.gateway import order_state
from lab.gateway.identity import Admitted, Principal
from lab.gateway.mounted_rows import mount, unmount_ended
from lab.gateway.request_bodies import read_object
from lab.gateway.research_zone import ResearchZone
from lab.projects import Project
from models.rows.request import RowsRequest

PACE = (30, 60.0)  # requests of one workspace per number of seconds
router = APIRouter()


@router.post("/v1/rows", status_code=201)
async def create_rows(request: Request, who: Admitted) -> dict[str, Any]:
    """Place an order for rows; a repetition changes nothing."""
    principal, project = who
    wanted = RowsRequest.parse(await read_object(request))
    principal.limit_rate("rows", *PACE)
    return await principal.run_blocking(_place, request.app.state.zone, principal, project, wanted)


@router.get("/v1/rows/{order}")
async def one(request: Request, who: Admitted, order: str) -> dict[str, Any]:
    """The state of an order for rows of the project; when it is done, the rows are mounted."""
    principal, project = who
    return await principal.run_blocking(describe, request.app.state.zone, project, order)


def describe(zone: ResearchZone, project: Project, order: str) -> dict[str, Any]:
    """The state of an order (:func:`lab.gateway.order_state.describe`) with ``rows``, the id of what was
    made, and ``invented``.

    Raises :class:`Missing` for an order that the project did not place.
    """
    state, made = order_state.describe(zone, zone.rows, project, order)
    invented = bool(mount(zone, project, made).seal.terms["invented"]) if made else False
    return state | {"rows": made, "invented": invented}


def _place(zone: ResearchZone, principal: Principal, project: Project, wanted: RowsRequest) -> dict[str, Any]:
    unmount_ended(zone, project)
    return describe(zone, project, order_state.place(zone, zone.rows, principal, project, wanted))
