"""What every page of signing in does: texts in the browser's language, a limit on guessing, and the login itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from tornado.web import HTTPError, RequestHandler

from credit.messages import Text, preferred
from infra.hub.sign_in.services import SignInServices, VerifiedSignIn
from infra.hub.sign_in.throttle import FREE, FREE_ADDRESS
from infra.hub.sign_in_handlers import RecordedLogin
from lab.accounts.account import Account

LARGEST = 64 << 10  # bytes of the answer of an authenticator


def language_of(handler: RequestHandler) -> str:
    """The language that the browser prefers (Accept-Language), else English."""
    return preferred(handler.request.headers.get("Accept-Language", ""))


class SignInPage(RecordedLogin, BaseHandler):  # type: ignore[misc]
    """A page of signing in."""

    @property
    def lab(self) -> SignInServices:
        """What the pages share; JupyterHub has another meaning for `services`."""
        services: SignInServices = self.authenticator.services
        return services

    async def show(
        self,
        template: str,
        texts: Mapping[str, Text],
        *,
        status: int = 200,
        error: Text | None = None,
        **values: Any,
    ) -> None:
        """Answer with a page, which no cache keeps and whose address no other site learns."""
        language = language_of(self)
        words = {name: text.render(language) for name, text in texts.items()}
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "same-origin")
        shown = error.render(language) if error else ""
        xsrf = self.xsrf_token.decode("ascii")
        html = await self.render_template(template, t=words, language=language, error=shown, xsrf=xsrf, **values)
        self.finish(html)

    def require_no_wait(self, *names: str) -> None:
        """Answer 429 while one of ``names``, or the address of the browser, must wait."""
        throttle = self.lab.throttle
        wait = max([throttle.wait(self._address, FREE_ADDRESS), *(throttle.wait(name, FREE) for name in names)])
        if wait > 0:
            message = Text.of("authenticator.too-many-tries", seconds=wait)
            raise HTTPError(429, message.render(language_of(self)))

    def count_failure(self, *names: str) -> None:
        """Count a failed try of each of ``names`` and of the address."""
        for name in (*names, self._address):
            self.lab.throttle.failed(name)

    def json_body(self) -> dict[str, Any]:
        """The JSON object that was sent; answers 400 for anything else."""
        if self.request.headers.get("Content-Type", "").partition(";")[0] != "application/json":
            raise HTTPError(415)
        try:
            body = json.loads(self.request.body if len(self.request.body) <= LARGEST else b"")
        except ValueError:
            raise HTTPError(400) from None
        if not isinstance(body, dict):
            raise HTTPError(400)
        return body

    def answer(self, *, status: int = 200, **values: Any) -> None:
        """Answer with JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(values))

    async def sign_in(self, account: Account, factor: str) -> str:
        """Log the person in; returns the page to go to."""
        self.factor = factor
        user = await self.login_user(VerifiedSignIn(account))
        self._jupyterhub_user = user
        return str(self.get_next_url(user))

    @property
    def _address(self) -> str:
        return f"address {self.request.remote_ip}"
