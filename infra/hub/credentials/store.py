"""The credentials in a SQLite file of mode 0600, each of one enrolment of one account.

The ledger says which enrolment of an account is in force. What was enrolled by an earlier link is never found again, so
a reset or a removal ends every credential at once, without this file being touched.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from credit.errors import Refused
from infra.hub.credentials.passkeys import Passkey
from infra.hub.credentials.recovery_codes import recovery_digest
from infra.hub.credentials.totp import step_of
from infra.hub.private_database import private_database
from lab.accounts.account import Account
from lab.accounts.slow_hash import matches, slow_hash

CODE_TRIES = 10  # wrong codes after which a link is worth nothing
_TABLES = """
CREATE TABLE IF NOT EXISTS passwords (name TEXT PRIMARY KEY, enrolment TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS totp (name TEXT PRIMARY KEY, enrolment TEXT NOT NULL, secret TEXT NOT NULL,
  last_step INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS passkeys (id BLOB PRIMARY KEY, name TEXT NOT NULL, enrolment TEXT NOT NULL,
  public_key BLOB NOT NULL, sign_count INTEGER NOT NULL, label TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS recovery (digest TEXT PRIMARY KEY, name TEXT NOT NULL, enrolment TEXT NOT NULL,
  used INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS links (digest TEXT PRIMARY KEY, tries INTEGER NOT NULL, used INTEGER NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """Which second factors an account has, and how many recovery codes are left."""

    totp: bool
    passkeys: tuple[Passkey, ...]
    recovery_codes: int

    def __bool__(self) -> bool:
        return self.totp or bool(self.passkeys)


@dataclass(frozen=True, slots=True)
class NewCredentials:
    """What a person chose when enrolling. ``totp`` is a secret and the step of the code that proved it."""

    password_hash: str
    totp: tuple[str, int] | None = None
    passkey: Passkey | None = None
    recovery_codes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CredentialStore:
    """The file at ``path``."""

    path: Path

    def is_enrolled(self, account: Account) -> bool:
        """True when the account has a password of the enrolment in force."""
        return self._hash(account) is not None

    def password_matches(self, account: Account | None, password: str) -> bool:
        """True for the right password. An unknown account takes as long as a wrong password."""
        return matches(self._hash(account) if account else None, password)

    def second_factors(self, account: Account) -> SecondFactors:
        """The second factors in force."""
        key = (account.name, account.enrolment)
        with self._opened() as db:
            totp = db.execute("SELECT 1 FROM totp WHERE name = ? AND enrolment = ?", key).fetchone()
            query = "SELECT id, public_key, sign_count, label FROM passkeys WHERE name = ? AND enrolment = ?"
            rows = db.execute(query, key).fetchall()
            query = "SELECT count(*) FROM recovery WHERE name = ? AND enrolment = ? AND NOT used"
            left = db.execute(query, key).fetchone()[0]
        return SecondFactors(totp is not None, tuple(Passkey(*row) for row in rows), left)

    def enrol(self, account: Account, new: NewCredentials) -> None:
        """Store everything of a new enrolment, and end its link. Raises :class:`Refused` for a link that was used."""
        key = (account.name, account.enrolment)
        with self._opened() as db:
            self._begin(db)
            query = "INSERT INTO links VALUES (?, 0, 1) ON CONFLICT DO UPDATE SET used = 1 WHERE NOT used AND tries < ?"
            if db.execute(query, (account.enrolment, CODE_TRIES)).rowcount != 1:
                raise Refused("credentials.link-used")
            for table in ("passwords", "totp", "passkeys", "recovery"):
                db.execute(f"DELETE FROM {table} WHERE name = ?", (account.name,))
            db.execute("INSERT INTO passwords VALUES (?, ?, ?)", (*key, new.password_hash))
            if new.totp is not None:
                db.execute("INSERT INTO totp VALUES (?, ?, ?, ?)", (*key, *new.totp))
            if new.passkey is not None:
                self._insert_passkey(db, account, new.passkey)
            self._insert_recovery(db, account, new.recovery_codes)

    def link_is_open(self, account: Account) -> bool:
        """True until someone enrolled with the account's link, or too many wrong codes were tried with it."""
        with self._opened() as db:
            row = db.execute("SELECT tries, used FROM links WHERE digest = ?", (account.enrolment,)).fetchone()
        return row is None or (not row[1] and row[0] < CODE_TRIES)

    def count_code_try(self, account: Account) -> None:
        """Count a wrong code that was tried with the account's link."""
        with self._opened() as db:
            db.execute(
                "INSERT INTO links VALUES (?, 1, 0) ON CONFLICT DO UPDATE SET tries = tries + 1", (account.enrolment,)
            )

    def accepts_totp(self, account: Account, code: str, at: float) -> bool:
        """True for a right code that was not used, nor one after it; from then on it counts as used."""
        key = (account.name, account.enrolment)
        with self._opened() as db:
            row = db.execute("SELECT secret FROM totp WHERE name = ? AND enrolment = ?", key).fetchone()
            step = step_of(row[0], code, at) if row else None
            query = "UPDATE totp SET last_step = ?1 WHERE name = ?2 AND enrolment = ?3 AND last_step < ?1"
            return step is not None and db.execute(query, (step, *key)).rowcount == 1

    def totp_secret(self, account: Account) -> str:
        """The secret of an account; empty without one. Only an invented home shows it."""
        query = "SELECT secret FROM totp WHERE name = ? AND enrolment = ?"
        with self._opened() as db:
            row = db.execute(query, (account.name, account.enrolment)).fetchone()
        return str(row[0]) if row else ""

    def accepts_recovery_code(self, account: Account, code: str) -> bool:
        """True for one of the account's codes that was not used; from then on it counts as used."""
        values = (recovery_digest(account.name, code), account.name, account.enrolment)
        query = "UPDATE recovery SET used = 1 WHERE digest = ? AND name = ? AND enrolment = ? AND NOT used"
        with self._opened() as db:
            return db.execute(query, values).rowcount == 1

    def passkey_of(self, account: Account, id: bytes) -> Passkey | None:
        """One of the account's own passkeys; None for another's."""
        return next((each for each in self.second_factors(account).passkeys if each.id == id), None)

    def count_passkey_use(self, account: Account, id: bytes, sign_count: int) -> None:
        """Store the new number of uses of a passkey."""
        with self._opened() as db:
            query = "UPDATE passkeys SET sign_count = ? WHERE id = ? AND name = ? AND enrolment = ?"
            db.execute(query, (sign_count, id, account.name, account.enrolment))

    def change_password(self, account: Account, password_hash: str) -> None:
        """Set another password."""
        with self._opened() as db:
            query = "UPDATE passwords SET hash = ? WHERE name = ? AND enrolment = ?"
            db.execute(query, (password_hash, account.name, account.enrolment))

    def set_totp(self, account: Account, secret: str, step: int) -> None:
        """Set another TOTP secret, proved by the code of ``step``."""
        with self._opened() as db:
            values = (account.name, account.enrolment, secret, step)
            db.execute("INSERT OR REPLACE INTO totp VALUES (?, ?, ?, ?)", values)

    def add_passkey(self, account: Account, passkey: Passkey) -> None:
        """Add a passkey; raises :class:`Refused` for one that is registered already, of whomever."""
        with self._opened() as db:
            self._insert_passkey(db, account, passkey)

    def rename_passkey(self, account: Account, id: bytes, label: str) -> None:
        """Give a passkey of the account another name."""
        with self._opened() as db:
            query = "UPDATE passkeys SET label = ? WHERE id = ? AND name = ? AND enrolment = ?"
            db.execute(query, (label, id, account.name, account.enrolment))

    def remove_passkey(self, account: Account, id: bytes, *, keep_one: bool) -> bool:
        """Remove a passkey; False, and nothing is removed, when it is the last factor of who must ``keep_one``."""
        with self._opened() as db:
            self._begin(db)
            key = (account.name, account.enrolment)
            others = "SELECT (SELECT count(*) FROM totp WHERE name = ?1 AND enrolment = ?2) + (SELECT count(*) FROM "
            others += "passkeys WHERE name = ?1 AND enrolment = ?2 AND id != ?3)"
            if keep_one and not db.execute(others, (*key, id)).fetchone()[0]:
                return False
            query = "DELETE FROM passkeys WHERE name = ? AND enrolment = ? AND id = ?"
            return db.execute(query, (*key, id)).rowcount == 1

    def set_recovery_codes(self, account: Account, codes: Sequence[str]) -> None:
        """Set new recovery codes in place of all earlier ones."""
        with self._opened() as db:
            self._begin(db)
            db.execute("DELETE FROM recovery WHERE name = ?", (account.name,))
            self._insert_recovery(db, account, codes)

    def _hash(self, account: Account) -> str | None:
        query = "SELECT hash FROM passwords WHERE name = ? AND enrolment = ?"
        with self._opened() as db:
            row = db.execute(query, (account.name, account.enrolment)).fetchone()
        return str(row[0]) if row else None

    @staticmethod
    def _insert_passkey(db: sqlite3.Connection, account: Account, new: Passkey) -> None:
        values = (new.id, account.name, account.enrolment, new.public_key, new.sign_count, new.label)
        try:
            db.execute("INSERT INTO passkeys VALUES (?, ?, ?, ?, ?, ?)", values)
        except sqlite3.IntegrityError:
            raise Refused("credentials.passkey-known") from None

    @staticmethod
    def _insert_recovery(db: sqlite3.Connection, account: Account, codes: Sequence[str]) -> None:
        rows = [(recovery_digest(account.name, code), account.name, account.enrolment) for code in codes]
        db.executemany("INSERT INTO recovery (digest, name, enrolment) VALUES (?, ?, ?)", rows)

    @staticmethod
    def _begin(db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        return private_database(self.path, _TABLES)


def password_hash(password: str) -> str:
    """The hash under which a new password is stored."""
    return slow_hash(password)
