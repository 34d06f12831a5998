"""Routes of rooms that are asked seldom: each is a product by the door's own rules, with names in its path.

Admission, refusals, the ledger and the signature are the door's; the room says what it does.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from serving.app.openapi.operations import KEY
from serving.core.service import Call, Desk
from serving.http import endpoint
from serving.http.products import BODY, Bounds, Product
from serving.idempotency.recovery import Again, as_it_was


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in one of several media types, or with headers of its own."""

    body: bytes
    media: str
    headers: Mapping[str, str] = field(default_factory=dict)


Act = Callable[[Request, Desk, Call, bytes], Awaitable[bytes | Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route: what it is asked with (a form), and what it answers (a form, or other media types)."""

    method: str
    path: str
    scope: str
    act: Act
    summary: str
    form: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    media: tuple[str, ...] = ("application/json",)  # the first is meant where an act gives bytes
    body_media: tuple[str, ...] = ()  # the media types of a body that is no JSON
    query: tuple[Mapping[str, Any], ...] = ()
    cost: int = 1  # how many answers of a quota it takes
    bounds: Bounds = BODY  # of its body
    again: Again = as_it_was  # of a POST, which takes an idempotency key: what a repetition goes through
    repeated: str = ""  # of a POST: the verb of its repetition's entry


def add(router: APIRouter, route: Route, problems: dict[int | str, dict[str, Any]]) -> None:
    """Put a route on a router, and so into the OpenAPI document of whoever takes it."""

    async def answered(request: Request) -> Response:
        began = time.perf_counter()
        scope = request.scope
        reply = Reply(b"", route.media[0])

        async def handle(desk: Desk, call: Call, body: bytes) -> bytes:
            nonlocal reply
            if route.cost > 1:
                desk.quotas.take(call.by.name, call.limit, route.cost - 1)
            told = await route.act(request, desk, call, body)
            reply = told if isinstance(told, Reply) else Reply(told, route.media[0])
            return reply.body

        again = route.again if route.method == "POST" else None
        product = Product(
            scope["path"], route.scope, handle, again, makes=True, lasts=True, repeated=route.repeated,
            bounds=route.bounds,
        )  # fmt: skip
        status, headers, body = await endpoint.answer(request.app.state.desk, scope, request.receive, product)
        response = Response(body, status)
        if status == 200:
            own = {"content-type": reply.media, **reply.headers}
            headers = [(n, v) for n, v in headers if n != b"content-type"]
            headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in own.items()]
        response.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]
        outer: endpoint.Door = request.app.state.door
        took = time.perf_counter() - began
        outer.metrics.count(f"{route.method} {route.path}", status, took, outer.under_way)
        return response

    extra: dict[str, Any] = {"security": [{"bank": [route.scope]}], "parameters": [*_names(route.path), *route.query]}
    if route.method == "POST":
        extra["parameters"].append(KEY)
    if route.form is not None or route.body_media:
        schema = _schema(route.form) if route.form else {"type": "string"}
        media = route.body_media or ("application/json",)
        extra["requestBody"] = {"required": True, "content": {name: {"schema": schema} for name in media}}
    good: dict[int | str, dict[str, Any]] = {200: {"content": {name.partition(";")[0]: {} for name in route.media}}}
    router.add_api_route(
        route.path, answered, methods=[route.method], response_model=route.answer, summary=route.summary,
        responses={**problems, **({} if route.answer else good)}, openapi_extra=extra,
        response_class=JSONResponse if "application/json" in route.media else Response,  # which is declared too
        operation_id=f"{route.scope}_{route.act.__name__}",
    )  # fmt: skip


def _names(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": n, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 64}} for n in names]


def _schema(form: type[BaseModel]) -> dict[str, Any]:
    return form.model_json_schema()
