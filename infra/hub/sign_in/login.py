"""The first step of signing in: name and password, in the browser's language."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any
from urllib.parse import urlencode, urlsplit

from jupyterhub.handlers.login import LoginHandler

from credit.messages import Text
from infra.hub.sign_in.page import SignInPage, language_of
from infra.hub.sign_in.pending import PendingSignIn

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


class LabLoginHandler(SignInPage, LoginHandler):  # type: ignore[misc]
    """``/login``. JupyterHub's own page exists in English alone, and knows one step."""

    def _render(self, login_error: str | None = None, username: str | None = None, **more: Any) -> Any:
        language = language_of(self)
        error = _ERRORS.get(login_error or "")
        shown = error.render(language) if error else login_error
        return LoginHandler._render(self, login_error=shown, username=username, **more)

    def render_template(self, name: str, **more: Any) -> Any:
        """As JupyterHub does, with the page's texts as ``t``."""
        language = language_of(self)
        texts = {key: text.render(language) for key, text in _PAGE.items()}
        return super().render_template(name, **{"t": texts, "language": language, **more})

    async def get(self) -> None:
        """The page. A browser that came by a bare address goes to the host's name, to which passkeys are bound."""
        origin = urlsplit(self.lab.party.origin)
        if origin.netloc and is_bare_address(self.request.host):
            self.redirect(f"{origin.scheme}://{origin.netloc}{self.request.uri}")
            return
        await LoginHandler.get(self)

    async def post(self) -> None:
        """Check the password; with a second factor the person is not signed in before that is right as well."""
        name = self.get_body_argument("username", "")[:64].lower()
        password = self.get_body_argument("password", "", strip=False)[:256]
        self.require_no_wait(f"name {name}")
        account = await asyncio.to_thread(self.lab.password_matches, name, password)
        factors = self.lab.credentials.second_factors(account) if account else None
        if account is None or (not factors and self.lab.needs_second_factor(account)):
            self.count_failure(f"name {name}")
            self.set_status(403)
            self.finish(await self._render(login_error="Invalid username or password", username=name[:32]))
            return
        self.lab.throttle.passed(f"name {name}")
        if not factors:
            self.redirect(await self.sign_in(account, "password"))
            return
        self.lab.sign_ins.begin(self, PendingSignIn(account.name, account.enrolment))
        self.redirect(f"{self.hub.base_url}second-factor?{urlencode({'next': self.get_argument('next', '')})}")


def is_bare_address(host: str) -> bool:
    """True for a host given by its number."""
    try:
        ipaddress.ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
    return True
