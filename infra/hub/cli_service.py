"""The command line as a client of the hub's OAuth provider: public, with PKCE, confirmed each time, for a short time.

A program on a user's machine can keep no secret (RFC 8252 §8.5), so it has none: the proof is the PKCE verifier, and
the address that the code goes to. The user confirms every login, because another program on the machine could start one
as well.
"""

from __future__ import annotations

import secrets
from typing import Any

CLIENT, SERVICE = "service-haihe-cli", "haihe-cli"
PORT, PATH = 8765, "/signed-in"  # where the command line listens for the code, on the user's machine
SECONDS = 3600  # how long a token of the command line is valid
_UNUSED = secrets.token_hex(32)  # JupyterHub wants each client to have a secret; this one is written down nowhere


def redirect_uri(port: int = PORT) -> str:
    """The address that the hub sends the browser to with a code."""
    return f"http://127.0.0.1:{port}{PATH}"


def cli_service(port: int = PORT) -> dict[str, Any]:
    """The command line as a service of the hub's configuration."""
    return {
        "name": SERVICE,
        "api_token": _UNUSED,
        "oauth_client_id": CLIENT,
        "oauth_redirect_uri": redirect_uri(port),
    }
