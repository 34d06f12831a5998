"""A city's own identity provider instead of local passwords (OpenID Connect), by oauthenticator.

The provider says who signed in, when and how; which roles a person has is what their account says. The ID token is
verified with the provider's published keys. Every sign-in is a new one at the provider (``prompt=login``).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.oauth2 import OAuthCallbackHandler
from tornado.web import HTTPError, RedirectHandler
from traitlets import Unicode

from credit.actor import Role
from credit.errors import Malformed, Missing, Refused
from credit.messages import Text, preferred
from infra.home import Home
from infra.hub.cli_handlers import cli_handlers
from infra.hub.oidc_claims import OidcSignIn
from infra.hub.sign_in_handlers import RecordedLogin, sign_in_handlers
from lab.accounts.accounts import Accounts

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
SKEW = 10  # seconds by which the provider's clock may differ
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """The addresses of an identity provider."""

    issuer: str
    authorize_url: str
    token_url: str
    keys_url: str

    @classmethod
    def discovered(cls, issuer: str) -> OidcProvider:
        """The provider of an issuer, from its own description (OpenID Connect Discovery §4).

        Raises :class:`Malformed` for an issuer without https (this machine excepted) or whose description is another's,
        and :class:`Missing` when it does not answer.
        """
        _require_private(issuer)
        try:
            answer = httpx.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration", timeout=10)
            data = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise Missing("oidc.provider-does-not-answer", why=Text.verbatim(type(error).__name__)) from error
        names = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
        if any(not isinstance(data.get(name), str) for name in names) or data["issuer"] != issuer:
            raise Malformed("oidc.not-that-provider")
        for name in names[1:]:
            _require_private(data[name])
        return cls(*(data[name] for name in names))


def _require_private(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise Malformed("oidc.not-private")


class OidcCallbackHandler(RecordedLogin, OAuthCallbackHandler):  # type: ignore[misc]
    """The address that the provider sends the browser back to."""


class OidcAuthenticator(GenericOAuthenticator):  # type: ignore[misc]
    """People who signed in at the identity provider and have an account here."""

    home = Unicode(help="The folder of the home").tag(config=True)
    sign_ins = Unicode(help="The file of sign-ins").tag(config=True)
    issuer = Unicode(help="The provider's issuer").tag(config=True)
    keys_url = Unicode(help="Where the provider publishes its keys").tag(config=True)
    name_claim = Unicode("preferred_username", help="The claim that is the account's name").tag(config=True)
    groups_claim = Unicode("groups", help="The claim with the person's groups").tag(config=True)
    group_prefix = Unicode("haihe-", help="<prefix><role> is the group of a role").tag(config=True)

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.allow_all = True  # every account may log in; authenticate checks it
        self.manage_groups = True
        self.callback_handler = OidcCallbackHandler
        self._accounts = Accounts.cached(Home(Path(self.home)).ledger("desk"))
        self._keys = jwt.PyJWKClient(self.keys_url, timeout=10)

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        """The login at the provider, sign-ins, and the login of the command line; factors are the provider's."""
        factors = ("/factors", RedirectHandler, {"url": self.issuer, "permanent": False})
        return [*super().get_handlers(app), factors, *sign_in_handlers(Path(self.sign_ins)), *cli_handlers()]

    async def authenticate(self, handler: Any, data: Any = None, **more: Any) -> dict[str, Any] | None:
        """The user with the groups of their roles. Answers 403, with the reason, for everyone else."""
        token_info = await self.get_token_info(handler, self.build_access_tokens_request_params(handler, data))
        try:
            claims = await asyncio.to_thread(self._claims, str(token_info.get("id_token", "")))
            sign_in = OidcSignIn.of(claims, name_claim=self.name_claim, groups_claim=self.groups_claim)
            roles = self._roles(sign_in.name)
            sign_in.require(roles, group_prefix=self.group_prefix)
        except Refused as refused:
            language = preferred(handler.request.headers.get("Accept-Language", ""))
            raise HTTPError(403, refused.in_language(language)) from refused
        handler.factor, handler.signed_in_at = sign_in.factor, sign_in.at
        return {"name": sign_in.name, "groups": list(map(str, roles))}

    async def refresh_user(self, user: Any, handler: Any = None, **more: Any) -> bool | dict[str, Any]:
        """A removed account is logged out, changed roles take effect."""
        roles = await asyncio.to_thread(self._roles, user.name)
        return {"name": user.name, "groups": list(map(str, roles))} if roles else False

    def _roles(self, name: str) -> tuple[Role, ...]:
        account = self._accounts.all().get(name)
        return account.roles if account else ()

    def _claims(self, id_token: str) -> dict[str, Any]:
        """The claims of an ID token for us, signed by the provider and in time; raises :class:`Refused`."""
        try:
            key = self._signing_key(jwt.get_unverified_header(id_token).get("kid"))
            claims: dict[str, Any] = jwt.decode(
                id_token,
                key,
                ALGORITHMS,
                {"require": ["iss", "aud", "exp", "iat", "sub"]},
                audience=self.client_id,
                issuer=self.issuer,
                leeway=SKEW,
            )
        except jwt.PyJWTError as error:
            raise Refused("oidc.id-token-refused", why=Text.verbatim(type(error).__name__)) from error
        return claims

    def _signing_key(self, key_id: str | None) -> jwt.PyJWK:
        """The provider's key of this id; a token without an id is of its only key. Keys are read again when none fits.

        Raises ``jwt.PyJWTError``.
        """
        for again in (False, True):
            keys = [key for key in self._keys.get_jwk_set(refresh=again).keys if key.public_key_use in ("sig", None)]
            fitting = [key for key in keys if key_id in (None, key.key_id)]
            if len(fitting) == 1:
                return fitting[0]
        raise jwt.PyJWKClientError("no key, or several")
