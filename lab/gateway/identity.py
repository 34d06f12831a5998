"""Identity (身份): the socket identifies the workspace, and no content of a request can change that.

The wrapper writes the workspace into the ASGI scope, which no header, token or body can set; a request that did not
come through a workspace's socket has no principal. The wrapper also limits the time of a request and the concurrent
work of a workspace, so that one workspace cannot delay another.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from credit.actor import Actor, Role
from credit.errors import Unauthenticated
from credit.messages import Text
from lab.gateway.error_responses import LOG, Busy
from lab.projects import Project
from lab.settings import Workspace

KEY = "haihe.principal"
ABORT = "haihe.abort"  # in the scope's state, set by the connection: aborts it, including unsent bytes
LONGEST = 120.0  # seconds of any request; a stream ends earlier, and the client opens it again
AT_ONCE = 4  # threads of one workspace
STREAMS = 4  # of one workspace at a time
Value = TypeVar("Value")


_WHATS = {
    "checks": Text.of("identity.checks"),
    "parcels": Text.of("identity.parcels"),
    "orders": Text.of("identity.orders"),
    "rows": Text.of("identity.rows"),
    "tables": Text.of("identity.tables"),
    "streams": Text.of("identity.streams"),
}


@dataclass(slots=True)
class Principal:
    """The workspace at a socket, with its running work for the limits."""

    workspace: Workspace
    kernel: bool  # the untrusted side
    semaphore: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    running: dict[str, int] = field(default_factory=dict)
    recent_times: dict[str, deque[float]] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """The user as a researcher."""
        return Actor(self.workspace.user, Role.RESEARCHER)

    async def run_blocking(self, act: Callable[..., Value], *args: Any) -> Value:
        """Run blocking work in a thread, at most :data:`AT_ONCE` at a time for this workspace."""
        async with self.semaphore:
            return await run_in_threadpool(act, *args)

    def begin(self, what: str, most: int) -> None:
        """Count one more running ``what``; raises :class:`Busy` when ``most`` are running already."""
        if self.running.get(what, 0) >= most:
            raise Busy("identity.workspace-under-way", limit=most, what_=_WHATS[what])
        self.running[what] = self.running.get(what, 0) + 1

    def limit_rate(self, what: str, most: int, seconds: float) -> None:
        """Count one more ``what``; raises :class:`Busy` for more than ``most`` in ``seconds`` seconds."""
        now, recent = time.monotonic(), self.recent_times.setdefault(what, deque(maxlen=most))
        if len(recent) == most and now - recent[0] < seconds:
            raise Busy("identity.workspace-sent-in-s", limit=most, what_=_WHATS[what], seconds=seconds)
        recent.append(now)

    def end(self, what: str) -> None:
        """Count one running ``what`` less."""
        self.running[what] -= 1


@dataclass(slots=True)
class IdentifiedApp:
    """An ASGI app with the principal of one workspace's socket."""

    app: ASGIApp
    principal: Principal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of this principal, for at most :data:`LONGEST` seconds."""
        scope[KEY] = self.principal
        start = time.monotonic()
        try:
            async with asyncio.timeout(LONGEST):
                await self.app(scope, receive, send)
        except TimeoutError:
            LOG.event("cut off", workspace=self.principal.workspace.name, seconds=round(time.monotonic() - start, 1))
            if abort := scope.get("state", {}).get(ABORT):
                abort()


def principal_of(request: Request) -> Principal:
    """The principal of a request.

    Raises :class:`Unauthenticated` when the request did not come through a workspace's socket.
    """
    principal = request.scope.get(KEY)
    if not isinstance(principal, Principal):
        raise Unauthenticated("identity.no-workspace")
    return principal


async def authorise(request: Request) -> tuple[Principal, Project]:
    """The principal and the open project of a request.

    The project is read on every request, since it can end between two. Raises :class:`~credit.errors.Refused` or
    :class:`~credit.errors.Lapsed`.
    """
    principal = principal_of(request)
    project = await principal.run_blocking(request.app.state.zone.project, principal.workspace)
    return principal, project


Admitted = Annotated[tuple[Principal, Project], Depends(authorise)]
