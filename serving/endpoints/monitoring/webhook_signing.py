"""Signs webhooks by Standard Webhooks 1.0: headers `webhook-id`, `webhook-timestamp`, `webhook-signature`.

Each webhook has two signatures over `id.timestamp.body`: `v1a` by the service's key (Ed25519), which the bank verifies
with the same public keys as for answers; and `v1`, an HMAC-SHA256 under the bank's own secret, which every library for
Standard Webhooks verifies. The id begins with `msg_`, so the signed bytes can never be those of a token, an envelope or
a ledger line.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time

from credit.keys import SigningKey

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX = "whsec_"  # of a secret


def new_id() -> str:
    """A new message id, by which a receiver recognises a repetition."""
    return f"msg_{secrets.token_hex(16)}"


def new_secret() -> str:
    """A new secret in the form of the standard: 32 random bytes."""
    return f"{PREFIX}{base64.b64encode(secrets.token_bytes(32)).decode()}"


def sign(name: str, body: bytes, key: SigningKey, secret: str = "", now: float | None = None) -> dict[str, str]:
    """The three headers. The timestamp is the time of the attempt; the id stays the same for every attempt."""
    at = str(int(time.time() if now is None else now))
    signed = f"{name}.{at}.".encode() + body
    signatures = [f"v1a,{base64.b64encode(key.sign(signed)).decode()}"]
    if secret:
        raw = base64.b64decode(secret.removeprefix(PREFIX))
        signatures.append(f"v1,{base64.b64encode(hmac.digest(raw, signed, hashlib.sha256)).decode()}")
    return {ID: name, TIMESTAMP: at, SIGNATURE: " ".join(signatures)}
