"""The hub's OAuth endpoints with the rules of the command line: see :mod:`infra.hub.cli_service`."""

from __future__ import annotations

import re
from typing import Any

from jupyterhub.apihandlers.auth import OAuthAuthorizeHandler, OAuthTokenHandler
from oauthlib.common import Request  # type: ignore[import-untyped]
from tornado.web import HTTPError

from credit.messages import Text, preferred
from infra.hub.cli_service import CLIENT, SECONDS

CHALLENGE = r"[A-Za-z0-9_-]{43}"  # RFC 7636 §4.2: a SHA-256 in base64url


class CliTokenHandler(OAuthTokenHandler):  # type: ignore[misc]
    """The hub's token endpoint, with the rules of the command line for its tokens alone."""

    def prepare(self) -> Any:
        """Make the provider treat the command line as a public client, once."""
        provider = self.oauth_provider
        if not callable(provider.bearer.expires_in):
            others = provider.bearer.expires_in

            def seconds(request: Request) -> int:
                return SECONDS if request.client_id == CLIENT else int(others)

            provider.bearer.expires_in = seconds
            provider.request_validator.client_authentication_required = lambda request: request.client_id != CLIENT
        return super().prepare()


class CliAuthorizeHandler(OAuthAuthorizeHandler):  # type: ignore[misc]
    """The hub's authorize page; for the command line the user always confirms.

    JupyterHub also accepts an empty challenge with the method ``plain``, which proves nothing: of every client a
    challenge by SHA-256 is required.
    """

    def prepare(self) -> Any:
        """Answer 400 to a login that begins without a challenge by SHA-256."""
        challenge, method = (self.get_query_argument(f"code_challenge{end}", "") for end in ("", "_method"))
        if method != "S256" or not re.fullmatch(CHALLENGE, challenge):
            raise HTTPError(400, "PKCE with S256 is required")
        return super().prepare()

    def needs_oauth_confirm(self, user: Any, oauth_client: Any, requested_scopes: Any) -> bool:
        """True for the command line; else as JupyterHub decides."""
        if oauth_client.identifier == CLIENT:
            return True
        return bool(super().needs_oauth_confirm(user, oauth_client, requested_scopes))

    def render_template(self, name: str, **values: Any) -> Any:
        """The page on which the user confirms: for the command line our own, in the language of the browser."""
        client = values.get("oauth_client")
        if client is None or client.identifier != CLIENT:
            return super().render_template(name, **values)
        language = preferred(self.request.headers.get("Accept-Language", ""))
        texts = {key: text.render(language) for key, text in _consent(self.current_user.name).items()}
        self.set_header("Cache-Control", "no-store")
        return super().render_template("cli_consent.html", **{**values, "t": texts, "language": language})


def _consent(user: str) -> dict[str, Text]:
    return {
        "title": Text.of("cli-handlers.title"),
        "acts": Text.of("cli-handlers.acts-as", user=user, minutes=SECONDS // 60),
        "only_if": Text.of("cli-handlers.only-if"),
        "confirm": Text.of("cli-handlers.confirm"),
    }


def cli_handlers() -> list[tuple[str, type[Any]]]:
    """The two endpoints, as an authenticator's ``get_handlers`` returns them."""
    return [("/api/oauth2/authorize", CliAuthorizeHandler), ("/api/oauth2/token", CliTokenHandler)]
