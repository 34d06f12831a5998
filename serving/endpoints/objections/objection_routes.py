"""The route that gives the status of an objection to the bank that filed it."""

from __future__ import annotations

import asyncio

from fastapi import Request

from credit.canonical import canonical
from serving.core.request import RequestContext
from serving.core.service import ScoringService
from serving.endpoints.objections.objections import objection_status
from serving.http.routing import ProductRoute
from serving.responses.response_schemas import ObjectionStatusSchema


async def objection(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """The status: open, upheld (granted) or dismissed (refused), with the reviewer and the reason.

    Raises Missing, also for another bank's objection.
    """
    name = request.path_params["name"]
    entries = await asyncio.to_thread(service.journal.about, name)
    return canonical(objection_status(entries, name, call.by.name))


ROUTES = (
    ProductRoute(
        "GET", "/v1/objections/{name}", "object", objection, "The status of an objection", None, ObjectionStatusSchema
    ),
)
