"""Accounts (账户): the users who may log in, their roles, and argon2id password hashes (RFC 9106), in a 0600 file."""

from __future__ import annotations

import base64
import fcntl
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from credit.actor import Actor, Role
from credit.errors import Broken, Malformed, Missing
from credit.files import write_atomically
from credit.ledger import Ledger
from credit.messages import Text

ROLES = (Role.RESEARCHER, Role.REVIEWER, Role.PLATFORM)
NAME = re.compile(r"[a-z][a-z0-9]{1,29}")  # also the name of a folder, a Unix socket and a hub user
LEAST = 12  # minimum number of characters of a password


@dataclass(frozen=True, slots=True)
class Account:
    """A user and their roles."""

    name: str
    roles: tuple[Role, ...]

    def actor(self, role: Role) -> Actor:
        """This user in one of their roles; raises :class:`~credit.errors.Refused` for a role that they do not have."""
        acting = Actor(self.name, role)
        if role not in self.roles:
            acting = Actor(self.name, self.roles[0])
        acting.require_role(role, act=Text.of("act.act-as", role=role))
        return acting


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts in a file. Raises :class:`Broken` when it cannot be read."""

    path: Path

    def add(self, name: str, roles: tuple[Role, ...], *, by: Actor, ledger: Ledger, password: str = "") -> str:
        """Add a user, or set new roles and a new password; returns the password, which is stored nowhere in clear.

        Raises :class:`Malformed` for an invalid name, role or password, and :class:`~credit.errors.Refused` unless
        ``by`` has the platform role.
        """
        by.require_role(Role.PLATFORM, act="act.add-accounts")
        if not NAME.fullmatch(name):
            raise Malformed("accounts.not-user-name")
        if not roles or not set(roles) <= set(ROLES):
            raise Malformed("accounts.these-not-roles-account", roles=", ".join(ROLES))
        password = password or secrets.token_urlsafe(12)
        if len(password) < LEAST:
            raise Malformed("accounts.password-too-short", minimum=LEAST)
        with self._locked() as accounts:
            accounts[name] = {"roles": sorted(roles), "hash": PasswordHasher().hash(password)}
        ledger.append("account.added", f"user-{name}", by=by, details={"roles": sorted(roles)})
        return password

    def remove(self, name: str, *, by: Actor, ledger: Ledger) -> None:
        """Remove an account; raises :class:`Missing`, or :class:`~credit.errors.Refused` as :meth:`add`."""
        by.require_role(Role.PLATFORM, act="act.remove-accounts")
        with self._locked() as accounts:
            if accounts.pop(name, None) is None:
                raise Missing("accounts.no-account", name=name)
        ledger.append("account.removed", f"user-{name}", by=by)

    def all(self) -> dict[str, Account]:
        """Every account by name."""
        return {name: Account(name, tuple(Role(each) for each in one["roles"])) for name, one in self._read().items()}

    def verify(self, name: str, password: str) -> Account | None:
        """The account if the password is right, else None. An unknown name takes as long as a wrong password."""
        stored = self._read().get(name)
        try:
            PasswordHasher().verify(stored["hash"] if stored else _UNMATCHABLE, password)
        except (VerificationError, InvalidHashError):
            return None
        return Account(name, tuple(Role(each) for each in stored["roles"])) if stored else None

    def _read(self) -> dict[str, dict[str, Any]]:
        if not self.path.exists():
            return {}
        try:
            accounts: dict[str, dict[str, Any]] = json.loads(self.path.read_bytes())
        except ValueError as error:
            raise Broken("accounts.accounts-cannot-be-read", why=Text.verbatim(self.path.name)) from error
        return accounts

    @contextmanager
    def _locked(self) -> Iterator[dict[str, dict[str, Any]]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            accounts = self._read()
            yield accounts
            write_atomically(self.path, json.dumps(accounts, indent=1).encode(), mode=0o600)


def _unmatchable_hash() -> str:
    """A hash in the same format (PHC string) and with the same cost as the others, without a known password."""
    cost = PasswordHasher()
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=") for length in (cost.salt_len, cost.hash_len)
    )
    return f"$argon2id$v=19$m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}${salt}${digest}"


_UNMATCHABLE = _unmatchable_hash()
