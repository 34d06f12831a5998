"""Time-based one-time passwords (动态口令, TOTP, RFC 6238): a new secret, and the step that a code belongs to."""

from __future__ import annotations

import hmac
import re

import pyotp

SECONDS, DRIFT = 30, 1  # a step, and the steps before and after that a clock may be off
ISSUER = "Haihe Credit Lab"


def new_secret() -> str:
    """A secret of 160 bits, as authenticator programs take it."""
    return pyotp.random_base32(32)


def address_of(secret: str, name: str) -> str:
    """The ``otpauth`` address that a QR code shows."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def step_of(secret: str, code: str, at: float) -> int | None:
    """The step whose code this is, near the moment ``at`` (seconds since 1970); None for a wrong code.

    The caller keeps the last step that it accepted and takes later ones alone: so no code counts twice.
    """
    digits = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    here, generator = int(at) // SECONDS, pyotp.TOTP(secret)
    for step in range(here - DRIFT, here + DRIFT + 1):
        if hmac.compare_digest(generator.at(step * SECONDS), digits):
            return step
    return None


def code_at(secret: str, at: float) -> str:
    """The code of a moment, as an authenticator program shows it."""
    return pyotp.TOTP(secret).at(int(at))
