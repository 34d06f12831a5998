"""Webhooks as a bank receives them, by Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`.

The signature is over `id.timestamp.body`. The service signs each webhook twice: `v1a` by its Ed25519 key, which a bank
verifies with the service's public keys; and `v1`, an HMAC under the secret that setting the address gave.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature

from haihe_client.errors import VerificationError, WebhookRepeated
from haihe_client.signatures import ServiceKeys
from haihe_client.texts import Language, text

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = 300  # seconds by which a webhook's time may differ from this clock
_MOST_SIGNATURES = 8


class WebhookVerifier:
    """Verifies that a webhook is the service's, is recent, and was not received before. Threads may share one."""

    def __init__(
        self, keys: ServiceKeys | None = None, secret: str = "", *, tolerance: int = TOLERANCE,
        language: Language = "en", clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """Give the service's public keys, or the secret that `set_webhook` gave; without either nothing verifies.

        Raises VerificationError for a secret that cannot be read.
        """
        self._keys, self._tolerance, self._language, self._clock = keys, tolerance, language, clock
        self._secret = _secret_bytes(secret, language) if secret else None
        self._seen: dict[str, float] = {}  # id -> when to forget it
        self._lock = threading.Lock()

    def read(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """The verified message.

        Raises VerificationError for a bad signature or another time, WebhookRepeated for an id that was received
        before. Delivery is at least once, so a repetition is normal: answer it with 200 and do nothing.
        """
        by_name = {name.lower(): value for name, value in headers.items()}
        name, sent_at, signatures = (by_name.get(header, "") for header in (ID, TIMESTAMP, SIGNATURE))
        if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) < 12):
            raise VerificationError(text("webhook-unreadable", self._language))
        signed = f"{name}.{sent_at}.".encode() + body
        if not any(self._is_good(signed, each) for each in signatures.split(" ")[:_MOST_SIGNATURES]):
            raise VerificationError(text("webhook-not-signed", self._language))
        if abs(self._clock() - int(sent_at)) > self._tolerance:
            raise VerificationError(text("webhook-another-time", self._language, seconds=self._tolerance))
        self._require_new(name)
        message: dict[str, Any] = json.loads(body)
        return message

    def _is_good(self, signed: bytes, signature: str) -> bool:
        version, _, encoded = signature.partition(",")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        if version == "v1" and self._secret is not None:
            return hmac.compare_digest(hmac.digest(self._secret, signed, hashlib.sha256), raw)
        if version != "v1a" or self._keys is None:
            return False
        for key in self._keys.keys.values():
            try:
                key.verify(raw, signed)
            except InvalidSignature:
                continue
            return True
        return False

    def _require_new(self, name: str) -> None:
        """Ids are remembered for as long as their timestamps are accepted."""
        now = self._clock()
        with self._lock:
            self._seen = {seen: end for seen, end in self._seen.items() if end > now}
            if name in self._seen:
                raise WebhookRepeated(text("webhook-repeated", self._language))
            self._seen[name] = now + 2 * self._tolerance


def _secret_bytes(secret: str, language: Language) -> bytes:
    try:
        raw = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError) as bad:
        raise VerificationError(text("secret-unreadable", language)) from bad
    if not secret.startswith("whsec_") or not 24 <= len(raw) <= 64:
        raise VerificationError(text("secret-unreadable", language))
    return raw
