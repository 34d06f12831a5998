"""A change of a bank or an agency as the platform requests it: first checked, then recorded, then made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from credit.errors import Missing
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import DEFAULT_LIMIT, RateLimit
from serving.auth.dpop import read_key, thumbprint


@dataclass(frozen=True, slots=True)
class ClientChange:
    """What is to change of a client; what is None or empty stays. ``key`` is a public key (JWK)."""

    name: str
    kind: str = "bank"
    key: Mapping[str, Any] | None = None
    drop_key: str | None = None
    new_secret: bool = False
    drop_secret: bool = False
    shut_out: bool | None = None
    networks: tuple[str, ...] | None = None
    certificate: str | None = None  # the name of its TLS certificates (`certificate_name`); an empty text for none
    rate: float | None = None
    burst: float | None = None

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> ClientChange:
        """The change that the arguments of a request ask for."""
        known = {name: arguments[name] for name in cls.__slots__ if arguments.get(name) is not None}
        if "networks" in known:
            known["networks"] = tuple(known["networks"])
        return cls(**known)

    def check(self, access: AccessDatabase) -> dict[str, Any]:
        """``{"entry", "details"}`` for the platform's ledger. Raises Missing for a change of no client.

        The key is checked too (Malformed), since nothing is refused any more once the entry is written.
        """
        exists = access.client(self.name) is not None
        of_one: dict[str, bool | None] = {"new_secret": self.new_secret or None, "shut_out": self.shut_out}
        of_one |= {"drop_secret": self.drop_secret or None}
        if any(value is not None for value in of_one.values()) and not exists:
            raise Missing("access-database.no-client-add-bank-first", name=self.name)
        changed: dict[str, object] = {"drop_key": self.drop_key, "from": self.networks, **of_one}
        changed["certificate"] = self.certificate
        changed |= {"rate": self.rate, "burst": self.burst}
        details = {name: str(value) for name, value in changed.items() if value is not None}
        if self.key is not None:
            read_key(self.key)
            details["key"] = thumbprint(self.key)
        if self.certificate is not None:
            access.require_free_certificate(self.name, self.certificate)
        is_new = not exists
        return {"entry": "bank.added" if is_new else "bank.changed", "details": details | self._kind(is_new)}

    def make(self, access: AccessDatabase, *, is_new: bool) -> str:
        """Make the change in one transaction; the new secret, or an empty text.

        Raises Missing and Malformed as the database does, and then nothing was changed.
        """
        return access.in_one(lambda tables: self._make(tables, is_new=is_new))

    def _make(self, access: AccessDatabase, *, is_new: bool) -> str:
        secret = ""
        if is_new and access.client(self.name) is None:
            secret = access.add_client(self.name, kind=self.kind)
        if self.drop_secret:
            access.drop_secret(self.name)
        if self.new_secret:
            secret = access.renew_secret(self.name)
        if self.shut_out is not None:
            access.disable_client(self.name, disabled=self.shut_out)
        if self.drop_key:
            access.remove_key(self.name, self.drop_key)
        if self.key is not None:
            access.add_key(self.name, self.key)
        if self.networks:
            access.set_networks(self.name, self.networks)
        if self.certificate is not None:
            access.set_certificate(self.name, self.certificate)
        if self.rate or self.burst:
            limit = RateLimit(self.rate or DEFAULT_LIMIT.rate, self.burst or DEFAULT_LIMIT.burst)
            access.set_limit(self.name, limit)
        return secret

    def _kind(self, is_new: bool) -> dict[str, str]:
        return {"kind": self.kind} if is_new else {}
