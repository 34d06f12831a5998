"""The fast way for what is asked all day: a whole request in one read, under a head that its connection sent before.

It only ever says yes. Nothing is counted or recorded on it before the answer is certain; a call that it cannot answer,
whatever the cause, goes the ordinary way as if nothing had been tried, and is refused, recorded and logged there. So
every refusal has one home, `serving.http.endpoint`, and what is left here is short: no task, no parser, no request
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
    """The fast way into one service."""

    def __init__(self, endpoint: ScoringEndpoint) -> None:
        """It shares the door's desk, its bound on calls under way, and its figures; `tell` hears of each answer."""
        self.endpoint = endpoint
        self.trace: Trace | None = None
        self._together: SignatureBatch | None = None

    def take(self, asking: RequestCredentials, body: bytes, reply: Reply, told: Mapping[str, str] = _NOTHING) -> bool:
        """Whether the call is on its way; then `reply` gets the response, or None: it has to go the ordinary way.

        `told` are the headers that tell of this call alone: its idempotency key, its trace.
        """
        began, endpoint = time.perf_counter(), self.endpoint
        if not endpoint.has_capacity:
            return False
        service, call = endpoint.service, RequestContext()
        scope, verb, begin = WAYS[asking.path]
        doing = None
        try:
            bearer = service.authenticate(call, asking, scope)
            if bearer.networks:  # behind a proxy the peer is another than the connection's
                return False
            go = begin(service, call, body)
            if (key := told.get("idempotency-key")) is not None:
                doing = service.idempotency.begin(f"{call.by.name} {asking.path}", key.encode("latin-1"), body, call.id)
                if doing is None:
                    return False
            service.take_quota(call)
            going = _Going(self, call, verb, asking.path, began, reply, told, doing)
            go(going.go_on)  # which tells nobody in this turn
        except (CreditError, ValueError, KeyError, TypeError, OSError, sqlite3.Error):
            if doing is not None:
                doing.leave(nothing_was_done=True)
            return False
        endpoint.under_way += 1
        return True

    def together(self, hexadecimal: str) -> SignatureBatch:
        """The answers that an answer of this digest leaves with; signed once all of one write have joined."""
        held = self._together
        if held is None or not held.takes_more:
            held = self._together = SignatureBatch(self.endpoint.service.signer)
            asyncio.get_running_loop().call_soon(held.signature)  # while the disk is at work
        held.add(hexadecimal)
        return held


class _Going:
    """One call on its way: its answer made, its entry written and durable, and only then the answer sent."""

    __slots__ = ("_began", "_call", "_doing", "_fast", "_filled", "_path", "_reply", "_said", "_together", "_told",
                 "_verb")  # fmt: skip
    _filled: FilledResponse
    _said: bytes
    _together: SignatureBatch

    def __init__(
        self, fast: FastPath, call: RequestContext, verb: str, path: str, began: float, reply: Reply,
        told: Mapping[str, str], doing: ActiveClaim | None,
    ) -> None:  # fmt: skip
        self._fast, self._call, self._verb, self._path, self._began = fast, call, verb, path, began
        self._reply, self._told, self._doing = reply, told, doing

    def go_on(self, filled: FilledResponse | None) -> None:
        """Have the answer recorded; without one, the call goes the ordinary way."""
        call = self._call
        if filled is None:
            self._back()
            return
        self._filled = filled
        details = {**call.details, "status": 200, "digest": filled.digest}
        self._fast.endpoint.service.ledger_writer.put((self._verb, call.id, call.by, details), self)

    def written(self, entry: Entry) -> None:
        """Make the answer while the disk is at work: it leaves only when the entry is durable."""
        self._said, hexadecimal = self._filled.digested(entry=entry.id, seq=entry.seq)
        self._together = self._fast.together(hexadecimal)

    def durable(self) -> None:
        """Let it go."""
        endpoint, said = self._fast.endpoint, self._said
        if self._doing is not None:
            try:
                self._doing.end((self._call.id, said))
            except sqlite3.Error:  # whoever asks under the key gets what is in the ledger
                self._back()
                return
        endpoint.under_way -= 1
        left = lines_of(self._call.bucket) if self._call.bucket else b""
        head = b"%b: %b\r\ncontent-length: %d\r\n\r\n" % (_SIGNATURE, self._together.signature(), len(said))
        self._reply(b"".join((_HEAD, left, head, said)))
        seconds = time.perf_counter() - self._began
        endpoint.metrics.count(self._path, 200, seconds, endpoint.under_way)
        if self._fast.trace is not None:
            self._fast.trace(self._path, 200, seconds, self._told)

    def failed(self, fault: Exception) -> None:
        """Nothing was answered: the ordinary way tries the ledger again, and says what is wrong when it still is."""
        self._back()

    def _back(self) -> None:
        self._fast.endpoint.under_way -= 1
        if self._doing is not None:
            self._doing.leave(nothing_was_done=False)
        self._reply(None)
