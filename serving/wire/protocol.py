"""uvicorn's HTTP protocol with two further limits: the length of a head, and the time until it is complete.

Without them one connection could send headers for ever (a flood), and a thousand could send one byte per minute (slow
loris). The limits of a body are in `serving.http.endpoint`.

Frequent requests go the fast path (`serving.wire.fast`) when their head is one that this connection sent before
(`serving.wire.heads`), so that it need not be parsed again. The body may arrive in a packet of its own, as many clients
send it.
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
HEADS = 8  # kept per connection: behind a proxy one connection serves several banks
NEW_SECONDS = 0.5  # for a first request after the service has begun to stop
BODY_SECONDS, LONGEST_BODY = 1.0, 64 * 1024  # limits of a body on the fast path; the ordinary path waits longer
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class WireProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which watches each head until it is complete."""

    _in_head, _read = True, 0
    _late: asyncio.TimerHandle | None = None
    _begun = b""  # a known head, and the part of its body that has arrived
    _going: bytes | None = None  # the request that the fast path is answering
    _after = b""  # bytes that arrived after it
    _last = False  # whether the connection is closed after the answer
    _ends = False  # whether the service stops before the first request of this connection

    def __init__(self, *args: Any, fast: FastPath, **more: Any) -> None:
        """Create the protocol as uvicorn does."""
        super().__init__(*args, **more)
        self._fast, self._heads = fast, list[KnownHead]()  # the most recent first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time limit, which also closes a silent connection."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time limit."""
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Process what has arrived; an incomplete head is limited in bytes and in time."""
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
        """Pass the data to the parser: the ordinary path."""
        begins = self._is_idle
        self._read += len(data)
        super().data_received(data)
        if begins and self.cycle is not None and self._known_head(data) is None:
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
        """Expect the next head."""
        self._in_head, self._read = True, 0
        super().on_message_complete()

    @property
    def _is_idle(self) -> bool:
        """Whether the next byte begins a request, and no request is being answered."""
        return self._in_head and not self._read and (self.cycle is None or self.cycle.response_complete)

    def _known_head(self, data: bytes) -> tuple[KnownHead, int, int] | None:
        """The known head that `data` begins with, and the begin and end of the body."""
        for at, head in enumerate(self._heads):
            if (place := head.body(data)) is not None:
                if at:
                    self._heads.insert(0, self._heads.pop(at))
                return head, *place
        return None

    def _takes(self, data: bytes) -> bool:
        """Whether the fast path takes the request, or may take it when the rest of it has arrived."""
        match = self._known_head(data)
        if match is None or self.flow.write_paused:
            return False
        head, begin, end = match
        if len(data) > end or end - begin > LONGEST_BODY:
            return False
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            return False
        if len(data) < end:
            self._begun = data
            self._late = self.loop.call_later(BODY_SECONDS, self._no_longer)
        else:
            headers = varying_headers(data[:begin]) if head.keyed or self._fast.trace else {}
            if not self._fast.take(head.credentials, data[begin:], self._answered, headers):
                return False
            self._going = data
        self._unset_keepalive_if_required()
        return True

    def _no_longer(self) -> None:
        """Let the ordinary path wait for the rest."""
        self._late = None
        data, self._begun = self._begun, b""
        self._read_on(data)

    def _answered(self, response: bytes | None) -> None:
        """Send the response; without one the request goes the ordinary path."""
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
        """Close after the answer under way; a new connection may still send one request, within NEW_SECONDS."""
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
