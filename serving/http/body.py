"""The body of a request, read whole, within a limit of bytes and of seconds."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from serving import errors
from serving.asgi import Message, Receive, Send
from serving.http.products import DEFAULT_LIMITS, BodyLimits

UNREAD_BYTES, UNREAD_SECONDS = 1 << 16, 1.0  # of a body that a refusal still reads, so that the connection stays open

CLOSE = (b"connection", b"close")


class Disconnected(Exception):
    """The client closed its connection before its request was whole: there is no client to answer."""


async def read_body(length: bytes | None, receive: Receive, bounds: BodyLimits = DEFAULT_LIMITS) -> bytes:
    """The whole body; `length` is the Content-Length header.

    Raises TooLarge as soon as the body is known to be over its limit, TooSlow when it does not arrive in time, and
    Disconnected.
    """
    limit, seconds, late = bounds
    if stated_length(length) > limit:
        raise errors.too_large(limit)
    parts, size, message = [], 0, _arrived_by_now(receive)
    if message is not None:
        parts, size = [_part(message)], len(_part(message))
    try:
        if message is None or message["more_body"]:
            async with asyncio.timeout(seconds):
                while (message is None or message["more_body"]) and size <= limit:
                    message = await receive()
                    parts.append(_part(message))
                    size += len(parts[-1])
    except TimeoutError as slow:
        raise errors.TooSlow(late, seconds=seconds) from slow
    if size > limit:
        raise errors.too_large(limit)
    return b"".join(parts)


async def skip_body(length: bytes | None, receive: Receive) -> bool:
    """Read and drop a short body that a refusal does not need; whether all of it arrived.

    When it did not, the connection has to be closed after the response.
    """
    if stated_length(length) > UNREAD_BYTES:
        return False
    try:
        await read_body(length, receive, BodyLimits(UNREAD_BYTES, UNREAD_SECONDS))
    except (errors.TooSlow, errors.TooLarge, Disconnected):
        return False
    return True


class UnreadBody:
    """Ends the connection after a response that leaves a part of the request's body unread.

    Otherwise the client could go on sending it for as long as it likes. The rest of a short body is read first, so that
    an honest client keeps its connection.
    """

    __slots__ = ("_is_short", "_is_whole", "_receive", "_send")

    def __init__(self, receive: Receive, send: Send, length: bytes | None) -> None:
        """`receive` and `send` are those that the server gave for this request; `length` is its Content-Length."""
        self._receive, self._send = receive, send
        self._is_whole, self._is_short = False, stated_length(length) <= UNREAD_BYTES

    async def receive(self) -> Message:
        """The next part of the body."""
        message = await self._receive()
        self._is_whole = self._is_whole or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the response."""
        if message["type"] == "http.response.start" and not self._is_whole:
            with suppress(TimeoutError):
                async with asyncio.timeout(UNREAD_SECONDS):
                    while self._is_short and not self._is_whole:
                        await self.receive()
            if not self._is_whole:
                message = {**message, "headers": [*message.get("headers", ()), CLOSE]}
        await self._send(message)


def stated_length(length: bytes | None) -> int:
    """The length that the header states; the server has checked that it is a number."""
    if not length:
        return 0
    return int(length) if length.isdigit() and len(length) < 18 else 1 << 62


def has_left(receive: Receive) -> bool:
    """Whether the client is known to have closed its connection; asks the server without waiting.

    Call this once the body was read: then the next message can only be that the client has left.
    """
    message = _arrived_by_now(receive)
    return message is not None and bool(message["type"] == "http.disconnect")


def _arrived_by_now(receive: Receive) -> Message | None:
    """The next message of the server when it is there already; nothing is lost when it is not."""
    reading = receive().__await__()
    try:
        next(reading)
    except StopIteration as known:
        message: Message = known.value
        return message
    finally:
        reading.close()
    return None


def _part(message: Message) -> bytes:
    """The bytes that a message brings; sets the flags that a server may leave out. Raises Disconnected."""
    if message["type"] == "http.disconnect":
        raise Disconnected
    message.setdefault("more_body", False)
    part: bytes = message.get("body", b"")
    return part
