"""Changing accounts: requested by one platform person and confirmed by another, where the policy says so.

A new or reset account gets a link that works once. Of an account that takes two people, the requester is given the link
and the confirmer a code, and only both together let a person enrol. The ledger keeps digests of them.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from credit.actor import Actor, Role
from credit.confirmation import request_details
from credit.errors import Lapsed, Malformed, Missing, Refused
from credit.ledger import Ledger
from credit.ledger.entry import Act
from lab.accounts.account import (
    Account,
    ChangeKind,
    IssuedLink,
    digest_of,
    new_code,
    new_token,
    plain_code,
    read_roles,
)
from lab.accounts.account_state import FIRST, INSTALLATION, OBJECT, REMOVED, AccountMove, AccountState
from lab.accounts.accounts import Accounts
from lab.accounts.policy import AccountPolicy, default_policy
from lab.accounts.slow_hash import slow_hash

Part = tuple[str, str, Actor, Mapping[str, Any]]  # verb, name, by, details


def now() -> datetime:
    """The current time."""
    return datetime.now(UTC)


def nothing_else(accounts: Mapping[str, Account]) -> Sequence[Act]:
    """No other entries: for a caller that knows of nothing which ends with an account."""
    return ()


@dataclass(frozen=True, slots=True)
class AccountChanges:
    """Writes changes into the front desk's ledger. ``by`` must be an account with the platform role at this moment.

    ``also`` gives the other entries that belong to a change, from the accounts as they are after it: they are written
    with it, so that what ends with a role ends in the same moment.

    Every verb raises :class:`~credit.errors.CreditError` before anything is written when its move may not follow.
    """

    ledger: Ledger
    policy: AccountPolicy = field(default_factory=default_policy)
    clock: Callable[[], datetime] = now
    also: Callable[[Mapping[str, Account]], Sequence[Act]] = nothing_else

    def request_account(self, name: str, roles: Iterable[str], *, by: Actor, bank: str = "") -> IssuedLink:
        """Request a new account; it exists at once where one person is enough."""
        return self._request(ChangeKind.ADD, name, read_roles(tuple(roles), bank), bank, by)

    def request_roles(self, name: str, roles: Iterable[str], *, by: Actor, bank: str = "") -> IssuedLink:
        """Request other roles for an account. One that then needs a second factor for the first time enrols again."""
        return self._request(ChangeKind.ROLES, name, read_roles(tuple(roles), bank), bank, by)

    def request_reset(self, name: str, *, by: Actor) -> IssuedLink:
        """Request that the person of an account enrols again, as after losing a password and every second factor."""
        return self._request(ChangeKind.RESET, name, (), "", by)

    def request_removal(self, name: str, *, by: Actor) -> IssuedLink:
        """Request that an account ends; it ends at once where one person is enough."""
        return self._request(ChangeKind.REMOVE, name, (), "", by)

    def confirm(self, change: str, *, by: Actor) -> IssuedLink:
        """Confirm what another person requested; returns the code that is needed with the link, if there is one."""
        with self._writing() as state:
            known = state.changes.get(change)
            if known is None:
                raise Missing("accounts.no-such-change")
            if known.until <= self.clock():
                raise Lapsed("accounts.change-lapsed", name=known.name)
            code = new_code() if known.link else ""
            details: dict[str, Any] = {"change": change, "code": slow_hash(plain_code(code)) if code else ""}
            details["link_until"] = (self.clock() + self.policy.link_lasts).isoformat()
            if known.kind is ChangeKind.ROLES:
                details["ended"] = state.ended_by(known.name, known.roles)
            parts: list[Part] = [("account.confirmed", known.name, by, details)]
            self._write(state, [*parts, *self._removal(state, known.kind, known.name, change, by)])
        return IssuedLink(change, known.name, code=code)

    def refuse(self, change: str, *, by: Actor) -> None:
        """Refuse what another person requested."""
        self._end("account.refused", change, by)

    def withdraw(self, change: str, *, by: Actor) -> None:
        """Take back what one requested."""
        self._end("account.withdrawn", change, by)

    def install(self, names: tuple[str, ...]) -> dict[str, IssuedLink]:
        """Make the first two accounts, both of the platform team, while there is none; each person enrols alone."""
        if len(set(names)) != FIRST:
            raise Malformed("accounts.first-two")
        until = (self.clock() + self.policy.link_lasts).isoformat()
        tokens = {name: new_token() for name in names}
        with self._writing() as state:
            roles = [Role.PLATFORM]
            self._write(
                state,
                [
                    (
                        "account.installed",
                        name,
                        INSTALLATION,
                        {"roles": roles, "link": digest_of(token), "until": until},
                    )
                    for name, token in tokens.items()
                ],
            )
        return {name: IssuedLink("", name, token=token) for name, token in tokens.items()}

    def _request(self, kind: ChangeKind, name: str, roles: tuple[Role, ...], bank: str, by: Actor) -> IssuedLink:
        self.policy.require_apart(roles)
        id, token = f"change-{secrets.token_hex(8)}", new_token()
        with self._writing() as state:
            before = state.accounts.get(name)
            before_roles = before.roles if before else ()
            rule = self.policy.rule({*roles, *before_roles})
            gains = self.policy.needs_second_factor(roles) and not self.policy.needs_second_factor(before_roles)
            enrols = kind in (ChangeKind.ADD, ChangeKind.RESET) or (kind is ChangeKind.ROLES and gains)
            details = request_details(
                kind,
                {kind: rule},
                change=id,
                roles=roles,
                bank=bank,
                link=digest_of(token) if enrols else "",
                link_until=(self.clock() + self.policy.link_lasts).isoformat() if rule.people == 1 else "",
            )
            parts: list[Part] = [("account.requested", name, by, details)]
            if rule.people == 1:
                parts += self._removal(state, kind, name, id, by)
            self._write(state, parts)
        return IssuedLink(id, name, token=token if enrols else "", waits=rule.people > 1)

    @staticmethod
    def _removal(state: AccountState, kind: ChangeKind, name: str, change: str, by: Actor) -> list[Part]:
        """The entry that makes a decided removal, and names the requests that end with the account."""
        if kind is not ChangeKind.REMOVE:
            return []
        ended = [each for each in state.ended_by(name, ()) if each != change]
        return [(REMOVED, name, by, {"change": change, "ended": ended})]

    def _end(self, verb: str, change: str, by: Actor) -> None:
        with self._writing() as state:
            known = state.changes.get(change)
            self._write(state, [(verb, known.name if known else "", by, {"change": change})])

    def _write(self, state: AccountState, parts: list[Part]) -> None:
        """Judge the moves and write them as one; writes nothing when :meth:`AccountState.apply` raises."""
        for verb, name, by, details in parts:
            state.apply(AccountMove(verb, name, by, details, self.clock()))
        acts: list[Act] = [(verb, f"{OBJECT}{name}", by, details) for verb, name, by, details in parts]
        self.ledger.append_many([*acts, *self.also(state.accounts)])

    @contextmanager
    def _writing(self) -> Iterator[AccountState]:
        """The state, which no other writer changes meanwhile."""
        if self.ledger.key is None:
            raise Refused("accounts.only-the-desk")
        path = self.ledger.path.with_suffix(".accounts-lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield Accounts(self.ledger).state()
