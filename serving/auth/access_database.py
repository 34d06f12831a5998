"""The database of who may call: bank clients with salted hashes of their secrets, and the mandates granted."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from credit.canonical import canonical
from credit.errors import Malformed, Missing, Unauthenticated
from serving.auth.clients import DEFAULT_LIMIT, KINDS, MAX_KEYS, Client, RateLimit
from serving.auth.dpop import read_key, thumbprint

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**14, 8, 1  # RFC 7914 §2: 16 MiB a try, about 50 ms
_NOBODY_SALT = bytes(16)  # an unknown client is hashed with this salt, so that it costs what a known one costs
_SCHEMA = """
CREATE TABLE IF NOT EXISTS client (
  name TEXT PRIMARY KEY, salt BLOB NOT NULL, hash BLOB NOT NULL, scopes TEXT NOT NULL,
  created_at TEXT NOT NULL, disabled INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS mandate (
  id TEXT PRIMARY KEY, bank TEXT NOT NULL REFERENCES client(name), envelope TEXT NOT NULL, revoked_at TEXT) STRICT;
CREATE TABLE IF NOT EXISTS client_limit (
  name TEXT PRIMARY KEY REFERENCES client(name), rate REAL NOT NULL, burst REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS client_kind (name TEXT PRIMARY KEY REFERENCES client(name), kind TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS client_network (
  name TEXT PRIMARY KEY REFERENCES client(name), networks TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS client_key (
  name TEXT NOT NULL REFERENCES client(name), thumbprint TEXT NOT NULL, jwk TEXT NOT NULL,
  PRIMARY KEY (name, thumbprint)) STRICT;
CREATE TABLE IF NOT EXISTS client_former (
  name TEXT PRIMARY KEY REFERENCES client(name), hash BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS objection (
  id TEXT PRIMARY KEY, bank TEXT NOT NULL, score_id TEXT NOT NULL, kind TEXT NOT NULL, statement TEXT NOT NULL) STRICT;
"""
_CLIENT = """
SELECT client.name, scopes, created_at, disabled, rate, burst, kind, networks
FROM client LEFT JOIN client_limit USING (name) LEFT JOIN client_kind USING (name)
LEFT JOIN client_network USING (name) WHERE client.name = ?
"""


class AccessDatabase:
    """One SQLite database, safe to use from several threads and open in several processes at once."""

    def __init__(self, path: Path) -> None:
        """Open the database at `path`, made readable to its owner alone when it does not exist."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._lock = threading.Lock()
        self._turn: tuple[int, int] | None = None
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Run one statement and give its rows."""
        with self._lock:
            self._turn = None
            return self._db.execute(sql, values).fetchall()

    def generation(self) -> tuple[int, int]:
        """What changes whenever anybody, in this process or another, has changed the database.

        Asked of SQLite once a turn of the event loop: all that runs in one turn came before it.
        """
        if self._turn is not None:
            return self._turn
        with self._lock:
            (others,) = self._db.execute("PRAGMA data_version").fetchone()
            now = self._db.total_changes, others
        with suppress(RuntimeError):  # outside a loop there are no turns
            asyncio.get_running_loop().call_soon(self._end_turn)
            self._turn = now
        return now

    def _end_turn(self) -> None:
        self._turn = None

    def add_client(self, name: str, scopes: Iterable[str] | None = None, kind: str = "bank") -> str:
        """Add a client and give its new secret (32 random bytes, base64url): this is the only time it can be seen.

        A ``bank`` or an ``agency`` (行政机关) gets all scopes of its kind unless told. Raises Malformed for a bad name,
        an unknown kind, a scope of another kind or a name that is taken.
        """
        if kind not in KINDS:
            raise Malformed("access-database.not-kind-client", kinds=", ".join(KINDS))
        known = KINDS[kind]
        wanted = known if scopes is None else frozenset(scopes)
        if not _NAME.fullmatch(name):
            raise Malformed("access-database.not-client-name")
        if not wanted or wanted - known:
            raise Malformed("access-database.not-set-scopes", known=", ".join(sorted(known)))
        secret, salt = secrets.token_urlsafe(32), secrets.token_bytes(16)
        row = (name, salt, _hash(secret, salt), " ".join(sorted(wanted)), datetime.now(UTC).isoformat(), 0)
        try:
            self.rows("INSERT INTO client VALUES (?, ?, ?, ?, ?, ?)", *row)
        except sqlite3.IntegrityError as taken:
            raise Malformed("access-database.client-exists-already", name=name) from taken
        self.rows("INSERT INTO client_kind VALUES (?, ?)", name, kind)
        return secret

    def renew_secret(self, name: str) -> str:
        """A new secret beside the one that the client has, so that secrets change without a gap; seen this once.

        Both have one salt, so to try one costs what it did. Raises Missing, and Malformed while there are two.
        """
        self._require(name)
        ((salt, hash_),) = self.rows("SELECT salt, hash FROM client WHERE name = ?", name)
        assert isinstance(salt, bytes)  # the table is STRICT
        if not self.rows("INSERT OR IGNORE INTO client_former VALUES (?, ?) RETURNING name", name, hash_):
            raise Malformed("access-database.bank-two-secrets-at-time")
        secret = secrets.token_urlsafe(32)
        self.rows("UPDATE client SET hash = ? WHERE name = ?", _hash(secret, salt), name)
        return secret

    def drop_secret(self, name: str) -> None:
        """Take the older of two secrets back. Raises Missing."""
        if not self.rows("DELETE FROM client_former WHERE name = ? RETURNING name", name):
            raise Missing("access-database.client-no-older-secret", name=name)

    def disable_client(self, name: str, *, disabled: bool = True) -> None:
        """Shut a client out at once, its tokens stop working too; or let it in again. Raises Missing."""
        if not self.rows("UPDATE client SET disabled = ? WHERE name = ? RETURNING name", int(disabled), name):
            raise Missing("access-database.no-client", name=name)

    def client(self, name: str) -> Client | None:
        """The client of this name, disabled or not."""
        for found, scopes, created, disabled, rate, burst, kind, networks in self.rows(_CLIENT, name):
            since = datetime.fromisoformat(str(created))
            limit = DEFAULT_LIMIT if rate is None else RateLimit(float(str(rate)), float(str(burst)))
            told = tuple(ipaddress.ip_network(part) for part in str(networks or "").split())
            may = frozenset(str(scopes).split())
            return Client(str(found), may, since, bool(disabled), limit, str(kind or "bank"), told)
        return None

    def set_limit(self, name: str, limit: RateLimit) -> None:
        """Say how much a bank may ask. Raises Missing."""
        self._require(name)
        self.rows("INSERT OR REPLACE INTO client_limit VALUES (?, ?, ?)", name, limit.rate, limit.burst)

    def set_networks(self, name: str, networks: Iterable[str]) -> None:
        """Say from where a bank may call (CIDR); none is from anywhere. Raises Missing, Malformed."""
        self._require(name)
        try:
            told = " ".join(str(ipaddress.ip_network(network)) for network in networks)
        except ValueError as bad:
            raise Malformed("access-database.not-network") from bad
        self.rows("INSERT OR REPLACE INTO client_network VALUES (?, ?)", name, told)

    def add_key(self, name: str, jwk: Mapping[str, Any]) -> str:
        """Register a client's public key beside those it has, so that keys change without a gap; its thumbprint.

        Raises Missing, and Malformed for a key that is not public, not for signing, or weak, or is a third one.
        """
        self._require(name)
        read_key(jwk)
        print_ = thumbprint(jwk)
        if len([held for held in self.keys(name) if thumbprint(held) != print_]) >= MAX_KEYS:
            raise Malformed("access-database.bank-two-keys-at-time")
        self.rows("INSERT OR REPLACE INTO client_key VALUES (?, ?, ?)", name, print_, canonical(jwk).decode())
        return print_

    def remove_key(self, name: str, thumbprint: str) -> None:
        """Take a key back. Raises Missing."""
        sql = "DELETE FROM client_key WHERE name = ? AND thumbprint = ? RETURNING name"
        if not self.rows(sql, name, thumbprint):
            raise Missing("access-database.client-no-such-key", name=name)

    def keys(self, name: str) -> list[dict[str, Any]]:
        """The public keys registered for a client, as JWKs."""
        return [json.loads(str(jwk)) for (jwk,) in self.rows("SELECT jwk FROM client_key WHERE name = ?", name)]

    def _require(self, name: str) -> None:
        if self.client(name) is None:
            raise Missing("access-database.no-client-add-bank-first", name=name)

    def check(self, name: str, secret: str) -> Client:
        """The client with this name and secret; raises Unauthenticated, after the same work whichever is wrong."""
        stored = self.rows("SELECT salt, hash FROM client WHERE name = ?", name)
        salt, expected = stored[0] if stored else (_NOBODY_SALT, bytes(32))
        assert isinstance(salt, bytes)  # the table is STRICT
        assert isinstance(expected, bytes)
        former = self.rows("SELECT hash FROM client_former WHERE name = ?", name)
        older = former[0][0] if former else bytes(32)
        assert isinstance(older, bytes)
        made = _hash(secret, salt)
        same = hmac.compare_digest(made, expected) | hmac.compare_digest(made, older)
        client = self.client(name)
        if not (same and stored) or client is None or client.disabled:
            raise Unauthenticated("access-database.client-authentication-failed")
        return client


def _hash(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P, dklen=32)
