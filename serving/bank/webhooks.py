"""Signed webhooks after standard-webhooks.com (1.0): headers `webhook-id`, `-timestamp`, `-signature` (`v1a`, Ed25519).

What is signed is `id.timestamp.body`, by the service's key: the bank verifies with the keys it verifies answers with.
The id begins with `msg_`, so these bytes are never those of a token, an envelope or a ledger line.
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
    """An id to know a repetition by."""
    return f"msg_{secrets.token_hex(16)}"


def sign(name: str, body: bytes, key: SigningKey, now: float | None = None) -> dict[str, str]:
    """The three headers; the time is that of the attempt, the id that of what is told."""
    at = str(int(time.time() if now is None else now))
    signed = base64.b64encode(key.sign(_signed(name, at, body))).decode()
    return {ID: name, TIMESTAMP: at, SIGNATURE: f"v1a,{signed}"}


class Webhooks:
    """The bank's side: says whether a webhook is ours, of now, and new."""

    def __init__(self, ring: KeyRing, *, tolerance: int = TOLERANCE, clock: Callable[[], float] = time.time) -> None:
        """`ring` holds the service's public keys; ids are remembered for as long as their time would be believed."""
        self._keys, self._tolerance, self._clock = ring, tolerance, clock
        self._seen = ReplayCache(clock=clock)

    def read(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """What is told. Raises Broken for another's word, Unauthenticated when it is old or was heard before.

        Whoever was told twice (delivery is at least once) should answer 200 to the repetition and do nothing: that is
        what `heard before` means, and no attack in itself.
        """
        told = {name.lower(): value for name, value in headers.items()}
        name, at, signatures = (told.get(header, "") for header in (ID, TIMESTAMP, SIGNATURE))
        if not (at.isascii() and at.isdigit() and len(at) < 12):
            raise Broken("webhooks.webhook-cannot-be-read")
        if not any(self._is_ours(name, at, body, part) for part in signatures.split(" ")[:8]):
            raise Broken("webhooks.webhook-not-signed-by-service")
        if abs(self._clock() - int(at)) > self._tolerance:
            raise Unauthenticated("webhooks.webhook-another-time", tolerance=self._tolerance)
        self._seen.once(name, self._clock() + 2 * self._tolerance)
        said: dict[str, Any] = json.loads(body)
        return said

    def _is_ours(self, name: str, at: str, body: bytes, part: str) -> bool:
        version, _, text = part.partition(",")
        if version != "v1a":
            return False
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return False
        for keyid in self._keys.keys.get(ZONE, {}):
            try:
                self._keys.verify(ZONE, keyid, _signed(name, at, body), raw)
            except Broken:
                continue
            return True
        return False


def _signed(name: str, at: str, body: bytes) -> bytes:
    return f"{name}.{at}.".encode() + body
