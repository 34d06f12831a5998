"""Tokens of the hub (令牌): whose a token is, and how that person signed in in the session that it was issued in.

The hub answers for its own tokens (``/hub/api/sign-in``, see :mod:`infra.hub.sign_in_handlers`). Only those that it
issued to the command line or to the console count: a token of a workspace or one that a user made for themselves is not
a person at the desk. Answers are cached for ten seconds by the token's digest.

A token of the command line belongs to the operating-system user who first presents it. Read from that user's file by
another, it is refused.
"""

from __future__ import annotations

import hashlib
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from credit.errors import CreditError, Unauthenticated
from credit.messages import Text
from infra.desk.identity import TokenUser

CACHE_SECONDS, MOST = 10.0, 10_000
TOKEN = r"[A-Za-z0-9._~+/=-]{1,512}"  # RFC 6750 §2.1
COMMAND_LINE, CONSOLE = "service-haihe-cli", "service-console"  # the OAuth clients whose tokens count


class HubSilent(CreditError):
    """The hub does not answer the desk (HTTP 502)."""

    status, slug = 502, "hub-silent"


def hub_client(api: str) -> tuple[httpx.Client, str]:
    """A client for the hub's API at ``http://…/hub/api`` or ``http+unix://%2F…/hub/api``, and the API's root for it."""
    parts = urlsplit(api)
    if parts.scheme != "http+unix":
        return httpx.Client(timeout=10, trust_env=False), api.rstrip("/")
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # a unix socket uses none, and certificates take 40 ms to load
    transport = httpx.HTTPTransport(uds=unquote(parts.netloc), verify=no_tls)
    return httpx.Client(transport=transport, timeout=10, trust_env=False), f"http://hub{parts.path}".rstrip("/")


@dataclass(slots=True)
class HubTokens:
    """Asks the hub at ``api``. Several threads may share it."""

    api: str
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _client: httpx.Client = field(init=False, repr=False)
    _root: str = field(init=False)
    _known: dict[str, tuple[float, str, TokenUser]] = field(default_factory=dict, repr=False)
    _uids: dict[str, tuple[datetime, int]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._client, self._root = hub_client(self.api)

    def user_of(self, token: str, uid: int) -> TokenUser:
        """Whose token it is that a process of ``uid`` presents.

        Raises :class:`Unauthenticated` for one that the hub does not know, that has expired, that is not for the
        command line or the console or that is another operating-system user's, and :class:`HubSilent` when the hub
        does not answer.
        """
        if not re.fullmatch(TOKEN, token):
            raise Unauthenticated("hub-tokens.not-known")
        digest = hashlib.sha256(token.encode()).hexdigest()
        with self._lock:
            until, client, user = self._known.get(digest, (0.0, "", None))
        if user is None or until <= self.monotonic():
            client, user = self._requested(token)
            with self._lock:
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[digest] = (self.monotonic() + CACHE_SECONDS, client, user)
        if user.until <= self.now():
            raise Unauthenticated("hub-tokens.not-known")
        if client == COMMAND_LINE and not self._is_own(digest, uid, user.until):
            raise Unauthenticated("hub-tokens.of-another-user")
        return user

    def _is_own(self, digest: str, uid: int, until: datetime) -> bool:
        """True for the operating-system user who first presented the token."""
        with self._lock:
            if len(self._uids) >= MOST:
                now = self.now()
                self._uids = {each: known for each, known in self._uids.items() if known[0] > now}
            return self._uids.setdefault(digest, (until, uid))[1] == uid

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _requested(self, token: str) -> tuple[str, TokenUser]:
        try:
            answer = self._client.get(f"{self._root}/sign-in", headers={"Authorization": f"token {token}"})
        except httpx.HTTPError as error:
            raise HubSilent("hub-tokens.hub-does-not-answer", why=Text.verbatim(type(error).__name__)) from error
        if answer.status_code != 200:
            raise Unauthenticated("hub-tokens.not-known")
        return _read(answer.json())


def _read(data: Mapping[str, Any]) -> tuple[str, TokenUser]:
    """The client and the user of the hub's answer; raises :class:`Unauthenticated` for another client's token."""
    client = str(data["client"])
    if client not in (COMMAND_LINE, CONSOLE):
        raise Unauthenticated("hub-tokens.of-another-service")
    if not data["factor"]:
        raise Unauthenticated("hub-tokens.no-sign-in")
    signed_in_at, until = (datetime.fromisoformat(data[name]) for name in ("signed_in_at", "expires_at"))
    return client, TokenUser(str(data["account"]), str(data["factor"]), signed_in_at, until)
