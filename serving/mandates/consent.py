"""A consent (授权声明): the subject's statement of bank, subject, purpose and last day, signed by its registered key.

It is a compact JWS (RFC 7515) by Ed25519 (EdDSA) or P-256 (ES256), with the header's type `haihe-consent+jwt`. What
decides are the fields that were read and verified, never the bytes: each is compared with the application that it
comes with, and its `jti` serves one application.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from credit.errors import Malformed, Refused, Unauthenticated
from credit.gate import Finding, Outcome
from credit.messages import Text
from serving.auth.claims import Claims, Name, read_claims, read_header
from serving.auth.dpop import DRIFT, read_key
from serving.auth.own_name import OwnName

TYPE = "haihe-consent+jwt"
OLDEST = 30 * 24 * 3600  # seconds from the signature until the application
ALGORITHMS = ("EdDSA", "ES256")
_FAULT = "mandate-consent.does-not-verify"


class ConsentClaims(Claims, frozen=True):
    """The statement: `aud` is this service, `sub` the subject's code, `until` the last day (ISO 8601)."""

    aud: Name
    sub: Name
    bank: Name
    purpose: Name
    until: Name
    jti: Name
    iat: float


def read_subject_key(jwk: Mapping[str, Any]) -> str:
    """The algorithm of a key that a subject may sign with. Raises Malformed for another kind, or a private one."""
    algorithm = read_key(jwk)[1]
    if algorithm not in ALGORITHMS:
        raise Malformed("mandate-consent.not-a-key", kinds=", ".join(ALGORITHMS))
    return algorithm


def read_consent(
    jws: str, keys: Sequence[Mapping[str, Any]], own_name: OwnName, *, uscc: str, bank: str, purpose: str, until: str,
    path: str = "/v1/mandates",
) -> ConsentClaims:  # fmt: skip
    """The statement, once a key of the subject's signed it for this application.

    Raises Refused, which names the check that failed: `signature`, `audience`, `bank`, `subject`, `purpose`, `until`
    or `time`.
    """
    claims = _verified(jws, keys)
    if claims is None:
        raise _refused("signature", _FAULT)
    if not own_name.is_audience(claims.aud, path):
        raise _refused("audience", "mandate-consent.for-another-service")
    stated = {"bank": (claims.bank, bank), "subject": (claims.sub, uscc), "purpose": (claims.purpose, purpose),
              "until": (claims.until, until)}  # fmt: skip
    for check, (value, wanted) in stated.items():
        if value != wanted:
            raise _refused(check, "mandate-consent.says-otherwise")
    now = time.time()
    if not now - OLDEST < claims.iat < now + DRIFT:
        raise _refused("time", "mandate-consent.not-recent")
    return claims


def already_used() -> Refused:
    """The refusal of a consent that another application has used."""
    return _refused("once", "mandate-consent.used-before")


def _verified(jws: str, keys: Sequence[Mapping[str, Any]]) -> ConsentClaims | None:
    for jwk in keys:
        try:
            if read_header(jws, _FAULT).typ != TYPE:
                return None
            key, algorithm = read_key(jwk)
            options = {"verify_aud": False, "verify_exp": False}
            return read_claims(jws, ConsentClaims, _FAULT, key, algorithms=[algorithm], options=options)
        except (Unauthenticated, Malformed):
            continue
    return None


def _refused(check: str, why: str) -> Refused:
    failed = Finding.of(check, Outcome.FAIL, Text(why))
    return Refused("mandate-consent.not-a-consent", why=failed.message, findings=(failed,))
