"""The fast way for what is asked all day: a whole request in one read, under a head that its connection sent before.

It only ever says yes. Nothing is counted or recorded on it before the answer is certain; a call that it cannot answer,
whatever the cause, goes the ordinary way as if nothing had been tried, and is refused, recorded and logged there. So
every refusal has one home, `serving.door`, and what is left here is short: no task, no parser, no request object.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from credit.entry import Entry
from credit.errors import CreditError
from serving.calls import ANSWERED, Call, Desk
from serving.forms import read_ask
from serving.quotas import lines_of
from serving.signatures import HEADER, Signer
from serving.tokens import Asking

if TYPE_CHECKING:
    from serving.door import Door

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\n"
_SIGNATURE = HEADER.lower().encode()
Reply = Callable[[bytes | None], object]


class Prepared(Protocol):
    """An answer that lacks nothing but its receipt."""

    @property
    def digest(self) -> str:
        """What the ledger holds of it."""

    def signed_by(self, signer: Signer, *, entry: str, seq: int) -> tuple[bytes, bytes]:
        """The body with the receipt, and its signature."""


def _score(desk: Desk, call: Call, body: bytes) -> Prepared:
    return desk.find(call, read_ask(body))


PREPARED: Mapping[str, tuple[str, str, Callable[[Desk, Call, bytes], Prepared]]] = {
    "/v1/scores": ("score", ANSWERED, _score),  # path: scope, verb in the ledger, what prepares the answer
}


class Fast:
    """The fast way into one service."""

    def __init__(self, door: Door) -> None:
        """It shares the door's desk, its bound on calls under way, and its figures."""
        self._door = door

    def take(self, asking: Asking, body: bytes, reply: Reply) -> bool:
        """Whether the call is on its way; then `reply` gets the response, or None: it has to go the ordinary way."""
        began, door = time.perf_counter(), self._door
        if not door.has_room:
            return False
        desk, call = door.desk, Call()
        scope, verb, prepare = PREPARED[asking.path]
        try:
            bearer = desk.know(call, asking, scope)
            if bearer.networks:  # behind a proxy the peer is another than the connection's
                return False
            prepared = prepare(desk, call, body)
            desk.count(call)
            because = {**call.because, "status": 200, "digest": prepared.digest}
            desk.recorder.put(
                (verb, call.id, call.by, because), _Going(door, call, prepared, asking.path, began, reply)
            )
        except (CreditError, ValueError, KeyError, TypeError, OSError):
            return False
        door.under_way += 1
        return True


class _Going:
    """One call between its entry's writing and its answer's leaving."""

    __slots__ = ("_began", "_call", "_door", "_path", "_prepared", "_reply", "_response")

    def __init__(self, door: Door, call: Call, prepared: Prepared, path: str, began: float, reply: Reply) -> None:
        self._door, self._call, self._prepared, self._path, self._began = door, call, prepared, path, began
        self._reply, self._response = reply, b""

    def written(self, entry: Entry) -> None:
        """Make the response while the disk is at work: it leaves only when the entry is durable."""
        said, signature = self._prepared.signed_by(self._door.desk.signer, entry=entry.id, seq=entry.seq)
        left = lines_of(self._call.bucket) if self._call.bucket else b""
        length = b"%b: %b\r\ncontent-length: %d\r\n\r\n" % (_SIGNATURE, signature, len(said))
        self._response = b"".join((_HEAD, left, length, said))

    def durable(self) -> None:
        """Let it go."""
        door = self._door
        door.under_way -= 1
        self._reply(self._response)
        door.metrics.count(self._path, 200, time.perf_counter() - self._began, door.under_way)

    def failed(self, fault: Exception) -> None:
        """Nothing was answered: the ordinary way tries the ledger again, and says what is wrong when it still is."""
        self._door.under_way -= 1
        self._reply(None)
