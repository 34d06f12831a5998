"""Whether a browser still waits for what it requested: a page that was closed while it waited wants no kernel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextvars import ContextVar
from typing import Any, TypeVar

from jupyter_server.services.kernels.handlers import MainKernelHandler
from jupyter_server.services.sessions.handlers import SessionHandler, SessionRootHandler

Value = TypeVar("Value")
_END: ContextVar[asyncio.Event | None] = ContextVar("request_end", default=None)


class RequestEnded(Exception):
    """The browser has closed the connection on which it waited."""


async def before_its_end(value: Awaitable[Value]) -> Value:
    """A value, as soon as it is there; raises :class:`RequestEnded` when the request that this serves ends before."""
    end = _END.get()
    if end is None:
        return await value
    awaited, ended = asyncio.ensure_future(value), asyncio.create_task(end.wait())
    try:
        await asyncio.wait({awaited, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not awaited.done():
            raise RequestEnded("the browser does not wait for this any more")
        return await awaited
    finally:
        awaited.cancel()
        ended.cancel()


class _Followed:
    """A handler that notes when its browser leaves; what it awaits knows by :func:`before_its_end`."""

    async def prepare(self, **more: Any) -> None:
        """Prepare as before."""
        self._end = asyncio.Event()
        _END.set(self._end)
        await super().prepare(**more)  # type: ignore[misc]

    def on_connection_close(self) -> None:
        """Note that the browser has left."""
        super().on_connection_close()  # type: ignore[misc]
        self._end.set()


class FollowedSessions(_Followed, SessionRootHandler):  # type: ignore[misc]
    """Opens a notebook with a kernel."""


class FollowedSession(_Followed, SessionHandler):  # type: ignore[misc]
    """Gives a notebook another kernel."""


class FollowedKernels(_Followed, MainKernelHandler):  # type: ignore[misc]
    """Starts a kernel."""


FOLLOWED: dict[type, type] = {
    SessionRootHandler: FollowedSessions,
    SessionHandler: FollowedSession,
    MainKernelHandler: FollowedKernels,
}
