"""The routes of mandates: a bank requests them by itself, sees how far they are, and gives them back."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request

from credit.canonical import canonical
from credit.confirmation import Move
from credit.errors import Malformed, Refused
from credit.messages import preferred
from serving.auth.mandates import mark_revoked
from serving.core.request import RequestContext, resource_id
from serving.core.service import ScoringService
from serving.endpoints.batch_jobs.upload_places import UploadPlaces
from serving.endpoints.mandates.batch import apply_batch
from serving.endpoints.mandates.schemas import (
    ApplicationBatchRequestSchema,
    ApplicationBatchSchema,
    ApplicationListSchema,
    ApplicationRequestSchema,
    ApplicationSchema,
    ApplicationStatusSchema,
    page_parameters,
)
from serving.http.products import BodyLimits
from serving.http.routing import ProductRoute
from serving.i18n.languages import ACCEPTED
from serving.mandates.applications import Applications, apply, status_of
from serving.mandates.decisions import decide, require_application
from serving.mandates.rules import KIND, ApplicationState
from serving.responses.request_schemas import parse_body

SCOPE, REVOKED = "mandate", "mandate.revoked"
ONE, MANY = BodyLimits(2 << 20, 60.0), BodyLimits(16 << 20, 120.0)
ONE_PLACES, MANY_PLACES = UploadPlaces(64, 32), UploadPlaces()  # bodies in memory at once, and of one bank
_SHOWN = tuple(state for state in ApplicationState if state is not ApplicationState.DRAFT)


async def request_mandate(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Request a mandate. Raises Malformed, TooLarge, TooMany, and Refused for a consent that does not hold."""
    wanted = await asyncio.to_thread(lambda: parse_body(ApplicationRequestSchema, body).requested())
    answer = await apply(service, call, _applications(request), resource_id(f"{KIND}-", call), wanted)
    request.app.state.background_tasks.wake()
    return answer


async def list_mandates(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """A page of this bank's applications. Raises Malformed for a parameter that is none."""
    states, before, limit = _parameters(request)
    page = await asyncio.to_thread(
        _applications(request).store.page, call.by.name, states, before=before, limit=limit + 1
    )
    following = str(page[limit - 1].number) if len(page) > limit else None
    language = preferred(ACCEPTED.get())
    return canonical({"applications": [status_of(each, language) for each in page[:limit]], "next": following})


async def mandate_status(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """One application. Raises Missing, also for another bank's."""
    store, name = _applications(request).store, request.path_params["name"]
    own = await asyncio.to_thread(require_application, store, name, call.by.name)
    return canonical(status_of(own, preferred(ACCEPTED.get())))


async def end_mandate(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Withdraw an application that waits, or give its mandate back; what has ended stays as it is.

    Raises Missing, also for another bank's, and Refused while the platform signs it.
    """
    applications, name = _applications(request), request.path_params["name"]
    own = await asyncio.to_thread(require_application, applications.store, name, call.by.name)
    if own.state is ApplicationState.ACCEPTED:
        raise Refused("mandate-applications.being-signed")
    if own.state is ApplicationState.WAITING:
        own = await asyncio.to_thread(
            decide, applications.store, service.journal, name, Move.WITHDRAW, by=call.by, details={"status": 200}
        )
    elif own.state is ApplicationState.GRANTED:
        assert own.mandate is not None
        details = {**call.details, "application": own.id, "status": 200}
        await service.ledger_writer.record(REVOKED, own.mandate, by=call.by, details=details)
        await asyncio.to_thread(mark_revoked, service.access, own.mandate)
        await asyncio.to_thread(applications.store.move, own.id, ApplicationState.REVOKED)
    request.app.state.background_tasks.wake()
    now = await asyncio.to_thread(require_application, applications.store, name, call.by.name)
    return canonical(status_of(now, preferred(ACCEPTED.get())))


def _parameters(request: Request) -> tuple[tuple[str, ...], int, int]:
    """States, `before` and `limit`. Raises Malformed for a parameter that is unknown, repeated or none."""
    items = request.query_params.multi_items()
    values = dict(items)
    known = {each["name"]: each["schema"] for each in page_parameters()}
    state, before, limit = values.get("state"), values.get("before", "9" * 18), values.get("limit", "50")
    numbers = all(text.isascii() and text.isdigit() and len(text) <= 18 for text in (before, limit))
    fits = set(values) <= set(known) and len(values) == len(items) and (state is None or state in _SHOWN)
    if not (fits and numbers and 1 <= int(limit) <= 200):
        raise Malformed("mandate-applications.not-parameters", parameters=", ".join(known))
    return (state,) if state else _SHOWN, int(before), int(limit)


def _applications(request: Request) -> Applications:
    applications: Applications = request.app.state.applications
    return applications


def _route(method: str, path: str, act: Any, summary: str, form: Any, answer: Any, **more: Any) -> ProductRoute:
    repeated = "application.repeated" if method == "POST" else ""
    return ProductRoute(method, f"/v1/mandates{path}", SCOPE, act, summary, form, answer, repeated=repeated, **more)


ROUTES = (
    _route("POST", "", request_mandate, "Request a mandate (授权书)", ApplicationRequestSchema, ApplicationSchema,
           bounds=ONE, reserve=ONE_PLACES.reserve),
    _route("POST", "/batch", apply_batch, "Request up to 1,000 mandates", ApplicationBatchRequestSchema,
           ApplicationBatchSchema, bounds=MANY, reserve=MANY_PLACES.reserve),
    _route("GET", "", list_mandates, "This bank's mandates and applications", None, ApplicationListSchema,
           query=page_parameters()),
    _route("GET", "/{name}", mandate_status, "An application and its mandate", None, ApplicationStatusSchema),
    _route("DELETE", "/{name}", end_mandate, "Withdraw an application, or give a mandate back", None,
           ApplicationStatusSchema),
)  # fmt: skip
