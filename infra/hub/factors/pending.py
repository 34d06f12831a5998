"""What a page of factors waits for: the answer of an authenticator, the proof of a new secret, codes to be shown."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class PendingFactors:
    """The change that one browser of an account is in the middle of."""

    name: str
    enrolment: str
    challenge: bytes = b""
    secret: str = field(default="", repr=False)
    codes: tuple[str, ...] = field(default=(), repr=False)
