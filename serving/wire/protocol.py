"""HTTP on the wire, with the bounds that uvicorn's parser has not: how long a head may be, and how long it may take.

Without them one connection could send headers for ever (a flood), and a thousand could send one byte a minute (slow
loris). A body has its own bounds in `serving.http.endpoint`.

What is asked all day goes the fast way (`serving.wire.fast`) when its head is one that this connection sent before
(`serving.wire.heads`): then the parser has read it, and need not again. Its body may come in a write of its own, as
many clients send it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.asgi import EXCHANGE
from serving.wire.exchange import Exchange
from serving.wire.fast import WAYS, FastPath
from serving.wire.heads import KnownHead, varying_headers

LONGEST_HEAD, HEAD_SECONDS = 64 * 1024, 10.0
HEADS = 8  # kept of a connection: behind a proxy it is several banks'
NEW_SECONDS = 0.5  # for a first request after the service was told to stop
BODY_SECONDS, LONGEST_BODY = 1.0, 64 * 1024  # what is waited for on the fast way; it has longer on the ordinary one
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class WireProtocol(HttpToolsProtocol):
    """uvicorn's protocol, watching each head until it is whole."""

    _in_head, _read = True, 0
    _late: asyncio.TimerHandle | None = None
    _begun = b""  # a head that is known, and of its body what has come
    _going: bytes | None = None  # the request whose answer is on the fast way
    _after = b""  # what came behind it
    _last = False  # the connection is closed when it is answered
    _ends = False  # the service stops, and this connection has not asked anything yet

    def __init__(self, *args: Any, fast: FastPath, **more: Any) -> None:
        """As uvicorn makes it."""
        super().__init__(*args, **more)
        self._fast, self._heads = fast, list[KnownHead]()  # the last one that came first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection that says nothing is closed in time, too."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that is still not whole is bounded in bytes and in time."""
        if self._going is not None:
            self._after += data
            self.flow.pause_reading()
            return
        if self._begun:
            data, self._begun = self._begun + data, b""
            self._unwatch()
        if self._heads and self._is_idle and self._takes(data):
            return
        self._read_on(data)

    def _read_on(self, data: bytes) -> None:
        """The ordinary way."""
        begins = self._is_idle
        self._read += len(data)
        super().data_received(data)
        if begins and self.cycle is not None and self._found(data) is None:
            head = KnownHead.of(data, self.scope, self.cycle.keep_alive, WAYS)
            self._heads = [head, *self._heads[: HEADS - 1]] if head is not None else self._heads
        if self._in_head and self._read and not self.transport.is_closing():
            if self._read > LONGEST_HEAD:
                self.transport.write(_TOO_LONG)
                self.transport.close()
            elif self._late is None:
                self._watch()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._unwatch()
        super().on_headers_complete()
        if self._ends:
            self.cycle.keep_alive = False
        self.scope["extensions"] = {EXCHANGE: Exchange(self.cycle)}  # type: ignore[dict-item]

    def on_message_complete(self) -> None:
        """The next head begins."""
        self._in_head, self._read = True, 0
        super().on_message_complete()

    @property
    def _is_idle(self) -> bool:
        """Whether the next byte begins a request, and none is being answered."""
        return self._in_head and not self._read and (self.cycle is None or self.cycle.response_complete)

    def _found(self, data: bytes) -> tuple[KnownHead, int, int] | None:
        """The head that `data` begins with, and where the body begins and ends."""
        for at, head in enumerate(self._heads):
            if (place := head.body(data)) is not None:
                if at:
                    self._heads.insert(0, self._heads.pop(at))
                return head, *place
        return None

    def _takes(self, data: bytes) -> bool:
        """Whether the request is on the fast way, or may be when the rest of it is there."""
        found = self._found(data)
        if found is None or self.flow.write_paused:
            return False
        head, begin, end = found
        if len(data) > end or end - begin > LONGEST_BODY:
            return False
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            return False
        if len(data) < end:
            self._begun = data
            self._late = self.loop.call_later(BODY_SECONDS, self._no_longer)
        else:
            told = varying_headers(data[:begin]) if head.keyed or self._fast.trace else {}
            if not self._fast.take(head.credentials, data[begin:], self._answered, told):
                return False
            self._going = data
        self._unset_keepalive_if_required()
        return True

    def _no_longer(self) -> None:
        """The ordinary way waits on for the rest."""
        self._late = None
        data, self._begun = self._begun, b""
        self._read_on(data)

    def _answered(self, response: bytes | None) -> None:
        """Send the response; without one the request goes the ordinary way."""
        request, self._going = self._going, None
        if self.transport.is_closing():
            return
        if response is None:
            self._read_on(request or b"")
            self.cycle.keep_alive = self.cycle.keep_alive and not self._last
        else:
            self.transport.write(response)
            if self._last:
                self.transport.close()
                return
            self.on_response_complete()
        if self._after:
            self._after, after = b"", self._after
            self.flow.resume_reading()
            self.data_received(after)

    def shutdown(self) -> None:
        """Close, after the answer that is on its way; what was connected just now gets to ask once, if it is quick."""
        if self._begun:
            self._unwatch()
            self._no_longer()
        if self._going is not None:
            self._last = True
        elif self.cycle is None and not self._ends:
            self._ends = True
            self.loop.call_later(NEW_SECONDS, self.shutdown)
        else:
            super().shutdown()

    def _watch(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._too_late)

    def _unwatch(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._late = None
        if not self.transport.is_closing():
            self.transport.close()
