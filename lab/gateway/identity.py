"""Who is at a socket (身份): the socket is the identity, and nothing that comes through it can say otherwise.

The wrapper writes the workspace into the ASGI scope, where no header, token or body reaches; a request that came
through no workspace's socket has none, and is nobody's. It bounds, too, how long a request may take and how much of a
workspace's work is done at once, so that one workspace cannot hold up another.
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
from lab.gateway.error_responses import LOG, Busy
from lab.projects import Project
from lab.settings import Workspace

KEY = "haihe.visitor"
ABORT = "haihe.abort"  # in the scope's state, set by the connection: ends it at once, unsent bytes and all
LONGEST = 120.0  # seconds of any request; a stream ends before and is asked for again
AT_ONCE = 4  # threads of one workspace
STREAMS = 4  # of one workspace at a time
Value = TypeVar("Value")


@dataclass(slots=True)
class Visitor:
    """One workspace's side of a socket: who it is, and what it has under way."""

    workspace: Workspace
    kernel: bool  # the untrusted side
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    under_way: dict[str, int] = field(default_factory=dict)
    paces: dict[str, deque[float]] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """The researcher."""
        return Actor(self.workspace.user, Role.RESEARCHER)

    async def aside(self, act: Callable[..., Value], *args: Any) -> Value:
        """Run blocking work in a thread, in this workspace's turn."""
        async with self.turns:
            return await run_in_threadpool(act, *args)

    def enter(self, what: str, most: int) -> None:
        """Count one more ``what`` under way; raises :class:`Busy` when there are ``most`` already."""
        if self.under_way.get(what, 0) >= most:
            raise Busy("identity.workspace-under-way", limit=most, what_=what)
        self.under_way[what] = self.under_way.get(what, 0) + 1

    def pace(self, what: str, most: int, seconds: float) -> None:
        """Count one more ``what``; raises :class:`Busy` for more than ``most`` in so many seconds."""
        now, recent = time.monotonic(), self.paces.setdefault(what, deque(maxlen=most))
        if len(recent) == most and now - recent[0] < seconds:
            raise Busy("identity.workspace-sent-in-s", limit=most, what_=what, seconds=seconds)
        recent.append(now)

    def leave(self, what: str) -> None:
        """It has ended."""
        self.under_way[what] -= 1


@dataclass(slots=True)
class Identified:
    """An app as one workspace's socket shows it."""

    app: ASGIApp
    visitor: Visitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request as this visitor's, for no longer than :data:`LONGEST`."""
        scope[KEY] = self.visitor
        start = time.monotonic()
        try:
            async with asyncio.timeout(LONGEST):
                await self.app(scope, receive, send)
        except TimeoutError:
            LOG.event("cut off", workspace=self.visitor.workspace.name, seconds=round(time.monotonic() - start, 1))
            if abort := scope.get("state", {}).get(ABORT):
                abort()


def visitor_of(request: Request) -> Visitor:
    """Who asks; raises :class:`Unauthenticated` when the request came through no workspace's socket."""
    visitor = request.scope.get(KEY)
    if not isinstance(visitor, Visitor):
        raise Unauthenticated("identity.nobody-asks")
    return visitor


async def admitted(request: Request) -> tuple[Visitor, Project]:
    """Who asks, and their living project: looked up anew on every request (it may have lapsed since the last)."""
    visitor = visitor_of(request)
    project = await visitor.aside(request.app.state.zone.project, visitor.workspace)
    return visitor, project


Admitted = Annotated[tuple[Visitor, Project], Depends(admitted)]
