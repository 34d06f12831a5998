"""What of an account may be requested, and how many people it takes (账户规则): the floor below every policy."""

from __future__ import annotations

from collections.abc import Mapping

from credit.actor import Actor, Role
from credit.confirmation import ConfirmationRule
from credit.errors import Malformed, Refused
from lab.accounts.account import Account, AccountChange, ChangeKind
from lab.accounts.policy import APART, LEAST_PLATFORM, TWO_PEOPLE

PLATFORM = frozenset({Role.PLATFORM})


def require_requestable(change: AccountChange, accounts: Mapping[str, Account], *, by: Actor) -> None:
    """Raise :class:`~credit.errors.CreditError` for a change that cannot be requested of this account."""
    account = accounts.get(change.name)
    if change.kind is ChangeKind.ADD:
        if account is not None:
            raise Malformed("accounts.account-already", name=change.name)
    elif account is None:
        raise Malformed("accounts.no-account", name=change.name)
    if change.name == by.name and change.kind is ChangeKind.ROLES:
        raise Refused("accounts.own-roles")
    if change.name == by.name and change.kind is ChangeKind.REMOVE:
        raise Refused("accounts.own-account")
    if len(APART & set(change.roles)) > 1:
        raise Malformed("accounts.roles-apart", roles=", ".join(sorted(APART & set(change.roles))))


def require_rule(change: AccountChange, rule: ConfirmationRule, before: Account | None) -> None:
    """Raise :class:`Refused` for a rule that is weaker than the floor, :class:`Malformed` where a link is missing."""
    had = set(before.roles) if before else set()
    if rule.requests != PLATFORM or rule.confirms != PLATFORM or rule.people not in (1, 2):
        raise Refused("accounts.takes-two-people")
    if rule.people == 1 and TWO_PEOPLE & (had | set(change.roles)):
        raise Refused("accounts.takes-two-people")
    gains = bool(TWO_PEOPLE & set(change.roles)) and not TWO_PEOPLE & had
    enrols = change.kind in (ChangeKind.ADD, ChangeKind.RESET) or (change.kind is ChangeKind.ROLES and gains)
    if enrols and not change.link:
        raise Malformed("accounts.entry-unreadable", key="link")


def require_two_of_platform(change: AccountChange, accounts: Mapping[str, Account]) -> None:
    """Raise :class:`Refused` for a change after which fewer than two people of the platform would be left."""
    account = accounts.get(change.name)
    takes = change.kind is ChangeKind.REMOVE or (change.kind is ChangeKind.ROLES and Role.PLATFORM not in change.roles)
    if account is None or Role.PLATFORM not in account.roles or not takes:
        return
    left = [each for each in accounts.values() if Role.PLATFORM in each.roles and each.name != change.name]
    if len(left) < LEAST_PLATFORM:
        raise Refused("accounts.two-of-platform-stay", least=LEAST_PLATFORM)
