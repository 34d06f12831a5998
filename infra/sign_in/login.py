"""Logging in and out at the command line: OAuth 2 authorization code with PKCE over a loopback address."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress

from credit.errors import CreditError, Missing
from infra.home import Home
from infra.processes import running
from infra.sign_in.hub_calls import HubCalls
from infra.sign_in.loopback import Loopback
from infra.sign_in.token_file import StoredToken, read_token, remove_token, write_token

LOGIN_SECONDS = 300.0  # how long a login may take


def log_in(home: Home, hub: HubCalls, show: Callable[[str], None]) -> dict[str, str]:
    """Log in at ``hub`` and store the token for ``home``; account, factor and moments.

    ``show`` is called with the address that the user opens in a browser. A token from before is revoked. Raises
    :class:`~credit.errors.Unauthenticated` when the user refuses, takes too long or the hub refuses the code.
    """
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    with Loopback(hub.port, state) as listener:
        show(hub.login_url(state, verifier))
        code = listener.code(LOGIN_SECONDS)
    token = hub.token(code, verifier)
    sign_in = hub.sign_in(token)
    with suppress(CreditError):  # what is stored now may be another hub's, or damaged: it is replaced in any case
        earlier = read_token(home)
        if earlier is not None:
            HubCalls(earlier.hub, hub.port).revoke(earlier.token)
    until = sign_in["expires_at"]
    write_token(home, StoredToken(str(home.root), hub.address, sign_in["account"], token, until))
    return {name: sign_in[name] for name in ("account", "factor")} | {"since": sign_in["signed_in_at"], "until": until}


def log_out(home: Home, port: int) -> str:
    """Remove the stored token and revoke it at the hub; the account, or empty when no user was signed in.

    Raises :class:`~infra.desk.hub_tokens.HubSilent` when the hub does not answer; the file is removed all the same.
    """
    stored = read_token(home)
    remove_token(home)
    if stored is None:
        return ""
    HubCalls(stored.hub, port).revoke(stored.token)
    return stored.account


def hub_address(home: Home) -> str:
    """Where people open the hub that runs for a home; raises :class:`Missing` when none does."""
    for process in running(home):
        if process.name == "hub":
            return process.address
    raise Missing("login.no-hub")
