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
from jupyterhub.handlers.login import LoginHandler
from tornado.web import HTTPError, RequestHandler
from traitlets import Unicode

from credit.messages import Text, preferred
from lab.accounts import Accounts

FREE, FREE_ADDRESS = 5, 50  # tries without a wait: of a name, and of an address, which many people may share
LONGEST, FORGET = 300.0, 900.0  # seconds: the longest wait, until all is forgotten
MOST = 10_000  # names and addresses kept


_PAGE = {  # the texts of the login page, by the names that pages/login.html has for them
    "sign_in": Text.of("authenticator.sign-in"),
    "username": Text.of("authenticator.username"),
    "password": Text.of("authenticator.password"),
    "show": Text.of("authenticator.show-password"),
    "hide": Text.of("authenticator.hide-password"),
    "insecure": Text.of("authenticator.insecure"),
    "note": Text.of("authenticator.note"),
}
_ERRORS = {  # what JupyterHub says of a login that failed
    "Invalid username or password": Text.of("authenticator.wrong-password"),
    "Login form invalid or expired. Try again.": Text.of("authenticator.form-expired"),
}


def language_of(handler: RequestHandler) -> str:
    """The language that the browser prefers (Accept-Language), else English."""
    return preferred(handler.request.headers.get("Accept-Language", ""))


class LabLoginHandler(LoginHandler):  # type: ignore[misc]
    """The login page in the language of the browser; JupyterHub's own exists in English alone."""

    def _render(self, login_error: str | None = None, username: str | None = None, **more: Any) -> Any:
        language = language_of(self)
        error = _ERRORS.get(login_error or "")
        shown = error.render(language) if error else login_error
        return super()._render(login_error=shown, username=username, **more)

    def render_template(self, name: str, **more: Any) -> Any:
        """As JupyterHub does, with the page's texts as ``t``."""
        language = language_of(self)
        texts = {key: text.render(language) for key, text in _PAGE.items()}
        return super().render_template(name, **{"t": texts, "language": language, **more})


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

    def get_handlers(self, app: Any) -> list[tuple[str, type[RequestHandler]]]:
        """The login page in two languages."""
        return [("/login", LabLoginHandler)]

    async def authenticate(self, handler: RequestHandler, data: dict[str, str]) -> dict[str, Any] | None:
        """The user with the groups of their roles, or None. Answers 429 while a name or an address must wait."""
        name, password = str(data.get("username", ""))[:64].lower(), str(data.get("password", ""))[:256]
        keys = (f"name {name}", f"address {handler.request.remote_ip}")
        wait = max(self.throttle.wait(keys[0]), self.throttle.wait(keys[1], FREE_ADDRESS))
        if wait > 0:
            message = Text.of("authenticator.too-many-tries", seconds=wait)
            raise HTTPError(429, message.render(language_of(handler)))
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
