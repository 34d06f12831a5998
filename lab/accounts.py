"""Accounts (账户): who may log in, in which roles, proved by an argon2id hash (RFC 9106) in a file of mode 0600."""

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
NAME = re.compile(r"[a-z][a-z0-9]{1,29}")  # also a folder's, a unix socket's and a hub user's name
LEAST = 12  # characters of a password


@dataclass(frozen=True, slots=True)
class Account:
    """A user and their roles."""

    name: str
    roles: tuple[Role, ...]

    def actor(self, role: Role) -> Actor:
        """This user acting in one of their roles; raises :class:`~credit.errors.Refused` when it is not theirs."""
        acting = Actor(self.name, role)
        if role not in self.roles:
            acting = Actor(self.name, self.roles[0])
        acting.require_role(role, act=Text.of("act.act-as", role=role))
        return acting


@dataclass(frozen=True, slots=True)
class Accounts:
    """The file of accounts."""

    path: Path

    def add(self, name: str, roles: tuple[Role, ...], *, by: Actor, ledger: Ledger, password: str = "") -> str:
        """Add a user, or give them new roles and a new password; gives the password, which is nowhere else.

        Raises :class:`Malformed` for a name, role or password that does not do, and
        :class:`~credit.errors.Refused` unless ``by`` is of the platform.
        """
        by.require_role(Role.PLATFORM, act="act.add-accounts")
        if not NAME.fullmatch(name):
            raise Malformed("accounts.not-user-name")
        if not roles or not set(roles) <= set(ROLES):
            raise Malformed("accounts.these-not-roles-account", roles=", ".join(ROLES))
        password = password or secrets.token_urlsafe(12)
        if len(password) < LEAST:
            raise Malformed("accounts.password-too-short", minimum=LEAST)
        with self._locked() as told:
            told[name] = {"roles": sorted(roles), "hash": PasswordHasher().hash(password)}
        ledger.append("account.added", f"user-{name}", by=by, details={"roles": sorted(roles)})
        return password

    def remove(self, name: str, *, by: Actor, ledger: Ledger) -> None:
        """Take an account away; raises :class:`Missing`."""
        by.require_role(Role.PLATFORM, act="act.remove-accounts")
        with self._locked() as told:
            if told.pop(name, None) is None:
                raise Missing("accounts.no-account", name=name)
        ledger.append("account.removed", f"user-{name}", by=by)

    def all(self) -> dict[str, Account]:
        """Every account by name."""
        return {name: Account(name, tuple(Role(each) for each in one["roles"])) for name, one in self._read().items()}

    def verify(self, name: str, password: str) -> Account | None:
        """The account if the password is right. An unknown name takes as long as a wrong password."""
        told = self._read().get(name)
        try:
            PasswordHasher().verify(told["hash"] if told else _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return None
        return Account(name, tuple(Role(each) for each in told["roles"])) if told else None

    def _read(self) -> dict[str, dict[str, Any]]:
        if not self.path.exists():
            return {}
        try:
            told: dict[str, dict[str, Any]] = json.loads(self.path.read_bytes())
        except ValueError as error:
            raise Broken("accounts.accounts-cannot-be-read", why=self.path.name) from error
        return told

    @contextmanager
    def _locked(self) -> Iterator[dict[str, dict[str, Any]]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            told = self._read()
            yield told
            write_atomically(self.path, json.dumps(told, indent=1).encode(), mode=0o600)


def _of_nobody() -> str:
    """A hash in the form and at the cost of the others (PHC string format) that no password is known to give."""
    cost = PasswordHasher()
    salt, made = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=") for length in (cost.salt_len, cost.hash_len)
    )
    return f"$argon2id$v=19$m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}${salt}${made}"


_NOBODY = _of_nobody()
