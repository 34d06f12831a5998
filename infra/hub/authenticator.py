"""Who may log in to the hub: the accounts of the research zone, with a limit on guessing passwords.

Roles become hub groups. Failures are counted by name and by address; after a few, each further try waits longer
(OWASP Authentication Cheat Sheet, "Login Throttling"), and a right password does not shorten the wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from tornado.web import HTTPError, RequestHandler
from traitlets import Unicode

from lab.accounts import Accounts

FREE, FREE_ADDRESS = 5, 50  # tries without a wait: of a name, and of an address, which many people may share
LONGEST, FORGET = 300.0, 900.0  # seconds: the longest wait, until all is forgotten
MOST = 10_000  # names and addresses kept


@dataclass(slots=True)
class LoginThrottle:
    """Counts failed logins by key and says how long a key must wait; ``clock`` gives seconds."""

    clock: Callable[[], float] = time.monotonic
    failures: dict[str, tuple[int, float]] = field(default_factory=dict)

    def wait(self, key: str, free: int = FREE) -> float:
        """Seconds until this key may try again, where the first ``free`` failures cost nothing."""
        count, last = self.failures.get(key, (0, 0.0))
        if count < free or self.clock() - last > FORGET:
            return 0.0
        return max(0.0, last + min(LONGEST, 2.0 ** min(count - free, 16)) - self.clock())

    def failed(self, key: str) -> None:
        """Count one more failure."""
        if len(self.failures) >= MOST:
            oldest = min(self.failures, key=lambda each: self.failures[each][1])
            del self.failures[oldest]
        count, last = self.failures.get(key, (0, 0.0))
        self.failures[key] = (1 if self.clock() - last > FORGET else count + 1, self.clock())

    def passed(self, key: str) -> None:
        """Forget the failures of a key."""
        self.failures.pop(key, None)


class LabAuthenticator(Authenticator):  # type: ignore[misc]
    """Names and passwords of :class:`lab.accounts.Accounts`."""

    accounts = Unicode(help="The file of accounts").tag(config=True)

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.allow_all = True  # every account may log in; authenticate checks it
        self.manage_groups = True
        self.throttle = LoginThrottle()

    async def authenticate(self, handler: RequestHandler, data: dict[str, str]) -> dict[str, Any] | None:
        """The user with the groups of their roles, or None. Answers 429 while a name or an address must wait."""
        name, password = str(data.get("username", ""))[:64].lower(), str(data.get("password", ""))[:256]
        keys = (f"name {name}", f"address {handler.request.remote_ip}")
        wait = max(self.throttle.wait(keys[0]), self.throttle.wait(keys[1], FREE_ADDRESS))
        if wait > 0:
            raise HTTPError(429, f"Too many tries: wait {wait:.0f} seconds")
        account = await asyncio.to_thread(Accounts(Path(self.accounts)).verify, name, password)
        if account is None:
            for key in keys:
                self.throttle.failed(key)
            return None
        self.throttle.passed(keys[0])
        return {"name": account.name, "groups": [str(role) for role in account.roles]}

    async def refresh_user(self, user: Any, handler: Any = None, **more: Any) -> bool | dict[str, Any]:
        """A removed account is logged out, changed roles take effect."""
        account = Accounts(Path(self.accounts)).all().get(user.name)
        return {"name": user.name, "groups": [str(role) for role in account.roles]} if account else False
