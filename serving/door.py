"""The door for scores: plain ASGI in front of the framework, for the one route that is asked all day.

What FastAPI would do for it (routing, middlewares, a request and a response object) costs more than the answer itself.
Everything else goes on to the application behind, which also declares this route for the OpenAPI document.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import FastAPI

from credit.errors import CreditError
from serving import log, problems
from serving.calls import Call, Desk
from serving.signatures import HEADER

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
PATH = "/v1/scores"
_SIGNATURE = HEADER.lower().encode()
_FIXED: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class Door:
    """The service as an ASGI application: scores here, all else by `app`."""

    def __init__(self, app: FastAPI) -> None:
        """`app.state.desk` is there once the application's lifespan has begun."""
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one connection's request."""
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            status, headers, body = await answer(self.app.state.desk, scope["headers"], receive)
            headers.append((b"content-length", b"%d" % len(body)))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        else:
            await self.app(scope, receive, send)


async def answer(desk: Desk, headers: Headers, receive: Receive) -> tuple[int, Headers, bytes]:
    """Status, headers and body for one call for a score; a refusal is in the ledger, a fault of ours is one too."""
    call, began = Call(), time.perf_counter()
    told = dict(headers)
    try:
        desk.admit(call, told.get(b"authorization", b"").decode("latin-1"))
        body = await desk.answer(call, await read_body(told.get(b"content-length", b""), receive))
        return 200, [*_FIXED, (_SIGNATURE, desk.signer.sign(body))], body
    except CreditError as error:
        return await refuse(desk, call, error, began)
    except Exception as fault:
        log.event("fault", level=log.ERROR, error=type(fault).__name__, score_id=call.id)
        why = "a fault of its own"
        return await refuse(desk, call, CreditError("The service failed", why=why, remedy="Tell the platform"), began)


async def refuse(desk: Desk, call: Call, error: CreditError, began: float) -> tuple[int, Headers, bytes]:
    """The problem document for `error`, once the refusal is in the ledger; answers need no line in the log."""
    await desk.refuse(call, error)
    took = round((time.perf_counter() - began) * 1000, 3)
    log.event("refused", score_id=call.id, status=error.status, bank=call.because.get("bank"), milliseconds=took)
    response = problems.respond(error, score_id=call.id)
    kept = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
    return error.status, kept, bytes(response.body)


async def read_body(length: bytes, receive: Receive, limit: int = problems.LARGEST_BODY) -> bytes:
    """The whole body. Raises TooLarge as soon as it is known to be over `limit` bytes, before reading the rest."""
    if length.isdigit() and int(length) > limit:
        raise problems.too_large(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        if len(body) > limit:
            raise problems.too_large(limit)
        message = await receive()
        body += message.get("body", b"")
    if len(body) > limit:
        raise problems.too_large(limit)
    return body
