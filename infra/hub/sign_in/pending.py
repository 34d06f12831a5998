"""What a browser is in the middle of: a password that was right, or an enrolment whose factor is still missing.

It stays in the hub's memory for some minutes, under a random name that only that browser's cookie has.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tornado.web import RequestHandler

SECONDS, MOST = 900.0, 10_000
T = TypeVar("T")


@dataclass(slots=True)
class PendingSignIn:
    """A person whose password was right, of whom a second factor is wanted."""

    name: str
    enrolment: str
    tries: int = 0
    challenge: bytes = b""


@dataclass(slots=True)
class PendingEnrolment:
    """A person with an open link who chose a password. ``codes`` are shown once, after the enrolment."""

    name: str
    enrolment: str
    password_hash: str = field(repr=False)
    secret: str = field(repr=False)
    challenge: bytes = b""
    codes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(slots=True)
class PendingSteps(Generic[T]):
    """The steps of one kind, by the value of the cookie ``cookie``."""

    cookie: str
    clock: Callable[[], float] = time.monotonic
    steps: dict[str, tuple[float, T]] = field(default_factory=dict)

    def begin(self, handler: RequestHandler, step: T) -> None:
        """Keep a step for the browser of this request, in place of the one before."""
        self.end(handler)
        now = self.clock()
        self.steps = {name: each for name, each in self.steps.items() if each[0] > now}
        while len(self.steps) >= MOST:
            del self.steps[next(iter(self.steps))]
        name = secrets.token_urlsafe(32)
        self.steps[name] = (now + SECONDS, step)
        secure = handler.request.protocol == "https"
        handler.set_cookie(self.cookie, name, path="/hub/", httponly=True, samesite="Lax", secure=secure)

    def of(self, handler: RequestHandler) -> T | None:
        """The step of the browser of this request; None when there is none."""
        until, step = self.steps.get(handler.get_cookie(self.cookie, "") or "", (0.0, None))
        return step if until > self.clock() else None

    def end(self, handler: RequestHandler) -> None:
        """Forget the step."""
        self.steps.pop(handler.get_cookie(self.cookie, "") or "", None)
