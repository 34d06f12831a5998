"""Sign-ins (登录记录): who signed in, with which factor, when, and in which session of the hub.

The hub alone writes and reads this file. A later sign-in in the same session takes the place of the earlier one. The
record is of a user *and* a session: a session id that was planted in another browser is no sign-in of the user there.
"""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.hub.private_database import private_database

FACTORS = frozenset({"password", "totp", "passkey", "oidc", "recovery"})
KEPT = timedelta(days=30)  # no session is longer
_TABLE = (
    "CREATE TABLE IF NOT EXISTS sign_ins (user TEXT, session TEXT, factor TEXT, at TEXT, PRIMARY KEY (user, session))"
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """One sign-in."""

    user: str
    factor: str
    at: datetime
    session: str


@dataclass(frozen=True, slots=True)
class SignIns:
    """The sign-ins in a SQLite file of mode 0600."""

    path: Path

    def record(self, user: str, factor: str, at: datetime, session: str) -> None:
        """Record that ``user`` signed in with ``factor``; sign-ins older than :data:`KEPT` are removed.

        Raises ``ValueError`` for a factor that is none and for an empty user or session.
        """
        if factor not in FACTORS or not user or not session:
            raise ValueError("a sign-in has a user, a known factor and a session")
        with self._opened() as db:
            db.execute("INSERT OR REPLACE INTO sign_ins VALUES (?, ?, ?, ?)", (user, session, factor, _written(at)))
            db.execute("DELETE FROM sign_ins WHERE at < ?", (_written(at - KEPT),))

    def of(self, user: str, session: str | None) -> SignIn | None:
        """The newest sign-in of a user in a session; None when there is none."""
        return next((each for each in self.all(user) if session and each.session == session), None)

    def all(self, user: str) -> list[SignIn]:
        """Every sign-in of a user that was not forgotten, the newest first."""
        with self._opened() as db:
            rows = db.execute("SELECT user, factor, at, session FROM sign_ins WHERE user = ? ORDER BY at DESC", (user,))
            return [SignIn(name, factor, datetime.fromisoformat(at), session) for name, factor, at, session in rows]

    def forget(self, user: str) -> None:
        """Forget every sign-in of a user: their sessions are no longer known."""
        with self._opened() as db:
            db.execute("DELETE FROM sign_ins WHERE user = ?", (user,))

    def forget_others(self, user: str, session: str) -> None:
        """Forget the sign-ins of a user in every session but one."""
        with self._opened() as db:
            db.execute("DELETE FROM sign_ins WHERE user = ? AND session != ?", (user, session))

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        return private_database(self.path, _TABLE)


def _written(at: datetime) -> str:
    """A moment as text whose order is that of time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
