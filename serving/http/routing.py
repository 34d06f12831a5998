"""Routes for less frequent requests: each is a product by the endpoint's own rules, with names in its path.

The endpoint does authentication, refusals, the ledger and the signature; the route's handler does the rest.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from serving.core.recovery import RepeatHandler, repeat_unchanged
from serving.core.request import RequestContext
from serving.core.service import ScoringService
from serving.http import endpoint
from serving.http.body import Disconnected
from serving.http.products import DEFAULT_LIMITS, IDEMPOTENCY_KEY, BodyLimits, Product, Reserve, no_reservation
from serving.http.request_head import RequestHead


@dataclass(frozen=True, slots=True)
class RouteReply:
    """An answer in one of several media types, or with headers of its own."""

    body: bytes
    media: str
    headers: Mapping[str, str] = field(default_factory=dict)


RouteHandler = Callable[[Request, ScoringService, RequestContext, bytes], Awaitable[bytes | RouteReply]]


@dataclass(frozen=True, slots=True)
class ProductRoute:
    """One route: the schema of its request, and the schema or the media types of its answer."""

    method: str
    path: str
    scope: str
    act: RouteHandler
    summary: str
    form: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    media: tuple[str, ...] = ("application/json",)  # the first applies where a handler returns bytes
    body_media: tuple[str, ...] = ()  # the media types of a body that is not JSON
    query: tuple[Mapping[str, Any], ...] = ()
    cost: int = 1  # how many requests of the quota one request takes
    bounds: BodyLimits = DEFAULT_LIMITS
    reserve: Reserve = no_reservation
    again: RepeatHandler = repeat_unchanged  # for a POST: what handles a repetition under an idempotency key
    repeated: str = ""  # for a POST: the ledger verb of a repetition


def add_route(router: APIRouter, route: ProductRoute, problems: dict[int | str, dict[str, Any]]) -> None:
    """Add a route to a router, and so to the OpenAPI document of the application that includes it."""

    async def answered(request: Request) -> Response:
        began = time.perf_counter()
        scope = request.scope
        reply = RouteReply(b"", route.media[0])

        async def handle(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
            nonlocal reply
            if route.cost > 1:
                service.quotas.take(call.by.name, call.limit, route.cost - 1, counted=1)
            result = await route.act(request, service, call, body)
            reply = result if isinstance(result, RouteReply) else RouteReply(result, route.media[0])
            return reply.body

        again = route.again if route.method == "POST" else None
        product = Product(
            scope["path"], route.scope, handle, again, makes=True, lasts=True, repeated=route.repeated,
            bounds=route.bounds, reserve=route.reserve,
        )  # fmt: skip
        head = RequestHead(scope["headers"])
        try:
            status, headers, body = await endpoint.answer(
                request.app.state.service, scope, request.receive, product, head
            )
        except Disconnected:
            status, headers, body = endpoint.DISCONNECTED, [], b""  # which the server does not send
        response = Response(body, status)
        if status == 200:
            own = {"content-type": reply.media, **reply.headers}
            headers = [(n, v) for n, v in headers if n != b"content-type"]
            headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in own.items()]
        response.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]
        front: endpoint.ScoringEndpoint = request.app.state.endpoint
        took = time.perf_counter() - began
        front.metrics.count(f"{route.method} {route.path}", status, took, front.under_way)
        return response

    extra: dict[str, Any] = {"security": [{"bank": [route.scope]}], "parameters": [*_names(route.path), *route.query]}
    if route.method == "POST":
        extra["parameters"].append(IDEMPOTENCY_KEY)
    if route.form is not None or route.body_media:
        schema = _schema(route.form) if route.form else {"type": "string"}
        media = route.body_media or ("application/json",)
        extra["requestBody"] = {"required": True, "content": {name: {"schema": schema} for name in media}}
    good: dict[int | str, dict[str, Any]] = {200: {"content": {name.partition(";")[0]: {} for name in route.media}}}
    router.add_api_route(
        route.path, answered, methods=[route.method], response_model=route.answer, summary=route.summary,
        responses={**problems, **({} if route.answer else good)}, openapi_extra=extra,
        response_class=JSONResponse if "application/json" in route.media else Response,  # the document shows it too
        operation_id=f"{route.scope}_{route.act.__name__}",
    )  # fmt: skip


def _names(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": n, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 64}} for n in names]


def _schema(form: type[BaseModel]) -> dict[str, Any]:
    """The form's schema in one piece: a reference into it would be one into the whole document."""
    schema = form.model_json_schema()
    return dict(_without_references(schema, schema.pop("$defs", {})))


def _without_references(part: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_without_references(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _without_references(definitions[part["$ref"].rpartition("/")[2]], definitions)
    return {name: _without_references(each, definitions) for name, each in part.items()}
