"""Roles over time (角色沿革): what an account might do at any moment, by the entries about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from credit.actor import Role
from credit.separation.span import Span, values_within

RoleChanges = Sequence[tuple[datetime, tuple[Role, ...]]]


class AccountHistory(Protocol):
    """What is known about accounts over time, as :class:`lab.accounts.accounts.Accounts` folds it from its ledger."""

    def history(self, name: str) -> RoleChanges:
        """Every set of roles that a name had, and since when; an empty one from its removal on."""


@dataclass(frozen=True, slots=True)
class AccountsReadOnce:
    """The history of accounts, of which each name is read once: one decision sees one state of it."""

    accounts: AccountHistory
    _read: dict[str, RoleChanges] = field(default_factory=dict)

    def history(self, name: str) -> RoleChanges:
        """As :meth:`AccountHistory.history`."""
        if name not in self._read:
            self._read[name] = tuple(self.accounts.history(name))
        return self._read[name]


class NoAccounts:
    """The history of a caller that knows no account: no name ever had a role."""

    def history(self, name: str) -> RoleChanges:
        """As :meth:`AccountHistory.history`."""
        return ()


def roles_now(accounts: AccountHistory, name: str) -> tuple[Role, ...]:
    """The roles of a name after everything that is known."""
    changes = accounts.history(name)
    return changes[-1][1] if changes else ()


def roles_within(accounts: AccountHistory, name: str, span: Span) -> frozenset[Role]:
    """Every role that a name had at some moment of a span."""
    return frozenset(role for roles in values_within(accounts.history(name), span) for role in roles)


def has_account_throughout(accounts: AccountHistory, name: str, span: Span) -> bool:
    """True when a name was an account at every moment of a span: after a removal it may be another person's."""
    values = _roles_throughout(accounts, name, span)
    return bool(values) and all(values)


def has_role_throughout(accounts: AccountHistory, name: str, role: Role, span: Span) -> bool:
    """True when a name had a role at every moment of a span: not when its account was removed and made again in it."""
    values = _roles_throughout(accounts, name, span)
    return bool(values) and all(role in roles for roles in values)


def _roles_throughout(accounts: AccountHistory, name: str, span: Span) -> list[tuple[Role, ...]]:
    """The roles with which a span begins, and all later ones that began in it; empty for a name that is new in it."""
    changes = accounts.history(name)
    begun = [number for number, (since, _) in enumerate(changes) if since <= span.start]
    if not begun:
        return []
    return [roles for since, roles in changes[begun[-1] :] if span.end is None or since <= span.end]
