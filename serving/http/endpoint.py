"""The endpoint of the products: plain ASGI beside the framework, for the paths that get most requests.

What FastAPI would do for them (routing, middlewares, a request and a response object) costs more than an answer itself.
Every other request goes to the application, which also declares these paths for the OpenAPI document. Both are behind
the same checks of how a request is framed (`serving.http.request_head`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from fastapi import FastAPI

from credit.errors import CreditError, Malformed
from serving import errors
from serving.asgi import Headers, Message, Receive, Send
from serving.audit.signatures import HEADER
from serving.auth.rate_limit import headers_of
from serving.auth.tokens import RequestCredentials
from serving.core.recovery import recover_answer, resume_request
from serving.core.request import RequestContext
from serving.core.service import ScoringService
from serving.data.shortage import is_shortage
from serving.http.body import CLOSE, Disconnected, UnreadBody, has_left, read_body, skip_body, stated_length
from serving.http.forwarded import PRESENTED, PresentedCertificate
from serving.http.products import Product
from serving.http.request_head import RequestHead
from serving.http.request_id import request_id_of, with_request_id
from serving.i18n.languages import ACCEPTED
from serving.idempotency.stored_answer import Receipt, StoredAnswer
from serving.observability import log
from serving.observability.metrics import Metrics
from serving.state.answer_switch import is_open
from serving.store.transaction import StoreUnavailable

_SIGNATURE = HEADER.lower().encode()
_FIXED: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
_NO_CERTIFICATE = PresentedCertificate()
UNDELIVERED = "answer.undelivered"  # the ledger verb: the client had left when its answer was ready
DISCONNECTED = 499  # the status in the metrics, as nginx counts it
Response = tuple[int, Headers, bytes]  # status, headers, body


class ScoringEndpoint:
    """The service as an ASGI application: answers the products itself, and passes everything else to `app`."""

    service: ScoringService  # the lifespan of the application opens it

    def __init__(self, app: FastAPI, products: Mapping[str, Product], most: int) -> None:
        """`products` by path; at most `most` requests are answered at once, and further ones get 503."""
        self.app, self.products, self.metrics = app, products, Metrics()
        self._most, self.under_way = most, 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":  # the lifespan; the server takes no WebSocket
            await self.app(scope, receive, send)
            return
        send = with_request_id(scope, send)
        began, head = time.perf_counter(), RequestHead(scope["headers"])
        product = self.products.get(scope["path"]) if scope["method"] == "POST" else None
        try:
            head.require_framing()
        except CreditError as fault:
            await self._refuse(scope, send, head, fault)
            self.metrics.count("misframed", fault.status, time.perf_counter() - began, self.under_way)
            return
        if (stopped := self.service.switch.fault) is not None and not is_open(scope["path"]):
            await self._refuse(scope, send, head, stopped)
            self.metrics.count("stopped", stopped.status, time.perf_counter() - began, self.under_way)
            return
        if product is None:
            if stated_length(length := head.line(b"content-length")):
                unread = UnreadBody(receive, send, length)
                receive, send = unread.receive, unread.send
            await self.app(scope, receive, send)
            return
        if self.under_way >= self._most:
            self.metrics.shed()
            status, headers, body = _problem(errors.Overloaded(), head)
            await _send(send, (status, [*headers, CLOSE], body))
        else:
            self.under_way += 1
            try:
                status = await self._answer(scope, receive, send, product, head)
            finally:
                self.under_way -= 1
        self.metrics.count(product.path, status, time.perf_counter() - began, self.under_way)

    async def _refuse(self, scope: Message, send: Send, head: RequestHead, fault: CreditError) -> None:
        """Refuse a request before anything of it is read, and close its connection."""
        status, headers, body = await refusal(self.service, RequestContext(request_id_of(scope)), fault, head)
        await _send(send, (status, [*headers, CLOSE], body))

    async def _answer(self, scope: Message, receive: Receive, send: Send, product: Product, head: RequestHead) -> int:
        """Answer one request to a product; gives the status."""
        try:
            response = await answer(self.service, scope, receive, product, head)
        except Disconnected:
            return DISCONNECTED
        await _send(send, response)
        return response[0]


async def answer(
    service: ScoringService, scope: Message, receive: Receive, product: Product, head: RequestHead
) -> Response:
    """The response to one request. A refusal is recorded in the ledger, and so is an unexpected error.

    Raises Disconnected when there is no client to answer: before anything was done, or after an entry that says so.
    """
    call = RequestContext(request_id_of(scope))
    ACCEPTED.set(head.accepted_languages)
    was_read = False
    try:
        await service.admit(call, credentials_of(scope, head), product.scope)
        key = head.one(b"idempotency-key")
        with product.reserve(call):
            body = await read_body(head.one(b"content-length"), receive, product.bounds)
            was_read = True
            answered = await (
                product.handle(service, call, body) if key is None else _answer_once(service, call, product, key, body)
            )
    except Disconnected:
        raise
    except Exception as error:
        fault = fault_of(error, call)
    else:
        if has_left(receive):
            service.ledger_writer.note((UNDELIVERED, call.id, call.by, dict(call.details)))
            raise Disconnected
        if (stopped := service.switch.fault) is not None:  # while this request was answered
            service.ledger_writer.note((UNDELIVERED, call.id, call.by, dict(call.details)))
            return await refusal(service, call, stopped, head)
        signed = call.signed
        signature = signed.batch.signature() if signed and signed.body is answered else service.signer.sign(answered)
        quota = headers_of(call.bucket) if call.bucket else []
        return 200, [*_FIXED, *quota, (_SIGNATURE, signature)], answered
    is_open = was_read or await skip_body(head.line(b"content-length"), receive)
    status, headers, problem = await refusal(service, call, fault, head)
    return status, headers if is_open else [*headers, CLOSE], problem


async def refusal(service: ScoringService, call: RequestContext, fault: CreditError, head: RequestHead) -> Response:
    """The problem document of a refusal, after its entry was recorded or counted."""
    entry_id = await service.record_refusal(call, fault)
    return _problem(fault, head, **({"score_id": entry_id} if entry_id else {}))


def fault_of(error: Exception, call: RequestContext) -> CreditError:
    """The error to refuse a request with: a CreditError unchanged; anything else is logged by its class alone.

    What was raised from a shortage of this machine, such as a full disk under the ledger, is one that will pass.
    """
    if isinstance(error, StoreUnavailable):
        log.event("store.failed", level=log.ERROR, fault=error.why, score_id=call.id)
        return errors.Overloaded()
    if isinstance(error, CreditError):
        return errors.Shortage() if error.status == 500 and is_shortage(error) else error
    log.event("fault", level=log.ERROR, error=type(error).__name__, score_id=call.id)
    if is_shortage(error):
        return errors.Overloaded()
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

    async def act(request_id: str) -> StoredAnswer:
        nonlocal recovered
        if request_id == call.id:
            return _stored(product, call, await product.handle(service, call, body))
        resumed = resume_request(call, request_id)  # a process was killed while it answered this request
        if product.makes:
            return _stored(product, resumed, await product.handle(service, resumed, body))
        existing, is_unused = await recover_answer(service, resumed, body, product.handle)
        if existing is not None:
            recovered = True
            return _stored(product, resumed, existing)
        now = resumed if is_unused else call
        return _stored(product, now, await product.handle(service, now, body))

    scope = f"{call.by.name} {product.path}"
    stored, is_repeated = await store.once(scope, key, body, call.id, act)
    answered = stored.body
    if is_repeated:
        repeated = await repeat(service, call, body, stored)
        if repeated is None:
            await store.forget(scope, key, stored.id)
            return await _answer_once(service, call, product, key, body)
        if stored.receipt is None and repeated[1] != answered:
            await store.amend(scope, key, stored.id, repeated[1])
        answered = repeated[0]
    if is_repeated or recovered:
        details = {**call.details, "status": 200}
        await service.ledger_writer.record(product.repeated, stored.id, by=call.by, details=details)
    return answered


def _stored(product: Product, call: RequestContext, answer: bytes) -> StoredAnswer:
    """What is stored of an answer: its receipt where it can be made again, else its bytes."""
    receipt = (call.receipt or Receipt.of(answer)) if product.remade else None
    return StoredAnswer(call.id, answer, receipt)


def credentials_of(scope: Message, head: RequestHead) -> RequestCredentials:
    """The credentials of a request, and the parts of it that a proof must fit. Raises Malformed."""
    peer = scope["client"][0] if scope.get("client") else ""
    presented: PresentedCertificate = scope.get(PRESENTED, _NO_CERTIFICATE)
    return RequestCredentials(
        scope["method"], scope["path"], head.text(b"authorization"), head.text(b"dpop"), peer, *presented,
    )  # fmt: skip


def _problem(error: CreditError, head: RequestHead, **more: str) -> Response:
    response = errors.respond(error, head.accepted_languages, **more)
    headers = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
    return error.status, headers, bytes(response.body)


async def _send(send: Send, response: Response) -> None:
    status, headers, body = response
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
