"""The scoring service as a function of its settings; it starts from the shelf alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from credit.errors import CreditError, Lapsed
from serving import errors
from serving.app.openapi.operations import Described, declare
from serving.audit.refusal_sampling import SECONDS
from serving.auth.auth_throttle import AuthThrottle
from serving.auth.dpop import ASSERTION
from serving.core.service import Desk
from serving.core.wiring import open_desk, open_stores
from serving.endpoints.batch_jobs.job_files import JobFiles
from serving.endpoints.batch_jobs.routes import ROUTES as OF_JOBS
from serving.endpoints.monitoring.routes import ROUTES as OF_WATCHES
from serving.endpoints.objections.objection_routes import ROUTES as OF_OBJECTIONS
from serving.endpoints.reports import typeface
from serving.endpoints.reports.report_routes import ROUTES as OF_REPORTS
from serving.endpoints.reports.report_routes import pdf_process
from serving.http import routing
from serving.http.endpoint import Door
from serving.http.products import PRODUCTS
from serving.http.token_endpoint import give_token
from serving.observability import log
from serving.observability.metrics import CONTENT_TYPE
from serving.processes.background_tasks import Chores
from serving.processes.readiness_board import Board
from serving.responses.api_schema import published_name
from serving.responses.response_schemas import ProblemSchema
from serving.settings import ServiceSettings

_SHOW_SECONDS = 0.1
_FORM = {"type": "object", "required": ["grant_type"], "properties": {
    "grant_type": {"const": "client_credentials"}, "scope": {"type": "string", "examples": ["score"]},
    "client_id": {"type": "string"}, "client_secret": {"type": "string"},
    "client_assertion_type": {"const": ASSERTION}, "client_assertion": {"type": "string"}}}  # fmt: skip
_A_PROBLEM = {"schema": {"$ref": f"#/components/schemas/{published_name(ProblemSchema)}"}}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {"application/problem+json": _A_PROBLEM}}
    for status, text in {
        401: "no token, or not a good one", 403: "no mandate for this bank, subject, purpose and day",
        404: "the subject is not known", 408: "the body did not arrive in time", 413: "the body is over 1 MiB",
        422: "the request cannot be read", 429: "asked too often; see Retry-After",
        503: "the snapshot is stale or not in service, or too many calls are under way",
    }.items()
}  # fmt: skip


@cache
def _asked() -> list[BaseRoute]:
    """The routes of all that banks ask for, made once a process: they tell of the code, never of the settings."""
    told = APIRouter()
    for product in PRODUCTS.values():
        declare(told, product, _PROBLEMS)
    for route in (*OF_REPORTS, *OF_WATCHES, *OF_JOBS, *OF_OBJECTIONS):
        routing.add(told, route, _PROBLEMS)
    return told.routes


def create_app(settings: ServiceSettings, board: Board | None = None, place: int = 0) -> Door:
    """The service, its door for scores in front; one of several processes when there is a board, at its `place`.

    It is alive at once, and ready when every model has a fresh book and the ledger can be written.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        desk = the_door.desk = app.state.desk = open_desk(settings)
        for book in await asyncio.to_thread(desk.library.refresh):
            await desk.announce(book)
        archive = desk.archive
        assert archive is not None
        if (opened := await asyncio.to_thread(archive.refresh)) is not None:
            await desk.announce_dossiers(opened)
        watches, jobs = app.state.watches, app.state.jobs = open_stores(settings)
        chores, files = app.state.chores, app.state.files = Chores(settings), JobFiles()
        if no_pdf := typeface.font_fault():
            log.event("report.no_typeface", level=log.ERROR, fault=no_pdf)
        app.state.no_pdf = no_pdf  # said, and not waited for: scores need none
        drawing, turns = app.state.drawer, app.state.turns = pdf_process(), AuthThrottle()
        if not (watches.is_idle and jobs.is_idle):
            chores.wake()
        running = [
            asyncio.create_task(chores.keep()),
            asyncio.create_task(desk.library.watch(settings.watch_seconds, desk.announce)),
            asyncio.create_task(archive.watch(settings.watch_seconds, desk.announce_dossiers)),
            asyncio.create_task(_forget(desk)),
            asyncio.create_task(_settle(desk)),
            asyncio.create_task(_count(desk)),
        ]
        if board is not None:
            running.append(asyncio.create_task(_show(desk, board, place)))
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await desk.tell_crowd()
            await asyncio.to_thread(files.close)
            await asyncio.to_thread(drawing.close)
            await asyncio.to_thread(turns.close)
            await asyncio.to_thread(chores.close)
            watches.close()
            jobs.close()
            await asyncio.to_thread(desk.recorder.close)
            desk.access.close()
            desk.shared.close()

    app = Described(
        title="海河信用 scoring service", version="1", docs_url=None, redoc_url=None, lifespan=lifespan,
        redirect_slashes=False,  # a redirect would name whatever host the caller said, and a token would follow it
    )  # fmt: skip
    errors.install(app)

    the_door = app.state.door = Door(app, settings.most_at_once)
    app.router.routes.extend(_asked())

    @app.get("/metrics", summary="Counts and times for Prometheus", include_in_schema=False)
    async def metrics() -> Response:
        """No bank, no subject, no id."""
        return Response(the_door.metrics.text(the_door.under_way), media_type=CONTENT_TYPE)

    @app.get("/.well-known/jwks.json", summary="The keys that signed answers verify with (RFC 7517)")
    async def keys(request: Request) -> Response:
        """The service's public keys, the present one and older ones; the header X-JWS-Signature names which."""
        return JSONResponse(request.app.state.desk.keys)

    @app.post(
        "/oauth2/token",
        summary="Client credentials (RFC 6749 §4.4)",
        responses={
            400: {"description": "an error of RFC 6749 §5.2", "content": {"application/json": {}}},
            401: {"description": "invalid_client", "content": {"application/json": {}}},
            408: _PROBLEMS[408],
            413: _PROBLEMS[413],
            503: {**_PROBLEMS[503], "description": "too many ask for tokens just now"},
        },
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _FORM}}}
        },
    )
    async def token(request: Request) -> Response:
        """A bearer token for fifteen minutes. The client is named by HTTP Basic, or by client_id and client_secret."""
        began = time.perf_counter()
        try:
            told = await give_token(request, request.app.state.desk, request.app.state.turns)
        except errors.Overloaded:
            the_door.metrics.shed()
            raise
        took = time.perf_counter() - began
        the_door.metrics.count("/oauth2/token", told.status_code, took, the_door.under_way)
        return told

    @app.get("/live", summary="The process answers")
    async def live() -> Response:
        """Says nothing but that the process is alive."""
        return JSONResponse({"live": True})

    @app.get(
        "/ready", summary="Every model has a fresh book and the ledger can be written", responses={503: _PROBLEMS[503]}
    )
    async def ready(request: Request) -> Response:
        """The books in use; 503 with the same when one is missing or stale, or the ledger cannot be written."""
        told = readiness(request.app.state.desk, board.others_not_ready(place) if board else 0)
        if told.ok:
            drawn = {"fault": app.state.no_pdf} if app.state.no_pdf else {"format": "PDF/A-2u"}
            return JSONResponse({"ready": True, "models": told.models, "dossiers": told.dossiers, "reports": drawn})
        lapsed = Lapsed("create.service-not-ready", why="; ".join(told.faults))
        return errors.ProblemResponse({**lapsed.problem(), "ready": False, "models": told.models}, status_code=503)

    app.openapi()  # made before the first bank asks
    return the_door


@dataclass(frozen=True, slots=True)
class Readiness:
    """What stands in the way of answering, if anything."""

    models: dict[str, dict[str, str]]
    faults: tuple[str, ...]
    dossiers: dict[str, str]  # said, and not waited for: scores need none

    @property
    def ok(self) -> bool:
        """Nothing stands in the way."""
        return not self.faults


async def _forget(desk: Desk, every: float = 3600) -> None:
    """Forget answers that are too old to be given again, also while nobody asks: they tell of subjects."""
    while True:
        desk.repeats.prune()
        desk.made.prune()
        await asyncio.sleep(every)


async def _settle(desk: Desk, every: float = 0.02) -> None:
    """Let no call wait for what can be written aside."""
    while True:
        if desk.shared.lags:
            await asyncio.to_thread(desk.shared.settle)
        await asyncio.sleep(every)


async def _count(desk: Desk, every: float = SECONDS) -> None:
    """Say of a crowd how many it was."""
    while True:
        await asyncio.sleep(every)
        await desk.tell_crowd()


async def _show(desk: Desk, board: Board, place: int) -> None:
    """Tell the other processes whether this one is ready."""
    while True:
        board.put(place, working=True, ready=readiness(desk).ok)
        await asyncio.sleep(_SHOW_SECONDS)


def readiness(desk: Desk, others: int = 0) -> Readiness:
    """Ask every part that a score needs; `others` is how many of the other processes are not ready."""
    models = desk.library.state(desk.settings.day())
    faults = [f"{model}: {state['fault']}" for model, state in models.items() if "fault" in state]
    try:
        desk.recorder.require_writable()
        desk.access.rows("SELECT 1")
    except CreditError as fault:
        faults.append(str(fault))
    if others:
        faults.append(f"{others} of the other processes are not ready")
    return Readiness(models, tuple(faults), desk.archive.state(desk.settings.day()) if desk.archive else {})
