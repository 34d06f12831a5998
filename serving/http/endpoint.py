"""The endpoint of the products: plain ASGI in front of the framework, for the paths that get most requests.

What FastAPI would do for them (routing, middlewares, a request and a response object) costs more than an answer itself.
Every other request goes to the application, which also declares these paths for the OpenAPI document.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from fastapi import FastAPI

from credit.errors import CreditError, Malformed
from credit.messages import Text
from serving import errors
from serving.asgi import EXCHANGE, Headers, Message, Receive, Send
from serving.audit.signatures import HEADER
from serving.auth.rate_limit import headers_of
from serving.auth.tokens import RequestCredentials
from serving.core.recovery import recover_answer, resume_request
from serving.core.request import RequestContext
from serving.core.service import ScoringService
from serving.http.products import DEFAULT_LIMITS, BodyLimits, Product
from serving.i18n.languages import ACCEPTED
from serving.observability import log
from serving.observability.metrics import Metrics

_SIGNATURE = HEADER.lower().encode()
_FIXED: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
Response = tuple[int, Headers, bytes]  # status, headers, body


class ScoringEndpoint:
    """The service as an ASGI application: answers the products itself, and passes everything else to `app`."""

    service: ScoringService  # the lifespan of the application opens it

    def __init__(self, app: FastAPI, products: Mapping[str, Product], most: int) -> None:
        """`products` by path; at most `most` requests are answered at once, and further ones get 503."""
        self.app, self.products, self.metrics = app, products, Metrics()
        self._most, self.under_way = most, 0

    @property
    def has_capacity(self) -> bool:
        """Whether another request may begin."""
        return self.under_way < self._most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or pass the connection on."""
        product = self.products.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if product is None:
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        if not self.has_capacity:
            self.metrics.shed()
            status, headers, body = _problem(errors.Overloaded())
        else:
            self.under_way += 1
            try:
                status, headers, body = await answer(self.service, scope, receive, product)
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


async def answer(service: ScoringService, scope: Message, receive: Receive, product: Product) -> Response:
    """The response to one request. A refusal is recorded in the ledger, and so is an unexpected error."""
    call, headers = RequestContext(), dict(scope["headers"])
    accepted = headers.get(b"accept-language", b"").decode("latin-1")
    ACCEPTED.set(accepted)
    try:
        if len(headers) != len(scope["headers"]):
            require_once(scope["headers"])
        service.admit(call, credentials_of(scope, headers), product.scope)
        exchange = scope.get("extensions", {}).get(EXCHANGE)
        body = exchange.body() if exchange is not None else None
        if body is None or len(body) > product.bounds.most:
            body = await read_body(headers.get(b"content-length", b""), receive, product.bounds)
        key = headers.get(b"idempotency-key")
        answered = await (
            product.handle(service, call, body) if key is None else _answer_once(service, call, product, key, body)
        )
        quota = headers_of(call.bucket) if call.bucket else []
        return 200, [*_FIXED, *quota, (_SIGNATURE, service.signer.sign(answered))], answered
    except Exception as error:
        fault = fault_of(error, call)
    entry_id = await service.record_refusal(call, fault)
    return _problem(fault, accepted, **({"score_id": entry_id} if entry_id else {}))


def fault_of(error: Exception, call: RequestContext) -> CreditError:
    """The error to refuse a request with: a CreditError unchanged; anything else is logged by its class alone."""
    if isinstance(error, CreditError):
        return error
    log.event("fault", level=log.ERROR, error=type(error).__name__, score_id=call.id)
    return CreditError("endpoint.service-failed")


async def _answer_once(
    service: ScoringService, call: RequestContext, product: Product, key: bytes, body: bytes
) -> bytes:
    """The same answer for the same idempotency key; each repetition is checked again and recorded in the ledger.

    An answer that rests on data which must no longer be used is deleted, and the request is answered as a new one.
    """
    repeat = product.again
    if repeat is None:
        raise Malformed("endpoint.takes-no-idempotency-key")

    recovered, store = False, service.lasting_idempotency if product.lasts else service.idempotency

    async def act(request_id: str) -> tuple[str, bytes]:
        nonlocal recovered
        if request_id == call.id:
            return request_id, await product.handle(service, call, body)
        resumed = resume_request(call, request_id)  # a process was killed while it answered this request
        if product.makes:
            return request_id, await product.handle(service, resumed, body)
        existing, is_unused = await recover_answer(service, resumed, body, product.handle)
        if existing is not None:
            recovered = True
            return request_id, existing
        now = resumed if is_unused else call
        return now.id, await product.handle(service, now, body)

    scope = f"{call.by.name} {product.path}"
    first_id, answered, is_repeated = await store.once(scope, key, body, call.id, act)
    if is_repeated:
        repeated = await repeat(service, call, body, first_id, answered)
        if repeated is None:
            store.forget(scope, key, first_id)
            return await _answer_once(service, call, product, key, body)
        if repeated[1] != answered:
            store.amend(scope, key, first_id, repeated[1])
        answered = repeated[0]
    if is_repeated or recovered:
        details = {**call.details, "status": 200}
        await service.ledger_writer.record(product.repeated, first_id, by=call.by, details=details)
    return answered


def credentials_of(scope: Message, headers: dict[bytes, bytes] | None = None) -> RequestCredentials:
    """The credentials of a request, and the parts of it that a proof must fit."""
    values = headers or dict(scope["headers"])
    texts = (values.get(name, b"").decode("latin-1") for name in (b"host", b"authorization", b"dpop"))
    host, authorization, proof = texts
    peer = scope["client"][0] if scope.get("client") else ""
    return RequestCredentials(scope["method"], host, scope["path"], authorization, proof, peer)


def require_once(headers: Headers) -> None:
    """Raise Malformed when a header with credentials or a key stands twice: a proxy may have read the other one."""
    names = [name for name, _ in headers]
    for name in (b"authorization", b"dpop", b"idempotency-key"):
        if names.count(name) > 1:
            raise Malformed("endpoint.header-stands-twice", why=Text.verbatim(name.decode()))


def _problem(error: CreditError, accepted: str = "", **more: str) -> Response:
    response = errors.respond(error, accepted, **more)
    headers = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
    return error.status, headers, bytes(response.body)


async def read_body(length: bytes, receive: Receive, bounds: BodyLimits = DEFAULT_LIMITS) -> bytes:
    """The whole body; `length` is the Content-Length header.

    Raises TooLarge as soon as the body is known to be over its limit, and TooSlow when it does not arrive in time.
    """
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
