"""What the hub answers about sign-ins: how the bearer of a token signed in, their sessions, and signing in again.

::

    GET    /hub/api/sign-in    account, client, factor, signed_in_at, expires_at of the token presented
    DELETE /hub/api/sign-in    revokes the token presented
    GET    /hub/api/sign-ins   the sign-ins of the token's user
    DELETE /hub/api/sign-ins   signs that user out everywhere
    GET    /hub/login-again    the login page, also for a browser that is signed in
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.orm import new_token
from tornado.web import HTTPError, RequestHandler

from infra.hub.sign_ins import SignIns

CLIENTS = ("service-haihe-cli", "service-console")  # whose tokens may ask about a person's sign-ins


def end_tokens(user: Any, *, session: str = "") -> None:
    """End every token of a user (JupyterHub's) but those of this session and of the servers that run now.

    A server's token is known by itself. By its note it is not: a person writes any note on a token of their own.
    """
    running = [orm.APIToken.find(user.db, each.api_token) for each in user.spawners.values() if each.api_token]
    servers = {each.id for each in running if each is not None}
    for token in list(user.orm_user.api_tokens):
        if token.id not in servers and not (session and token.session_id == session):
            user.db.delete(token)


class _OwnToken(APIHandler):  # type: ignore[misc]
    """A call about the token that it presents; a cookie alone presents none."""

    def initialize(self, sign_ins: Path) -> None:
        self.sign_ins = SignIns(sign_ins)

    def presented(self) -> Any:
        """The token; answers 403 when there is none that is a user's."""
        token = self.get_token() if self.current_user is not None else None
        if token is None or token.user is None:
            raise HTTPError(403)
        return token

    def presented_by_client(self) -> Any:
        """The token, which the hub issued to the command line or to the console; else 403."""
        token = self.presented()
        if token.client_id not in CLIENTS:
            raise HTTPError(403)
        return token


class SignInHandler(_OwnToken):
    """``/api/sign-in``."""

    def get(self) -> None:
        """How the token's user signed in in the session in which the token was issued; empty when that is not known."""
        token = self.presented()
        sign_in = self.sign_ins.of(token.user.name, token.session_id)
        answer = {
            "account": token.user.name,
            "client": token.client_id,
            "factor": sign_in.factor if sign_in else "",
            "signed_in_at": sign_in.at.isoformat() if sign_in else "",
            "expires_at": token.expires_at.replace(tzinfo=UTC).isoformat() if token.expires_at else "",
        }
        self.write(json.dumps(answer))

    def delete(self) -> None:
        """Revoke the token."""
        self.db.delete(self.presented())
        self.db.commit()
        self.set_status(204)


class SignInsHandler(_OwnToken):
    """``/api/sign-ins``."""

    def get(self) -> None:
        """The user's sign-ins, the newest first, without the ids of their sessions."""
        token = self.presented_by_client()
        sign_ins = [
            {"factor": each.factor, "at": each.at.isoformat(), "this": each.session == token.session_id}
            for each in self.sign_ins.all(token.user.name)
        ]
        self.write(json.dumps({"account": token.user.name, "sign_ins": sign_ins}))

    def delete(self) -> None:
        """End every session of the user: no cookie and no token of theirs is valid after it."""
        user = self.presented_by_client().user
        end_tokens(self.find_user(user.name))
        user.cookie_id = new_token()
        self.db.commit()
        self.sign_ins.forget(user.name)
        self.set_status(204)


class SignInAgainHandler(BaseHandler):  # type: ignore[misc]
    """``/login-again``: forget who is signed in at the hub's own pages, then show the login page.

    The session goes on, so what the user has open elsewhere stays open, and counts as signed in again after it.
    """

    def get(self) -> None:
        """Redirect to the login page, which then leads to ``next``."""
        self.clear_cookie(self.hub.cookie_name, path=self.hub.base_url)
        self.redirect(f"{self.settings['login_url']}?{urlencode({'next': self.get_argument('next', '')})}")


def sign_in_handlers(sign_ins: Path) -> list[tuple[Any, ...]]:
    """The handlers over the file of sign-ins, as an authenticator's ``get_handlers`` returns them."""
    stored = {"sign_ins": sign_ins}
    return [
        ("/api/sign-in", SignInHandler, stored),
        ("/api/sign-ins", SignInsHandler, stored),
        ("/login-again", SignInAgainHandler),
    ]


class RecordedLogin(RequestHandler):
    """Mixed into a handler that logs users in: every login is recorded with the factor and the hub's session.

    A handler sets ``factor`` when it knows how the user signed in. The authenticator's ``sign_ins`` is the file.
    """

    factor = "password"
    signed_in_at: datetime | None = None  # when an identity provider says that it was; now, where we saw it ourselves

    async def login_user(self, data: Any = None) -> Any:
        """As JupyterHub does, then record it."""
        user = await super().login_user(data)  # type: ignore[misc]
        if user is not None:
            hub: Any = self
            sign_ins = SignIns(Path(hub.authenticator.sign_ins))
            at = self.signed_in_at or datetime.now(UTC)
            sign_ins.record(user.name, self.factor, at, hub.get_session_cookie())
        return user
