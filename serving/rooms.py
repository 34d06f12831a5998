"""Routes of rooms that are asked seldom: each is a product by the door's own rules, with names in its path.

Admission, refusals, the ledger and the signature are the door's; the room says what it does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel

from serving import door
from serving.calls import Call, Desk
from serving.products import Product

Act = Callable[[Request, Desk, Call, bytes], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route: what it is asked with (a form), and what it answers (a form, or another media type)."""

    method: str
    path: str
    scope: str
    act: Act
    summary: str
    form: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    media: str = "application/json"
    body_media: str = ""  # the media type of a body that the room reads by itself
    query: tuple[Mapping[str, Any], ...] = ()


def add(app: FastAPI, route: Route, problems: dict[int | str, dict[str, Any]]) -> None:
    """Put a route on the application and into its OpenAPI document."""

    async def answered(request: Request) -> Response:
        scope, receive = dict(request.scope), request.receive
        if route.body_media:  # the room reads the body itself, to its own bound, once the caller is admitted
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
            receive = _nothing

        async def handle(desk: Desk, call: Call, body: bytes) -> bytes:
            return await route.act(request, desk, call, body)

        product = Product(route.path, route.scope, handle)
        status, headers, body = await door.answer(request.app.state.desk, scope, receive, product)
        response = Response(body, status)
        told = [(n, route.media.encode() if n == b"content-type" and status == 200 else v) for n, v in headers]
        response.raw_headers = [*told, (b"content-length", b"%d" % len(body))]
        return response

    extra: dict[str, Any] = {"security": [{"bank": [route.scope]}], "parameters": [*_names(route.path), *route.query]}
    if route.form is not None or route.body_media:
        schema = _schema(route.form) if route.form else {"type": "string"}
        media = route.body_media or "application/json"
        extra["requestBody"] = {"required": True, "content": {media: {"schema": schema}}}
    good: dict[int | str, dict[str, Any]] = {200: {"content": {route.media: {}}}}
    app.add_api_route(
        route.path, answered, methods=[route.method], response_model=route.answer, summary=route.summary,
        responses={**problems, **({} if route.answer else good)}, openapi_extra=extra,
        operation_id=f"{route.scope}_{route.act.__name__}",
    )  # fmt: skip


def _names(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": n, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 64}} for n in names]


def _schema(form: type[BaseModel]) -> dict[str, Any]:
    return form.model_json_schema()


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}
