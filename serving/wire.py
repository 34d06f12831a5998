"""HTTP on the wire, with the bounds that uvicorn's parser has not: how long a head may be, and how long it may take.

Without them one connection could send headers for ever (a flood), and a thousand could send one byte a minute (slow
loris). A body has its own bounds in `serving.door`.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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
