"""Signed webhooks by Standard Webhooks 1.0: headers `webhook-id`, `-timestamp`, `-signature` (`v1a`, Ed25519).

The service's key signs `id.timestamp.body`; the bank verifies with the same public keys as for answers. The id
begins with `msg_`, so the signed bytes can never be those of a token, an envelope or a ledger line.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from credit.errors import Broken, Unauthenticated
from credit.keys import KeyRing, SigningKey
from serving.auth.dpop import ReplayCache

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = 300  # seconds
ZONE = "service"


def new_id() -> str:
    """A new message id, by which a receiver recognises a repetition."""
    return f"msg_{secrets.token_hex(16)}"


def sign(name: str, body: bytes, key: SigningKey, now: float | None = None) -> dict[str, str]:
    """The three headers. The timestamp is the time of the attempt; the id stays the same for every attempt."""
    at = str(int(time.time() if now is None else now))
    signature = base64.b64encode(key.sign(_signing_input(name, at, body))).decode()
    return {ID: name, TIMESTAMP: at, SIGNATURE: f"v1a,{signature}"}


class Webhooks:
    """The bank's side: verifies that a webhook is the service's, is recent, and has not been received before."""

    def __init__(self, ring: KeyRing, *, tolerance: int = TOLERANCE, clock: Callable[[], float] = time.time) -> None:
        """`ring` holds the service's public keys. Ids are stored for as long as their timestamps are accepted."""
        self._keys, self._tolerance, self._clock = ring, tolerance, clock
        self._seen = ReplayCache(clock=clock)

    def read(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """The verified message.

        Raises Broken for a bad signature, Unauthenticated for an old timestamp or an id that was received before.
        Delivery is at least once, so a repetition is normal and no attack: answer it with 200 and do nothing.
        """
        headers_by_name = {name.lower(): value for name, value in headers.items()}
        name, at, signatures = (headers_by_name.get(header, "") for header in (ID, TIMESTAMP, SIGNATURE))
        if not (at.isascii() and at.isdigit() and len(at) < 12):
            raise Broken("webhooks.webhook-cannot-be-read")
        if not any(self._is_signed(name, at, body, each) for each in signatures.split(" ")[:8]):
            raise Broken("webhooks.webhook-not-signed-by-service")
        if abs(self._clock() - int(at)) > self._tolerance:
            raise Unauthenticated("webhooks.webhook-another-time", tolerance=self._tolerance)
        self._seen.once(name, self._clock() + 2 * self._tolerance)
        message: dict[str, Any] = json.loads(body)
        return message

    def _is_signed(self, name: str, at: str, body: bytes, text_of_signature: str) -> bool:
        version, _, text = text_of_signature.partition(",")
        if version != "v1a":
            return False
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return False
        for keyid in self._keys.keys.get(ZONE, {}):
            try:
                self._keys.verify(ZONE, keyid, _signing_input(name, at, body), raw)
            except Broken:
                continue
            return True
        return False


def _signing_input(name: str, at: str, body: bytes) -> bytes:
    return f"{name}.{at}.".encode() + body
