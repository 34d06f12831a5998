"""Tables for a notebook: an order is placed, compute makes the table, and its cells are the answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from credit.errors import Missing
from credit.shelf import Shelf
from lab.airlock.table_parcel import carry_table_out, columns_of
from lab.gateway import order_state
from lab.gateway.identity import Admitted, Principal
from lab.gateway.request_bodies import read_object
from lab.gateway.research_zone import ResearchZone
from lab.gateway.table_parcels import parcel_of_table
from lab.projects import Project
from models.tables.request import TableRequest

PACE = (30, 60.0)  # requests of one workspace per number of seconds
router = APIRouter()


@router.post("/v1/tables", status_code=201)
async def create_table(request: Request, who: Admitted) -> dict[str, Any]:
    """Place an order for a table; a repetition changes nothing."""
    principal, project = who
    wanted = TableRequest.parse(await read_object(request))
    principal.limit_rate("tables", *PACE)
    return await principal.run_blocking(_place, request.app.state.zone, principal, project, wanted)


@router.get("/v1/tables/{order}")
async def table(request: Request, who: Admitted, order: str) -> dict[str, Any]:
    """The state of an order for a table of the project; when it is done, with the table."""
    principal, project = who
    return await principal.run_blocking(describe_table, request.app.state.zone, project, order)


@router.post("/v1/tables/{order}/parcel", status_code=201)
async def carry_out(request: Request, who: Admitted, order: str) -> dict[str, Any]:
    """Carry a table out of the lab, where policy approved that; a repetition changes nothing.

    The answer describes the parcel as ``/v1/parcels`` does, and has its id in ``parcel`` as well.
    """
    principal, project = who
    return await principal.run_blocking(_carry_out, request.app.state.zone, principal, project, order)


def describe_table(zone: ResearchZone, project: Project, order: str) -> dict[str, Any]:
    """The state of an order (:func:`lab.gateway.order_state.describe`) with ``table``: null, or ``{id, columns,
    suppressed, approved_by, invented, noise}``, where ``columns`` maps each name to its values.

    Raises :class:`Missing` for an order that the project did not place.
    """
    state, made = order_state.describe(zone, zone.tables, project, order)
    if not made:
        return state | {"table": None}
    opened = zone.shelf.open(made)  # every file verified
    properties = {name: opened.seal.terms[name] for name in ("suppressed", "approved_by", "invented")}
    properties["noise"] = opened.seal.terms.get("noise", {})
    return state | {"table": {"id": made, "columns": columns_of(opened), **properties}}


def _place(zone: ResearchZone, principal: Principal, project: Project, wanted: TableRequest) -> dict[str, Any]:
    return describe_table(zone, project, order_state.place(zone, zone.tables, principal, project, wanted))


def _carry_out(zone: ResearchZone, principal: Principal, project: Project, order: str) -> dict[str, Any]:
    _, made = order_state.describe(zone, zone.tables, project, order)
    if not made:
        raise Missing("orders.no-such-order-project")
    parcel = carry_table_out(
        made,
        project=project.name,
        shelf=zone.shelf,
        outbox=Shelf(zone.settings.outbox, zone.shelf.ring),
        key=zone.key,
        ledger=zone.ledger,
        by=principal.actor,
        today=zone.settings.day(),
    )
    return parcel_of_table(zone, project, parcel.id) | {"parcel": parcel.id}
