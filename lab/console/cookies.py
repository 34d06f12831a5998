"""What a browser keeps for us: encrypted and authenticated (Fernet), for one use, for a time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken

SESSION, LOGIN, LANGUAGE = "console-session", "console-login", "console-language"


@dataclass(frozen=True, slots=True)
class Jar:
    """Seals and opens cookies under keys made from ``secret``, one for each use, so that none stands for another."""

    secret: str = field(repr=False)

    def seal(self, use: str, told: dict[str, str]) -> str:
        """What goes into the cookie ``use``."""
        return self._fernet(use).encrypt(json.dumps(told).encode()).decode()

    def open(self, use: str, cookie: str, *, seconds: int) -> dict[str, str] | None:
        """What was sealed for this use at most ``seconds`` ago; None for anything else."""
        try:
            told: dict[str, str] = json.loads(self._fernet(use).decrypt(cookie.encode(), ttl=seconds))
        except (InvalidToken, ValueError):
            return None
        return told

    def form_token(self, session: str) -> str:
        """What a form must carry: only a page of this very session can know it."""
        return hmac.new(self._key("form"), session.encode(), hashlib.sha256).hexdigest()

    def right(self, session: str, given: str) -> bool:
        """True when ``given`` is this session's form token, compared in constant time."""
        return hmac.compare_digest(self.form_token(session).encode(), given.encode())

    def _fernet(self, use: str) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._key(use)))

    def _key(self, use: str) -> bytes:
        return hmac.new(self.secret.encode(), f"haihe console {use}".encode(), hashlib.sha256).digest()
