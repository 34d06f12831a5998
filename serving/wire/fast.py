"""The fast path for frequent requests: a whole request in one read, under a head that its connection sent before.

It gives answers and no refusals. Nothing is counted or recorded on it before the answer is certain; a request that it
cannot answer, for whatever cause, goes the ordinary path as though nothing had been tried, and is refused, recorded and
logged there. So all refusals are made in `serving.http.endpoint`, and this path is short: no task, no parser, no
request
object.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from credit.entry import Entry
from credit.errors import CreditError
from serving.audit.signatures import HEADER, SignatureBatch
from serving.auth.rate_limit import lines_of
from serving.auth.tokens import RequestCredentials
from serving.core.request import ANSWERED, LIVE, RequestContext
from serving.core.service import ScoringService
from serving.endpoints.scores.live import OnFilled, begin_live
from serving.idempotency.idempotency_store import ActiveClaim
from serving.responses.request_schemas import read_score_request
from serving.responses.response_templates import FilledResponse

if TYPE_CHECKING:
    from serving.http.endpoint import ScoringEndpoint

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\n"
_SIGNATURE = HEADER.lower().encode()
Reply = Callable[[bytes | None], object]
Trace = Callable[[str, int, float, Mapping[str, str]], None]  # path, status, seconds, headers of a trace
_NOTHING: Mapping[str, str] = MappingProxyType({})


Begin = Callable[[ScoringService, RequestContext, bytes], Callable[[OnFilled], None]]


def _score(service: ScoringService, call: RequestContext, body: bytes) -> Callable[[OnFilled], None]:
    filled = service.prepare_answer(call, read_score_request(body))
    return lambda then: then(filled)


WAYS: Mapping[str, tuple[str, str, Begin]] = {  # path: scope, verb in the ledger, what begins an answer, or raises
    "/v1/scores": ("score", ANSWERED, _score),
    "/v1/scores/live": ("live", LIVE, begin_live),
}


class FastPath:
    """The fast path of one service."""

    def __init__(self, endpoint: ScoringEndpoint) -> None:
        """Share the endpoint's service, limit and metrics; `trace`, if set, is called for each answer."""
        self.endpoint = endpoint
        self.trace: Trace | None = None
        self._batch: SignatureBatch | None = None

    def take(
        self, credentials: RequestCredentials, body: bytes, reply: Reply, headers: Mapping[str, str] = _NOTHING
    ) -> bool:
        """Whether the request is taken; then `reply` gets the response, or None when it has to go the ordinary path.

        `headers` are those that belong to this request alone: its idempotency key and its trace.
        """
        began, endpoint = time.perf_counter(), self.endpoint
        if not endpoint.has_capacity:
            return False
        service, call = endpoint.service, RequestContext()
        scope, verb, begin = WAYS[credentials.path]
        claim = None
        try:
            bearer = service.authenticate(call, credentials, scope)
            if bearer.networks:  # behind a proxy the client has another address than the connection
                return False
            start = begin(service, call, body)
            if (key := headers.get("idempotency-key")) is not None:
                claim = service.idempotency.begin(
                    f"{call.by.name} {credentials.path}", key.encode("latin-1"), body, call.id
                )
                if claim is None:
                    return False
            service.take_quota(call)
            going = _FastRequest(self, call, verb, credentials.path, began, reply, headers, claim)
            start(going.continue_with)  # which calls no reply in this iteration of the loop
        except (CreditError, ValueError, KeyError, TypeError, OSError, sqlite3.Error):
            if claim is not None:
                claim.leave(nothing_was_done=True)
            return False
        endpoint.under_way += 1
        return True

    def signature_batch(self, hexadecimal: str) -> SignatureBatch:
        """The batch of answers that an answer with this digest is signed with, once all of one write are added."""
        batch = self._batch
        if batch is None or not batch.takes_more:
            batch = self._batch = SignatureBatch(self.endpoint.service.signer)
            asyncio.get_running_loop().call_soon(batch.signature)  # while the disk writes
        batch.add(hexadecimal)
        return batch


class _FastRequest:
    """One request on the fast path: its answer is made, its entry becomes durable, and only then the answer is sent."""

    __slots__ = (
        "_answer",
        "_batch",
        "_began",
        "_call",
        "_claim",
        "_fast",
        "_filled",
        "_headers",
        "_path",
        "_reply",
        "_verb",
    )  # fmt: skip
    _filled: FilledResponse
    _answer: bytes
    _batch: SignatureBatch

    def __init__(
        self, fast: FastPath, call: RequestContext, verb: str, path: str, began: float, reply: Reply,
        headers: Mapping[str, str], claim: ActiveClaim | None,
    ) -> None:  # fmt: skip
        self._fast, self._call, self._verb, self._path, self._began = fast, call, verb, path, began
        self._reply, self._headers, self._claim = reply, headers, claim

    def continue_with(self, filled: FilledResponse | None) -> None:
        """Record the answer; without one, the request goes the ordinary path."""
        call = self._call
        if filled is None:
            self._back()
            return
        self._filled = filled
        details = {**call.details, "status": 200, "digest": filled.digest}
        self._fast.endpoint.service.ledger_writer.put((self._verb, call.id, call.by, details), self)

    def written(self, entry: Entry) -> None:
        """Make the answer while the disk writes: it is sent only when the entry is durable."""
        self._answer, hexadecimal = self._filled.digested(entry=entry.id, seq=entry.seq)
        self._batch = self._fast.signature_batch(hexadecimal)

    def durable(self) -> None:
        """Send the answer."""
        endpoint, answer = self._fast.endpoint, self._answer
        if self._claim is not None:
            try:
                self._claim.end((self._call.id, answer))
            except sqlite3.Error:  # a repetition under the key gets the recorded answer
                self._back()
                return
        endpoint.under_way -= 1
        quota = lines_of(self._call.bucket) if self._call.bucket else b""
        head = b"%b: %b\r\ncontent-length: %d\r\n\r\n" % (_SIGNATURE, self._batch.signature(), len(answer))
        self._reply(b"".join((_HEAD, quota, head, answer)))
        seconds = time.perf_counter() - self._began
        endpoint.metrics.count(self._path, 200, seconds, endpoint.under_way)
        if self._fast.trace is not None:
            self._fast.trace(self._path, 200, seconds, self._headers)

    def failed(self, fault: Exception) -> None:
        """No answer was sent: the ordinary path tries the ledger again, and refuses the request if that fails too."""
        self._back()

    def _back(self) -> None:
        self._fast.endpoint.under_way -= 1
        if self._claim is not None:
            self._claim.leave(nothing_was_done=False)
        self._reply(None)
