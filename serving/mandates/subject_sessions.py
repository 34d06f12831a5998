"""How a subject opens its own page: by a link that works once, or by its own key; and for how long it stays open.

A link and a session are random tokens, of which the store holds digests alone. The subject's code, which its report
needs, is stored under a key that only the token gives: who reads it learns no code.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field

from serving.store.tables import StoreTables

LINK_SECONDS, SESSION_SECONDS = 3 * 24 * 3600.0, 15 * 60.0


@dataclass(frozen=True, slots=True)
class SubjectSession:
    """An open page: the subject's pseudonym and its code, and the token that each form of the page has to bring."""

    subject: str
    uscc: str = field(repr=False)
    form_token: str = field(repr=False)


class SubjectSessions(StoreTables):
    """The links and sessions in the store."""

    def make_link(self, subject: str, uscc: str, seconds: float = LINK_SECONDS) -> str:
        """The token of a new link for a subject."""
        now, token = time.time(), secrets.token_urlsafe(32)
        self.rows("DELETE FROM subject_link WHERE until <= ?", now)
        self.rows("INSERT INTO subject_link (digest, subject, code, until, used) VALUES (?, ?, ?, ?, 0)",
                  _digest(token), subject, _covered(uscc, token), now + seconds)  # fmt: skip
        return token

    def use_link(self, token: str) -> tuple[str, str] | None:
        """The subject and its code, the first time that a link is used before its end; None otherwise."""
        sql = "UPDATE subject_link SET used = 1 WHERE digest = ? AND used = 0 AND until > ? RETURNING subject, code"
        rows = self.rows(sql, _digest(token), time.time())
        return (str(rows[0][0]), _uncovered(rows[0][1], token)) if rows else None

    def begin(self, subject: str, uscc: str) -> str:
        """The token of a new session."""
        now, token = time.time(), secrets.token_urlsafe(32)
        self.rows("DELETE FROM subject_session WHERE until <= ?", now)
        self.rows("INSERT INTO subject_session (digest, subject, code, until) VALUES (?, ?, ?, ?)",
                  _digest(token), subject, _covered(uscc, token), now + SESSION_SECONDS)  # fmt: skip
        return token

    def session(self, token: str) -> SubjectSession | None:
        """The open session of this token."""
        rows = self.rows(
            "SELECT subject, code FROM subject_session WHERE digest = ? AND until > ?", _digest(token), time.time()
        )
        if not rows:
            return None
        return SubjectSession(str(rows[0][0]), _uncovered(rows[0][1], token), _keyed(token, "form").hex())

    def end(self, token: str) -> None:
        """End a session."""
        self.rows("DELETE FROM subject_session WHERE digest = ?", _digest(token))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _keyed(token: str, purpose: str) -> bytes:
    return hmac.digest(token.encode(), f"haihe subject {purpose}".encode(), "sha256")


def _covered(uscc: str, token: str) -> bytes:
    return bytes(one ^ other for one, other in zip(uscc.encode("ascii"), _keyed(token, "code"), strict=False))


def _uncovered(code: bytes, token: str) -> str:
    return bytes(one ^ other for one, other in zip(code, _keyed(token, "code"), strict=False)).decode("ascii")
