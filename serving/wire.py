"""HTTP on the wire, with the bounds that uvicorn's parser has not: how long a head may be, and how long it may take.

Without them one connection could send headers for ever (a flood), and a thousand could send one byte a minute (slow
loris). A body has its own bounds in `serving.door`.

And a short way for answers that are whole: ASGI sends a head and a body, which are two writes to the socket, and hands
a body over in parts that are waited for; `Exchange` takes what is there, and sends both at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from serving.door import EXCHANGE

LONGEST_HEAD, HEAD_SECONDS = 64 * 1024, 10.0
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Wire(HttpToolsProtocol):
    """uvicorn's protocol, watching each head until it is whole."""

    _in_head, _read = True, 0
    _late: asyncio.TimerHandle | None = None

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
        self._read += len(data)
        super().data_received(data)
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
        self.scope["extensions"] = {EXCHANGE: Exchange(self.cycle)}  # type: ignore[dict-item]

    def on_message_complete(self) -> None:
        """The next head begins."""
        self._in_head, self._read = True, 0
        super().on_message_complete()

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


class Exchange:
    """One request and its response, as an ASGI extension of ours: the whole body at once, in and out."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        """uvicorn's own state of them, which this leaves as uvicorn would."""
        self._cycle = cycle

    def body(self) -> bytes | None:
        """The request's body when all of it has arrived, as nearly always; None when it has to be waited for."""
        return None if self._cycle.more_body else bytes(self._cycle.body)

    async def send(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Send a response whose headers are all ours (no line breaks in them) in one write, content-length added."""
        cycle = self._cycle
        if cycle.flow.write_paused and not cycle.disconnected:
            await cycle.flow.drain()
        if cycle.disconnected:
            return
        parts = [STATUS_LINE[status]]
        for name, value in headers:
            parts += (name, b": ", value, b"\r\n")
        parts.append(b"content-length: %d\r\n" % len(body))
        parts.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        parts.append(body)
        cycle.response_started = cycle.response_complete = True
        cycle.transport.write(b"".join(parts))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
