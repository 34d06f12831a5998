"""A short way for answers that are whole, as an ASGI extension of ours.

ASGI sends a head and a body, which are two writes to the socket, and hands a body over in parts that are waited for;
this takes what is there, and sends both at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle


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
