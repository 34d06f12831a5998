"""Connections at a workspace's socket: only from the announced user, limited in number, header size and idle time.

uvicorn's own connection waits for a request without a limit and accepts headers of any size.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lab.gateway.error_responses import LOG
from lab.gateway.identity import ABORT

CONNECTIONS = 48  # maximum at one socket
HEADER_BYTES = 32 << 10
HEADER_SECONDS = 3.0


class Connection(HttpToolsProtocol):
    """An HTTP connection with these limits; :func:`connection_class` makes the class of one socket."""

    uid: ClassVar[int | None] = None
    name: ClassVar[str] = ""
    _deadline: asyncio.TimerHandle | None = None
    _header_bytes = 0
    _dropped = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Drop a connection of another user, and one above the limit."""
        super().connection_made(transport)
        if self.uid is not None and (peer := peer_uid(transport)) != self.uid:
            LOG.event("wrong user", socket=self.name, uid=peer)
            self._drop()
        elif len(self.connections) > CONNECTIONS:
            self._drop()
        else:
            self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline of the headers."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Ignore the data of a dropped connection."""
        if not self._dropped:
            super().data_received(data)

    def on_message_begin(self) -> None:
        """Start the deadline for the headers of a request."""
        super().on_message_begin()
        self.scope["state"][ABORT] = self.transport.abort
        self._header_bytes = 0
        self._arm()

    def on_url(self, url: bytes) -> None:
        """Count the URL as part of the headers."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count the bytes of a header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End the deadline; the app handles the request from here."""
        self._disarm()
        if not self._dropped:
            super().on_headers_complete()

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > HEADER_BYTES:
            self._drop()

    def _arm(self) -> None:
        self._disarm()
        self._deadline = asyncio.get_running_loop().call_later(HEADER_SECONDS, self._drop)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _drop(self) -> None:
        self._dropped = True
        self._disarm()
        self.transport.abort()


def connection_class(uid: int | None, name: str) -> type[asyncio.Protocol]:
    """The connection class of one socket for processes of ``uid`` (None: every user that the file mode permits)."""
    return type("Connection", (Connection,), {"uid": uid, "name": name})


def peer_uid(transport: asyncio.BaseTransport) -> int:
    """The user of the process at the other end, as the kernel says (SO_PEERCRED, unix(7))."""
    with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as twin:
        credentials = twin.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])
