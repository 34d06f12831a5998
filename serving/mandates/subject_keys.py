"""The keys that subjects sign consents with: each is registered by the platform, whose signature is stored with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from credit.canonical import canonical
from credit.envelope import sign_envelope, verify_envelope
from credit.errors import Broken, Malformed
from credit.keys import KeyRing, SigningKey
from serving.auth.dpop import thumbprint
from serving.mandates.consent import read_subject_key
from serving.store.store import Store
from serving.store.tables import StoreTables

PAYLOAD_TYPE = "application/vnd.haihe.subject-key+json"
MOST_KEYS = 4  # of one subject


def key_statement(subject: str, jwk: Mapping[str, Any]) -> dict[str, Any]:
    """What the platform signs: the subject's pseudonym and its public key. Raises Malformed for another kind of key."""
    read_subject_key(jwk)
    return {"subject": subject, "thumbprint": thumbprint(jwk), "jwk": dict(jwk)}


def sign_key(statement: Mapping[str, Any], key: SigningKey) -> dict[str, Any]:
    """The platform's signed statement (DSSE) of a subject's key."""
    return sign_envelope(dict(statement), PAYLOAD_TYPE, key)


class SubjectKeys(StoreTables):
    """The registered keys in the store."""

    def __init__(self, store: Store, ring: KeyRing) -> None:
        """Use an open store; the ring has the key of the platform, which signs them."""
        super().__init__(store)
        self._ring = ring

    def add(self, envelope: Mapping[str, Any]) -> str:
        """Store a key that the platform signed; the same one once. Gives its thumbprint.

        Raises Broken for another signature, and Malformed for one key too many.
        """
        statement = self._statement(envelope)
        subject, name = str(statement["subject"]), str(statement["thumbprint"])
        self.require_place(subject, name)
        sql = (
            "INSERT INTO subject_key (subject, thumbprint, envelope) VALUES (?, ?, ?) "
            "ON CONFLICT (subject, thumbprint) DO UPDATE SET envelope = excluded.envelope"
        )
        self.rows(sql, subject, name, canonical(dict(envelope)).decode())
        return name

    def require_place(self, subject: str, name: str) -> None:
        """Raise Malformed when a subject has too many other keys."""
        others = self.rows("SELECT count(*) FROM subject_key WHERE subject = ? AND thumbprint <> ?", subject, name)
        if others[0][0] >= MOST_KEYS:
            raise Malformed("subject-keys.too-many", limit=MOST_KEYS)

    def remove(self, subject: str, name: str) -> bool:
        """Remove a key; False when there is no such key."""
        sql = "DELETE FROM subject_key WHERE subject = ? AND thumbprint = ? RETURNING thumbprint"
        return bool(self.rows(sql, subject, name))

    def of(self, subject: str) -> list[dict[str, Any]]:
        """The public keys (JWK) of a subject. A row that the platform did not sign for this subject is none."""
        keys = []
        for (text,) in self.rows("SELECT envelope FROM subject_key WHERE subject = ?", subject):
            try:
                statement = self._statement(json.loads(text))
            except (Broken, ValueError):
                continue
            if statement["subject"] == subject:
                keys.append(dict(statement["jwk"]))
        return keys

    def _statement(self, envelope: Mapping[str, Any]) -> dict[str, Any]:
        return dict(verify_envelope(dict(envelope), PAYLOAD_TYPE, self._ring, {"platform"}))
