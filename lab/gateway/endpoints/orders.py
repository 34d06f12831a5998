"""Orders and what became of them: a notebook asks, the compute zone's worker reads that in the ledger, and tells."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from credit.canonical import digest
from credit.errors import Broken, CreditError, Missing, Refused
from credit.shelf import OpenedSeal
from credit.training_requests import TrainingRequest
from lab.gateway.error_responses import Busy
from lab.gateway.identity import STREAMS, Admitted, Visitor
from lab.gateway.request_bodies import SMALL, read_object, text_of
from lab.gateway.research_zone import ResearchZone
from lab.order_placement import place
from lab.projects import Project
from models.order.order import MAXIMUM_SQL, Order

WAITING = 20  # orders of one project at a time
PACE = (60, 60.0)  # orders of one workspace in so many seconds
STREAM_SECONDS = 90.0  # a client asks again
POLL = 0.25  # seconds
router = APIRouter()
assert MAXIMUM_SQL < SMALL


@router.post("/v1/orders", status_code=201)
async def ask(request: Request, who: Admitted) -> dict[str, Any]:
    """Seal an order on a release (the newest unless named) and ask for its training. The same again is the same."""
    visitor, project = who
    told = await read_object(request)
    order, release = Order.parse(told.get("order")), text_of(told, "release", most=80, otherwise="")
    visitor.pace("orders", *PACE)
    return await visitor.aside(_ask, request.app.state.zone, visitor, project, order, release)


@router.get("/v1/orders")
async def orders(request: Request, who: Admitted) -> list[dict[str, Any]]:
    """What the project asked for, the newest first."""
    visitor, project = who
    zone = request.app.state.zone

    def told() -> list[dict[str, Any]]:
        return [describe(zone, asked) for asked in reversed(zone.trainings.of(project.name))]

    return await visitor.aside(told)


@router.get("/v1/orders/{order}")
async def one(request: Request, who: Admitted, order: str) -> dict[str, Any]:
    """One order of the project's, with the evidence when it is done."""
    visitor, project = who
    zone = request.app.state.zone
    return await visitor.aside(lambda: describe(zone, _asked(zone, project, order), whole=True))


@router.post("/v1/orders/{order}/cancel")
async def cancel(request: Request, who: Admitted, order: str) -> dict[str, Any]:
    """Take an order back; it is trained on for as long as another project wants it."""
    visitor, project = who
    return await visitor.aside(_cancel, request.app.state.zone, visitor, project, order)


@router.get("/v1/orders/{order}/events")
async def events(request: Request, who: Admitted, order: str) -> StreamingResponse:
    """The order's progress as JSON lines, one at each change, until it has ended or the stream has lasted long."""
    visitor, project = who
    zone = request.app.state.zone
    await visitor.aside(_asked, zone, project, order)
    visitor.enter("streams", STREAMS)
    return Stream(_changes(zone, visitor, project, order), visitor)


class Stream(StreamingResponse):
    """JSON lines that count as one of a workspace's streams until they end, in whatever way."""

    def __init__(self, lines: AsyncIterator[bytes], visitor: Visitor) -> None:
        super().__init__(lines, media_type="application/x-ndjson")
        self._visitor = visitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._visitor.leave("streams")


def describe(zone: ResearchZone, asked: TrainingRequest, *, whole: bool = False) -> dict[str, Any]:
    """``{id, model, asked_by, asked_at, state, label, done, total, at, error, version}``; with the evidence if whole.

    ``state`` is waiting, running, done, failed or cancelled. The ledgers decide it; the worker's own file says how far.
    """
    ended, told = zone.trainings.result(asked), _run(zone, asked)
    found: dict[str, Any] = {
        "id": asked.order,
        "model": asked.model,
        "asked_by": asked.by.name,
        "asked_at": asked.at.isoformat(),
        "state": "waiting",
        "label": "",
        "done": 0,
        "total": 0,
        "at": asked.at.isoformat(),
        "error": None,
        "version": None,
    }
    if asked.cancelled is not None:
        return found | {"state": "cancelled", "at": asked.cancelled.isoformat()}
    if ended is not None and ended.version:
        found |= {"state": "done", "at": ended.at.isoformat(), "version": ended.version}
        return found | (result(zone, ended.version) if whole else {})
    if ended is not None:
        why = {"what": ended.why, "remedy": ended.remedy}
        return found | {"state": "failed", "at": ended.at.isoformat(), "error": why}
    if told.get("state") == "running" and told.get("asked", 0) >= asked.seq:
        return found | {key: told[key] for key in ("state", "label", "done", "total", "at")}
    return found


def result(zone: ResearchZone, version: str) -> dict[str, Any]:
    """``{evidence, card, features, release}`` of a version; raises :class:`Broken` when a file was changed."""
    return _result(zone.shelf.open(version, deep=False))


@lru_cache(maxsize=64)
def _read(path: str, wanted: str) -> bytes:
    content = Path(path).read_bytes()
    if digest(content) != wanted:
        raise Broken("orders.version-file-changed")
    return content


def _result(opened: OpenedSeal) -> dict[str, Any]:
    files = {name: _read(str(opened.path / name), opened.seal.files[name]) for name in ("evidence.json", "card.md")}
    terms = opened.seal.terms
    return {
        "evidence": json.loads(files["evidence.json"]),
        "card": files["card.md"].decode(),
        "features": list(terms["features"]),
        "release": terms["release"],
    }


def _ask(zone: ResearchZone, visitor: Visitor, project: Project, order: Order, release: str) -> dict[str, Any]:
    require_granted(order, project)
    mine = [each for each in zone.trainings.waiting() if each.project == project.name]
    if len(mine) >= WAITING:
        raise Busy("orders.project-orders-waiting", mine_count=len(mine))
    opened = zone.release(release)
    seal = place(
        order,
        release=opened,
        shelf=zone.shelf,
        key=zone.key,
        by=visitor.actor,
        ledger=zone.ledger,
        today=zone.settings.day(),
    )
    asked = zone.trainings.get(seal.id, project.name)
    ended = zone.trainings.result(asked) if asked else None
    if asked is None or asked.cancelled is not None or (ended is not None and not ended.version):
        details = {"project": project.name, "release": opened.seal.id, "model": order.model}
        zone.ledger.append("training.asked", seal.id, by=visitor.actor, details=details)
        zone.catch_up()
    return describe(zone, _asked(zone, project, seal.id))


def require_granted(order: Order, project: Project) -> None:
    """Raise :class:`Refused` when an order reads a table that the project was not granted."""
    read = {*order.tables, order.label.table, order.population or "", order.observe.event or ""} - {""}
    if others := sorted(read - set(project.tables)):
        raise Refused("orders.project-not-granted", project_name=project.name, others=", ".join(others))


def _cancel(zone: ResearchZone, visitor: Visitor, project: Project, order: str) -> dict[str, Any]:
    asked = _asked(zone, project, order)
    state = describe(zone, asked)["state"]
    if state not in ("waiting", "running"):
        raise Refused("orders.order-cannot-be-cancelled-now-2", state=state)
    zone.ledger.append("training.cancelled", asked.order, by=visitor.actor, details={"project": project.name})
    zone.catch_up()
    return describe(zone, _asked(zone, project, asked.order))


def _asked(zone: ResearchZone, project: Project, order: str) -> TrainingRequest:
    """The project's own order of this id, or of a beginning that only one has; raises :class:`Missing`."""
    mine = [each for each in zone.trainings.of(project.name) if order and each.order.startswith(order)]
    if len(mine) != 1:
        raise Missing("orders.no-such-order-project")
    return mine[0]


def _run(zone: ResearchZone, asked: TrainingRequest) -> dict[str, Any]:
    """What the worker says of it; nothing when it said nothing yet."""
    try:
        told: dict[str, Any] = json.loads((zone.settings.runs / f"{asked.order}.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return told


async def _changes(zone: ResearchZone, visitor: Visitor, project: Project, order: str) -> AsyncIterator[bytes]:
    def now() -> dict[str, Any]:
        zone.project(visitor.workspace)  # a project may lapse while somebody waits
        return describe(zone, _asked(zone, project, order))

    try:
        end, last = time.monotonic() + STREAM_SECONDS, b""
        while time.monotonic() < end:
            told = await visitor.aside(now)
            line = json.dumps(told, ensure_ascii=False).encode() + b"\n"
            if line != last:
                yield line
                last = line
            if told["state"] not in ("waiting", "running"):
                return
            await asyncio.sleep(POLL)
    except CreditError as error:
        yield json.dumps(error.problem(), ensure_ascii=False).encode() + b"\n"
