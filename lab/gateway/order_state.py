"""The state of an order for rows, a table or a measurement, followed from the ledgers and the worker's progress."""

from __future__ import annotations

import json
from typing import Any

from credit.errors import Missing
from credit.order_requests import OrderRequest, OrderRequests
from lab.gateway.error_responses import Busy
from lab.gateway.identity import Principal
from lab.gateway.research_zone import ResearchZone
from lab.projects import Project
from lab.request_placement import place_request
from models.rows.request import RowsRequest
from models.tables.request import TableRequest

WAITING = 5  # maximum waiting requests of one kind and project


def place(
    zone: ResearchZone,
    requests: OrderRequests,
    principal: Principal,
    project: Project,
    wanted: RowsRequest | TableRequest,
) -> str:
    """Place an order and request it unless it waits or is done already; its id.

    Raises :class:`~lab.gateway.error_responses.Busy` when too many of the project wait, and what
    :func:`~lab.request_placement.place_request` raises.
    """
    require_place(requests, project)
    order = place_request(
        wanted,
        project,
        release=zone.release(wanted.release),
        shelf=zone.shelf,
        key=zone.key,
        by=principal.actor,
        ledger=zone.ledger,
        today=zone.settings.day(),
    )
    request(zone, requests, principal, project, order.id)
    return order.id


def require_place(requests: OrderRequests, project: Project) -> None:
    """Raise :class:`~lab.gateway.error_responses.Busy` when too many requests of a kind of the project wait."""
    waiting = [each for each in requests.waiting() if each.project == project.name]
    if len(waiting) >= WAITING:
        raise Busy("orders.project-orders-waiting", mine_count=len(waiting))


def request(zone: ResearchZone, requests: OrderRequests, principal: Principal, project: Project, order: str) -> None:
    """Request what an order that was placed asks for, unless that waits or is done already."""
    if requests.is_new(order, project.name):
        zone.ledger.append(requests.verbs.requested, order, by=principal.actor, details={"project": project.name})
    zone.catch_up()


def describe(zone: ResearchZone, requests: OrderRequests, project: Project, order: str) -> tuple[dict[str, Any], str]:
    """``{id, state, label, done, total, error}``, where ``state`` is waiting, running, done, failed or cancelled; and
    the id of the seal that was made, empty before. One that waits has ``compute_away_since`` (:class:`ResearchZone`).

    Raises :class:`Missing` for an order that the project did not place.
    """
    zone.catch_up()
    requested = requests.get(order, project.name)
    if requested is None:
        raise Missing("orders.no-such-order-project")
    state: dict[str, Any] = {"id": order, "state": "waiting", "label": "", "done": 0, "total": 0, "error": None}
    ended = requests.result(requested)
    if ended is not None and ended.made:
        return state | {"state": "done"}, ended.made
    if requested.cancelled is not None:
        return state | {"state": "cancelled"}, ""
    if ended is not None:
        return state | {
            "state": "failed",
            "error": {key: getattr(ended, key) for key in ("what", "why", "remedy", "messages")},
        }, ""
    return state | (_progress(zone, requested) or {"compute_away_since": zone.compute_away_since()}), ""


def _progress(zone: ResearchZone, requested: OrderRequest) -> dict[str, Any]:
    try:
        progress = json.loads((zone.settings.runs / f"{requested.order}.json").read_bytes())
    except (OSError, ValueError):
        return {}
    if progress.get("state") == "running" and progress.get("asked", 0) >= requested.seq:
        return {key: progress[key] for key in ("state", "label", "done", "total")}
    return {}
