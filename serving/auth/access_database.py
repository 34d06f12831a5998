"""The tables of the clients, with salted hashes of their secrets, and of the mandates granted to banks."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Self

from credit.canonical import canonical
from credit.errors import Malformed, Missing, Unauthenticated
from serving.auth.clients import DEFAULT_LIMIT, KINDS, MAX_KEYS, Client, RateLimit
from serving.auth.dpop import read_key, thumbprint
from serving.store.store import Place, Store, open_store
from serving.store.tables import StoreTables
from serving.store.transaction import Transaction, Value

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**14, 8, 1  # RFC 7914 §2: 16 MiB and about 50 ms per check
_UNKNOWN_CLIENT_SALT = bytes(16)  # so that an unknown client takes as long as a known one
_CLIENT = """\
SELECT client.name, scopes, created_at, disabled, rate, burst, kind, networks
FROM client LEFT JOIN client_limit USING (name) LEFT JOIN client_kind USING (name)
LEFT JOIN client_network USING (name) WHERE client.name = ?
"""


class AccessDatabase(StoreTables):
    """The clients and mandates in the store; safe to use from several threads and processes."""

    def __init__(self, place: Place | Store = None) -> None:
        """Use a store, or open the one at this place."""
        super().__init__(place if isinstance(place, Store) else open_store(place))
        self._cached_generation: int | None = None

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def in_one(self, act: Callable[[Self], Value]) -> Value:
        """The value of an act whose statements are done together or not at all. Raises StoreUnavailable.

        Every process then judges again what it has allowed so far.
        """
        if self._transaction is not None:
            return act(self)

        def whole(transaction: Transaction) -> Value:
            value = act(self._within(transaction))
            transaction.rows("UPDATE generation SET value = value + 1")
            return value

        self._cached_generation = None
        return self.store.run(whole)

    def generation(self) -> int:
        """A value that differs whenever this or another process has changed the database.

        It is read once per iteration of the event loop: all requests of one iteration arrived before it.
        """
        if self._cached_generation is not None:
            return self._cached_generation
        ((now,),) = self.rows("SELECT value FROM generation")
        with suppress(RuntimeError):  # there is no event loop
            asyncio.get_running_loop().call_soon(self._drop_generation)
            self._cached_generation = now
        return int(now)

    def _drop_generation(self) -> None:
        self._cached_generation = None

    def add_client(self, name: str, scopes: Iterable[str] | None = None, kind: str = "bank") -> str:
        """Add a client and return its new secret (32 random bytes, base64url), which cannot be read again later.

        A ``bank`` or an ``agency`` (行政机关) gets all scopes of its kind by default. Raises Malformed for an invalid
        name,
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
        sql = (
            "INSERT INTO client (name, salt, hash, scopes, created_at, disabled) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO NOTHING RETURNING name"
        )

        def add(access: AccessDatabase) -> str:
            if not access.rows(sql, *row):
                raise Malformed("access-database.client-exists-already", name=name)
            access.rows("INSERT INTO client_kind (name, kind) VALUES (?, ?)", name, kind)
            return secret

        return self.in_one(add)

    def renew_secret(self, name: str) -> str:
        """A new secret in addition to the present one, so that secrets change without a gap; it can be read only now.

        Both have one salt, so a check takes no longer than before. Raises Missing, and Malformed while there are two.
        """
        return self.in_one(lambda access: access._renew_secret(name))

    def _renew_secret(self, name: str) -> str:
        self._require(name)
        ((salt, hash_),) = self.rows("SELECT salt, hash FROM client WHERE name = ?", name)
        sql = "INSERT INTO client_former (name, hash) VALUES (?, ?) ON CONFLICT (name) DO NOTHING RETURNING name"
        if not self.rows(sql, name, hash_):
            raise Malformed("access-database.bank-two-secrets-at-time")
        secret = secrets.token_urlsafe(32)
        self.rows("UPDATE client SET hash = ? WHERE name = ?", _hash(secret, salt), name)
        return secret

    def drop_secret(self, name: str) -> None:
        """Delete the older of two secrets. Raises Missing."""
        if not self.rows("DELETE FROM client_former WHERE name = ? RETURNING name", name):
            raise Missing("access-database.client-no-older-secret", name=name)

    def disable_client(self, name: str, *, disabled: bool = True) -> None:
        """Disable a client and its tokens at once, or enable it again. Raises Missing."""
        if not self.rows("UPDATE client SET disabled = ? WHERE name = ? RETURNING name", int(disabled), name):
            raise Missing("access-database.no-client", name=name)

    def client(self, name: str) -> Client | None:
        """The client of this name, disabled or not; None when there is none."""
        for stored_name, scopes, created, disabled, rate, burst, kind, networks in self.rows(_CLIENT, name):
            since = datetime.fromisoformat(str(created))
            limit = DEFAULT_LIMIT if rate is None else RateLimit(float(str(rate)), float(str(burst)))
            allowed_networks = tuple(ipaddress.ip_network(part) for part in str(networks or "").split())
            scope_set = frozenset(str(scopes).split())
            client_kind = str(kind or "bank")
            return Client(str(stored_name), scope_set, since, bool(disabled), limit, client_kind, allowed_networks)
        return None

    def set_limit(self, name: str, limit: RateLimit) -> None:
        """Set a client's rate limit. Raises Missing."""
        self._require(name)
        sql = (
            "INSERT INTO client_limit (name, rate, burst) VALUES (?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET rate = excluded.rate, burst = excluded.burst"
        )
        self.rows(sql, name, limit.rate, limit.burst)

    def set_networks(self, name: str, networks: Iterable[str]) -> None:
        """Set the networks (CIDR) from which a client may call; no network means all. Raises Missing, Malformed."""
        self._require(name)
        try:
            texts = " ".join(str(ipaddress.ip_network(network)) for network in networks)
        except ValueError as bad:
            raise Malformed("access-database.not-network") from bad
        sql = (
            "INSERT INTO client_network (name, networks) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET networks = excluded.networks"
        )
        self.rows(sql, name, texts)

    def add_key(self, name: str, jwk: Mapping[str, Any]) -> str:
        """Add a public key of a client to its others, so that keys change without a gap; return its thumbprint.

        Raises Missing, and Malformed for a key that is not public, not for signing, weak, or one too many.
        """
        read_key(jwk)
        return self.in_one(lambda access: access._add_key(name, jwk))

    def _add_key(self, name: str, jwk: Mapping[str, Any]) -> str:
        self._require(name)
        key_id = thumbprint(jwk)
        if len([key for key in self.keys(name) if thumbprint(key) != key_id]) >= MAX_KEYS:
            raise Malformed("access-database.bank-two-keys-at-time")
        sql = (
            "INSERT INTO client_key (name, thumbprint, jwk) VALUES (?, ?, ?) "
            "ON CONFLICT (name, thumbprint) DO UPDATE SET jwk = excluded.jwk"
        )
        self.rows(sql, name, key_id, canonical(jwk).decode())
        return key_id

    def remove_key(self, name: str, thumbprint: str) -> None:
        """Remove a key. Raises Missing."""
        sql = "DELETE FROM client_key WHERE name = ? AND thumbprint = ? RETURNING name"
        if not self.rows(sql, name, thumbprint):
            raise Missing("access-database.client-no-such-key", name=name)

    def set_certificate(self, name: str, subject: str) -> None:
        """Set the name (`certificate_name`) of the certificates that prove this client; none with an empty text.

        Raises Missing, and Malformed for a name that is another client's.
        """
        self._require(name)
        insert = "INSERT INTO client_certificate (name, subject) VALUES (?, ?) ON CONFLICT (subject) DO NOTHING "

        def change(access: AccessDatabase) -> None:
            access.rows("DELETE FROM client_certificate WHERE name = ?", name)
            if subject and not access.rows(insert + "RETURNING name", name, subject):
                raise Malformed("access-database.certificate-of-another")

        self.in_one(change)

    def require_free_certificate(self, name: str, subject: str) -> None:
        """Raise Malformed when another client has registered this subject."""
        if self.rows("SELECT 1 FROM client_certificate WHERE subject = ? AND name <> ?", subject, name):
            raise Malformed("access-database.certificate-of-another")

    def certificate_subject(self, name: str) -> str:
        """The subject of this client's certificates; empty when none is registered."""
        rows = self.rows("SELECT subject FROM client_certificate WHERE name = ?", name)
        return str(rows[0][0]) if rows else ""

    def keys(self, name: str) -> list[dict[str, Any]]:
        """The public keys registered for a client, as JWKs."""
        return [json.loads(str(jwk)) for (jwk,) in self.rows("SELECT jwk FROM client_key WHERE name = ?", name)]

    def _require(self, name: str) -> None:
        if self.client(name) is None:
            raise Missing("access-database.no-client-add-bank-first", name=name)

    def check(self, name: str, secret: str) -> Client:
        """The client with this name and secret. Raises Unauthenticated, after the same work whichever is wrong."""
        stored = self.rows("SELECT salt, hash FROM client WHERE name = ?", name)
        salt, expected = stored[0] if stored else (_UNKNOWN_CLIENT_SALT, bytes(32))
        former = self.rows("SELECT hash FROM client_former WHERE name = ?", name)
        older = former[0][0] if former else bytes(32)
        computed = _hash(secret, salt)
        same = hmac.compare_digest(computed, expected) | hmac.compare_digest(computed, older)
        client = self.client(name)
        if not (same and stored) or client is None or client.disabled:
            raise Unauthenticated("access-database.client-authentication-failed")
        return client


def _hash(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P, dklen=32)
