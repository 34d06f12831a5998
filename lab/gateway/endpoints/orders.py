"""Orders and their results: a notebook requests, and the worker of the compute zone reads requests from the ledger."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from credit.errors import CreditError, Missing, Refused
from credit.messages import preferred
from credit.order_requests import TRAINING, OrderRequest
from credit.shelf import OpenedSeal
from lab.gateway import run_summary
from lab.gateway.error_responses import Busy
from lab.gateway.identity import STREAMS, Admitted, Principal
from lab.gateway.request_bodies import SMALL, read_object, text_of
from lab.gateway.research_zone import ResearchZone
from lab.order_placement import place_order
from lab.projects import Project
from models.order.order import MAXIMUM_SQL, Order

WAITING = 20  # maximum waiting orders of one project
PACE = (60, 60.0)  # orders of one workspace per number of seconds
STREAM_SECONDS = 90.0  # after which a client opens the stream again
POLL = 0.25  # seconds between two reads of the state
router = APIRouter()
assert MAXIMUM_SQL < SMALL


@router.post("/v1/orders", status_code=201)
async def create_order(request: Request, who: Admitted) -> dict[str, Any]:
    """Seal an order on a release (the newest unless named) and request its training; a repetition changes nothing."""
    principal, project = who
    data = await read_object(request)
    order, release = Order.parse(data.get("order")), text_of(data, "release", most=80, otherwise="")
    principal.limit_rate("orders", *PACE)
    return await principal.run_blocking(_place, request.app.state.zone, principal, project, order, release)


@router.get("/v1/orders")
async def orders(request: Request, who: Admitted) -> list[dict[str, Any]]:
    """The orders of the project, the newest first."""
    principal, project = who
    zone = request.app.state.zone

    def describe_all() -> list[dict[str, Any]]:
        return [describe(zone, requested) for requested in reversed(zone.trainings.of(project.name))]

    return await principal.run_blocking(describe_all)


@router.get("/v1/orders/{order}")
async def one(request: Request, who: Admitted, order: str) -> dict[str, Any]:
    """One order of the project, with the evidence when it is done."""
    principal, project = who
    zone = request.app.state.zone
    return await principal.run_blocking(lambda: describe(zone, request_of(zone, project, order), whole=True))


@router.post("/v1/orders/{order}/cancel")
async def cancel(request: Request, who: Admitted, order: str) -> dict[str, Any]:
    """Cancel the project's request for an order; the training continues while another project requests it."""
    principal, project = who
    return await principal.run_blocking(_cancel, request.app.state.zone, principal, project, order)


@router.get("/v1/orders/{order}/events")
async def events(request: Request, who: Admitted, order: str) -> StreamingResponse:
    """The progress of an order as JSON lines, one per change, until it ends or the stream reaches its time limit."""
    principal, project = who
    zone = request.app.state.zone
    await principal.run_blocking(request_of, zone, project, order)
    principal.begin("streams", STREAMS)
    language = preferred(request.headers.get("accept-language", ""))
    return Stream(_changes(zone, principal, project, order, language), principal)


class Stream(StreamingResponse):
    """JSON lines that count as one of a workspace's streams until the response ends, also by an error."""

    def __init__(self, lines: AsyncIterator[bytes], principal: Principal) -> None:
        super().__init__(lines, media_type="application/x-ndjson")
        self._principal = principal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the lines, and end the count of the stream afterwards."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._principal.end("streams")


def describe(zone: ResearchZone, requested: OrderRequest, *, whole: bool = False) -> dict[str, Any]:
    """``{id, model, title, auc, parameters, asked_by, asked_at, state, label, done, total, at, error, version}``; with
    the evidence if ``whole``.

    ``state`` is waiting, running, done, failed or cancelled. It follows from the ledgers; the progress
    comes from the file of the worker.
    """
    ended, progress = zone.trainings.result(requested), _progress_of(zone, requested)
    title, auc, parameters = run_summary.summary(zone.shelf, requested.order, ended.made if ended else "")
    description: dict[str, Any] = {
        "id": requested.order,
        "model": requested.model,
        "title": title,
        "auc": auc,
        "parameters": parameters,
        "asked_by": requested.by.name,
        "asked_at": requested.at.isoformat(),
        "state": "waiting",
        "label": "",
        "done": 0,
        "total": 0,
        "at": requested.at.isoformat(),
        "error": None,
        "version": None,
    }
    if requested.cancelled is not None:
        return description | {"state": "cancelled", "at": requested.cancelled.isoformat()}
    if ended is not None and ended.made:
        description |= {"state": "done", "at": ended.at.isoformat(), "version": ended.made}
        return description | (result(zone, ended.made) | {"champion": dict(ended.champion)} if whole else {})
    if ended is not None:
        why = {"what": ended.why, "remedy": ended.remedy, "messages": ended.messages}
        return description | {"state": "failed", "at": ended.at.isoformat(), "error": why}
    if progress.get("state") == "running" and progress.get("asked", 0) >= requested.seq:
        return description | {key: progress[key] for key in ("state", "label", "done", "total", "at")}
    return description | {"compute_away_since": zone.compute_away_since()}


def result(zone: ResearchZone, version: str) -> dict[str, Any]:
    """``{evidence, card, features, release}`` of a version; raises :class:`Broken` when a file was changed."""
    return _result(zone.shelf.open(version, deep=False))


def _result(opened: OpenedSeal) -> dict[str, Any]:
    files = {name: run_summary.file_of(opened, name) for name in ("evidence.json", "card.md")}
    terms = opened.seal.terms
    return {
        "evidence": json.loads(files["evidence.json"]),
        "card": files["card.md"].decode(),
        "features": list(terms["features"]),
        "release": terms["release"],
    }


def _place(zone: ResearchZone, principal: Principal, project: Project, order: Order, release: str) -> dict[str, Any]:
    require_granted(order, project)
    waiting = [each for each in zone.trainings.waiting() if each.project == project.name]
    if len(waiting) >= WAITING:
        raise Busy("orders.project-orders-waiting", mine_count=len(waiting))
    opened = zone.release(release)
    seal = place_order(
        order,
        release=opened,
        shelf=zone.shelf,
        key=zone.key,
        by=principal.actor,
        ledger=zone.ledger,
        today=zone.settings.day(),
    )
    if zone.trainings.is_new(seal.id, project.name):
        details = {"project": project.name, "release": opened.seal.id, "model": order.model}
        zone.ledger.append(TRAINING.requested, seal.id, by=principal.actor, details=details)
        zone.catch_up()
    return describe(zone, request_of(zone, project, seal.id))


def require_granted(order: Order, project: Project) -> None:
    """Raise :class:`Refused` when an order reads a table that is not granted to the project."""
    read = {*order.tables, order.label.table, order.population or "", order.observe.event or ""} - {""}
    if others := sorted(read - set(project.tables)):
        raise Refused("orders.project-not-granted", project_name=project.name, others=", ".join(others))


def _cancel(zone: ResearchZone, principal: Principal, project: Project, order: str) -> dict[str, Any]:
    requested = request_of(zone, project, order)
    state = describe(zone, requested)["state"]
    if state not in ("waiting", "running"):
        raise Refused("orders.order-cannot-be-cancelled-now-2", state=state)
    zone.ledger.append(TRAINING.cancelled, requested.order, by=principal.actor, details={"project": project.name})
    zone.catch_up()
    return describe(zone, request_of(zone, project, requested.order))


def request_of(zone: ResearchZone, project: Project, order: str) -> OrderRequest:
    """The project's request with this order id or an unambiguous prefix of it; raises :class:`Missing`."""
    matches = [each for each in zone.trainings.of(project.name) if order and each.order.startswith(order)]
    if len(matches) != 1:
        raise Missing("orders.no-such-order-project")
    return matches[0]


def _progress_of(zone: ResearchZone, requested: OrderRequest) -> dict[str, Any]:
    """The progress that the worker reported for an order; empty before its first report."""
    try:
        progress: dict[str, Any] = json.loads((zone.settings.runs / f"{requested.order}.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return progress


async def _changes(
    zone: ResearchZone, principal: Principal, project: Project, order: str, language: str
) -> AsyncIterator[bytes]:
    def now() -> dict[str, Any]:
        zone.project(principal.workspace)  # a project can end while a client waits
        return describe(zone, request_of(zone, project, order))

    try:
        end, last = time.monotonic() + STREAM_SECONDS, b""
        while time.monotonic() < end:
            description = await principal.run_blocking(now)
            line = json.dumps(description, ensure_ascii=False).encode() + b"\n"
            if line != last:
                yield line
                last = line
            if description["state"] not in ("waiting", "running"):
                return
            await asyncio.sleep(POLL)
    except CreditError as error:
        yield json.dumps(error.problem(language), ensure_ascii=False).encode() + b"\n"
