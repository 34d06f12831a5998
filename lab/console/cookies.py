"""Cookies that the console sets: encrypted and authenticated (Fernet), each for one use and a limited time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken

SESSION, LOGIN, LANGUAGE = "console-session", "console-login", "console-language"


@dataclass(frozen=True, slots=True)
class CookieJar:
    """Encrypts and decrypts cookies under keys derived from ``secret``, one key for each use (HMAC-SHA256)."""

    secret: str = field(repr=False)

    def seal(self, use: str, data: dict[str, str]) -> str:
        """The value of the cookie ``use`` that holds ``data``."""
        return self._fernet(use).encrypt(json.dumps(data).encode()).decode()

    def open(self, use: str, cookie: str, *, seconds: int) -> dict[str, str] | None:
        """The data of a cookie that was sealed for ``use`` at most ``seconds`` ago; None for any other value."""
        try:
            data: dict[str, str] = json.loads(self._fernet(use).decrypt(cookie.encode(), ttl=seconds))
        except (InvalidToken, ValueError):
            return None
        return data

    def form_token(self, session_cookie: str) -> str:
        """The token that each form of a session carries (against cross-site request forgery), 64 hexadecimal digits."""
        return hmac.new(self._key("form"), session_cookie.encode(), hashlib.sha256).hexdigest()

    def is_form_token(self, session_cookie: str, token: str) -> bool:
        """True when ``token`` is this session's form token, compared in constant time."""
        return hmac.compare_digest(self.form_token(session_cookie).encode(), token.encode())

    def _fernet(self, use: str) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._key(use)))

    def _key(self, use: str) -> bytes:
        return hmac.new(self.secret.encode(), f"haihe console {use}".encode(), hashlib.sha256).digest()
