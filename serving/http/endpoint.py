"""The door for what banks ask: plain ASGI in front of the framework, for the routes that are asked all day.

What FastAPI would do for them (routing, middlewares, a request and a response object) costs more than an answer itself.
Everything else goes on to the application behind, which also declares these routes for the OpenAPI document.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import FastAPI

from credit.errors import CreditError, Malformed
from credit.messages import Text
from serving import errors
from serving.audit.signatures import HEADER
from serving.auth.rate_limit import headers_of
from serving.auth.tokens import Asking
from serving.core.service import Call, Desk
from serving.http.products import BODY, PRODUCTS, Bounds, Product
from serving.i18n.languages import ACCEPTED
from serving.idempotency.recovery import resume, under
from serving.observability import log
from serving.observability.metrics import Metrics

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
_SIGNATURE = HEADER.lower().encode()
_FIXED: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
EXCHANGE = "haihe.exchange"  # `serving.wire.protocol` offers it; a server that does not is served all the same


class Door:
    """The service as an ASGI application: products here, all else by `app`."""

    desk: Desk  # what answers; the lifespan opens it

    def __init__(self, app: FastAPI, most: int) -> None:
        """`most` calls at once are answered."""
        self.app, self.metrics = app, Metrics()
        self._most, self.under_way = most, 0

    @property
    def has_room(self) -> bool:
        """Whether another call may be under way."""
        return self.under_way < self._most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one connection's request."""
        product = PRODUCTS.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if product is None:
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        if not self.has_room:
            self.metrics.shed()
            status, headers, body = _as_reply(errors.Overloaded())
        else:
            self.under_way += 1
            try:
                status, headers, body = await answer(self.desk, scope, receive, product)
            finally:
                self.under_way -= 1
        exchange = scope.get("extensions", {}).get(EXCHANGE)
        if exchange is not None:
            await exchange.send(status, headers, body)
        else:
            headers.append((b"content-length", b"%d" % len(body)))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        self.metrics.count(product.path, status, time.perf_counter() - began, self.under_way)


async def answer(desk: Desk, scope: Message, receive: Receive, product: Product) -> tuple[int, Headers, bytes]:
    """Status, headers and body for one call; a refusal is in the ledger, and a fault of ours is a refusal too."""
    call, told = Call(), dict(scope["headers"])
    accepted = told.get(b"accept-language", b"").decode("latin-1")
    ACCEPTED.set(accepted)
    try:
        if len(told) != len(scope["headers"]):
            require_once(scope["headers"])
        desk.admit(call, asking(scope, told), product.scope)
        exchange = scope.get("extensions", {}).get(EXCHANGE)
        body = exchange.body() if exchange is not None else None
        if body is None or len(body) > product.bounds.most:
            body = await read_body(told.get(b"content-length", b""), receive, product.bounds)
        key = told.get(b"idempotency-key")
        said = await (product.handle(desk, call, body) if key is None else _once(desk, call, product, key, body))
        left = headers_of(call.bucket) if call.bucket else []
        return 200, [*_FIXED, *left, (_SIGNATURE, desk.signer.sign(said))], said
    except Exception as error:
        fault = fault_of(error, call)
    name = await desk.refuse(call, fault)
    return _as_reply(fault, accepted, **({"score_id": name} if name else {}))


def fault_of(error: Exception, call: Call) -> CreditError:
    """What a call is refused with: an error of ours as it is; anything else is logged by its class and told as ours."""
    if isinstance(error, CreditError):
        return error
    log.event("fault", level=log.ERROR, error=type(error).__name__, score_id=call.id)
    return CreditError("endpoint.service-failed")


async def _once(desk: Desk, call: Call, product: Product, key: bytes, body: bytes) -> bytes:
    """The same answer for the same key; whoever asks again is looked at again, and that is in the ledger.

    Unless it rests on what is not to be used any more: that one is forgotten, and the call is answered as a new one.
    """
    look = product.again
    if look is None:
        raise Malformed("endpoint.takes-no-idempotency-key")

    told_to_nobody, repeats = False, desk.made if product.lasts else desk.repeats

    async def act(name: str) -> tuple[str, bytes]:
        nonlocal told_to_nobody
        if name == call.id:
            return name, await product.handle(desk, call, body)
        resumed = under(call, name)  # a process was killed while it answered this
        if product.makes:
            return name, await product.handle(desk, resumed, body)
        said, is_free = await resume(desk, resumed, body, product.handle)
        if said is not None:
            told_to_nobody = True
            return name, said
        now = resumed if is_free else call
        return now.id, await product.handle(desk, now, body)

    scope = f"{call.by.name} {product.path}"
    first, said, again = await repeats.once(scope, key, body, call.id, act)
    if again:
        told = await look(desk, call, body, first, said)
        if told is None:
            repeats.forget(scope, key, first)
            return await _once(desk, call, product, key, body)
        if told[1] != said:
            repeats.amend(scope, key, first, told[1])
        said = told[0]
    if again or told_to_nobody:
        await desk.recorder.record(product.repeated, first, by=call.by, details={**call.details, "status": 200})
    return said


def asking(scope: Message, headers: dict[bytes, bytes] | None = None) -> Asking:
    """What a request says of itself, as proofs must fit it."""
    told = headers or dict(scope["headers"])
    words = (told.get(name, b"").decode("latin-1") for name in (b"host", b"authorization", b"dpop"))
    host, authorization, proof = words
    peer = scope["client"][0] if scope.get("client") else ""
    return Asking(scope["method"], host, scope["path"], authorization, proof, peer)


def require_once(headers: Headers) -> None:
    """Raises Malformed when who asks, or under which key, is said twice: a proxy may have read the other."""
    names = [name for name, _ in headers]
    for name in (b"authorization", b"dpop", b"idempotency-key"):
        if names.count(name) > 1:
            raise Malformed("endpoint.header-stands-twice", why=Text.verbatim(name.decode()))


def _as_reply(error: CreditError, accepted: str = "", **more: str) -> tuple[int, Headers, bytes]:
    response = errors.respond(error, accepted, **more)
    kept = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
    return error.status, kept, bytes(response.body)


async def read_body(length: bytes, receive: Receive, bounds: Bounds = BODY) -> bytes:
    """The whole body. Raises TooLarge as soon as it is known to be over its limit, TooSlow when it dawdles."""
    limit, seconds, late = bounds
    if length.isdigit() and (len(length) > 18 or int(length) > limit):
        raise errors.too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            message = await receive()
            parts, size = [message.get("body", b"")], len(message.get("body", b""))
            while message.get("more_body") and size <= limit:
                message = await receive()
                parts.append(message.get("body", b""))
                size += len(parts[-1])
    except TimeoutError as slow:
        raise errors.TooSlow(late, seconds=seconds) from slow
    if size > limit:
        raise errors.too_large(limit)
    return b"".join(parts)
