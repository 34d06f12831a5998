"""The account state (账户状态): what the entries ``account.…`` of the front desk's ledger amount to.

::

    account.installed   user-…  {roles, link, until}                                the first two, by installation
    account.requested   user-…  {act, rule, change, roles, bank, link, link_until}  one person asks
    account.confirmed   user-…  {change, code, link_until, ended}                   another person, where it takes two
    account.refused     user-…  {change}                                            another person
    account.withdrawn   user-…  {change}                                            the person who asked
    account.removed     user-…  {change, ended}                                     follows a removal that was decided

Requests are decided by the one mechanism for that (:mod:`credit.confirmation`); this file says what of an account may
be requested, and what a decision does. ``ended`` are the other requests that ended with it.

:meth:`AccountState.apply` is the only place that says which move may follow which. Writing and reading both go through
it, so an invalid move cannot be written, and a ledger that holds one is broken. When a request lapses is for the writer
alone (see :mod:`lab.accounts.account_changes`): an entry is stamped a moment after it was judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from credit.actor import Actor, Role
from credit.confirmation import Confirmation, ConfirmationState, Move, after_move
from credit.errors import Malformed, Missing, Refused
from credit.ledger.entry import Entry
from credit.messages import Text
from lab.accounts.account import NAME, Account, AccountChange, ChangeKind, EnrolmentLink, text_of
from lab.accounts.account_rules import require_requestable, require_rule, require_two_of_platform

INSTALLATION = Actor("installation", Role.SERVICE)
KIND, OBJECT = "account", "user-"
FIRST = 2  # accounts that installation makes
INSTALLED, REMOVED = f"{KIND}.installed", f"{KIND}.removed"
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class AccountMove:
    """One move, before it is an entry or out of one."""

    verb: str
    name: str
    by: Actor
    details: Mapping[str, Any]
    at: datetime

    @classmethod
    def of(cls, entry: Entry) -> AccountMove:
        """The move of an entry."""
        return cls(entry.verb, entry.object.removeprefix(OBJECT), entry.by, entry.details, entry.at)


@dataclass(slots=True)
class AccountState:
    """Accounts, and the last request about each name.

    ``history`` is every set of roles that a name ever had, with the moment it began.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    requests: dict[str, Confirmation] = field(default_factory=dict)
    history: dict[str, list[tuple[datetime, tuple[Role, ...]]]] = field(default_factory=dict)
    installed: int = 0
    begun: bool = False  # true once a person has made a move

    def apply(self, move: AccountMove) -> None:
        """Make a move; raises :class:`~credit.errors.CreditError`, having changed nothing, when it may not follow."""
        kind, _, word = move.verb.partition(".")
        if move.verb == INSTALLED:
            self._install(move)
            return
        if move.verb == REMOVED:
            self._remove(move)
        elif kind == KIND and word in set(Move):
            self._decide(move, Move(word))
        else:
            raise Malformed("accounts.entry-unreadable", key=move.verb)
        self.begun = True

    @property
    def changes(self) -> dict[str, AccountChange]:
        """The changes that wait for a second person by their ids, the oldest first."""
        waiting = [
            AccountChange.of(each, name)
            for name, each in self.requests.items()
            if each.state is ConfirmationState.REQUESTED
        ]
        return {each.id: each for each in sorted(waiting, key=lambda each: each.at)}

    def require(self, name: str) -> Account:
        """An account; raises :class:`Missing`."""
        account = self.accounts.get(name)
        if account is None:
            raise Missing("accounts.no-account", name=name[:30])
        return account

    def has_platform_role(self, name: str) -> bool:
        """True for an account that has the platform role now."""
        return name in self.accounts and Role.PLATFORM in self.accounts[name].roles

    def ended_by(self, name: str, roles: tuple[Role, ...]) -> list[str]:
        """The ids of the open changes that end when an account has ``roles``, or none: those that it requested, and,
        with its removal, those about it."""
        lost = self.has_platform_role(name) and Role.PLATFORM not in roles
        return [
            each.id
            for each in self.changes.values()
            if (lost and each.by.name == name) or (not roles and each.name == name)
        ]

    def _install(self, move: AccountMove) -> None:
        if move.by != INSTALLATION or self.begun or self.installed >= FIRST or move.name in self.accounts:
            raise Refused("accounts.installed-already")
        _require_name(move.name)
        link = EnrolmentLink(text_of(move.details, "link"), "", _moment(move.details, "until"))
        self._set(Account(move.name, (Role.PLATFORM,), "", link.digest, link), move.at)
        self.installed += 1

    def _decide(self, move: AccountMove, what: Move) -> None:
        before, at = self.requests.get(move.name), move.at
        move.by.require_role(Role.PLATFORM, act="act.change-accounts")
        if not self.has_platform_role(move.by.name):
            raise Refused("accounts.not-platform-now", name=move.by.name)
        if what is not Move.REQUEST:
            before = self._open(move)
            at = min(at, before.requested_at + before.rule.span - _MOMENT)
        else:
            _require_name(move.name)
        after = after_move(
            before, what, f"{OBJECT}{move.name}", by=move.by, at=at, details=move.details, objection=self._objection
        )
        change = AccountChange.of(after, move.name)
        if what is Move.REQUEST:
            require_requestable(change, self.accounts, by=move.by)
            require_rule(change, after.rule, self.accounts.get(move.name))
        if what in (Move.REQUEST, Move.CONFIRM):
            require_two_of_platform(change, self.accounts)
        made = self._made(change, move, after) if after.state is ConfirmationState.CONFIRMED else None
        self.requests[move.name] = after
        if made is not None:
            self._end(self.ended_by(made.name, made.roles), move)
            self._set(made, move.at)

    def _open(self, move: AccountMove) -> Confirmation:
        """The request that a move is about; raises :class:`Missing`."""
        request = self.requests.get(move.name)
        waits = request is not None and request.state is ConfirmationState.REQUESTED
        if request is None or not waits or request.details["change"] != text_of(move.details, "change"):
            raise Missing("accounts.no-such-change")
        return request

    def _made(self, change: AccountChange, move: AccountMove, decided: Confirmation) -> Account | None:
        """The account as a decided change makes it; None for a removal, which an entry of its own makes."""
        if change.kind is ChangeKind.REMOVE:
            return None
        before, link = self.accounts.get(change.name), None
        if change.link:
            code = text_of(move.details, "code") if decided.rule.people > 1 else ""
            if decided.rule.people > 1 and not code:
                raise Malformed("accounts.entry-unreadable", key="code")
            link = EnrolmentLink(change.link, code, _moment(move.details, "link_until"))
        roles, bank = change.roles, change.bank
        if change.kind is ChangeKind.RESET and before is not None:
            roles, bank = before.roles, before.bank
        if before is None or link is not None:
            return Account(change.name, roles, bank, change.link, link)
        return replace(before, roles=roles, bank=bank)

    def _remove(self, move: AccountMove) -> None:
        request = self.requests.get(move.name)
        decided = request is not None and request.state is ConfirmationState.CONFIRMED
        if request is None or not decided or request.act != ChangeKind.REMOVE or request.ended_by != move.by:
            raise Refused("accounts.removal-not-decided")
        self.require(move.name)
        self._end(self.ended_by(move.name, ()), move)
        del self.accounts[move.name], self.requests[move.name]
        self.history[move.name].append((move.at, ()))

    def _end(self, ids: list[str], move: AccountMove) -> None:
        for name, each in self.requests.items():
            if each.details["change"] in ids:
                ended = replace(each, state=ConfirmationState.WITHDRAWN, ended_by=move.by, ended_at=move.at)
                self.requests[name] = ended

    def _objection(self, confirmation: Confirmation, person: Actor, moment: datetime) -> Text | None:
        """Why a person does not count: no platform role at this moment, or the account is their own."""
        if not self.has_platform_role(person.name):
            return Text.of("accounts.not-platform-now", name=person.name)
        own = confirmation.object == f"{OBJECT}{person.name}" and person != confirmation.requested_by
        return Text.of("accounts.confirmed-by-another") if own else None

    def _set(self, account: Account, at: datetime) -> None:
        """Put an account into the state, and its roles into the history."""
        self.accounts[account.name] = account
        self.history.setdefault(account.name, []).append((at, account.roles))


def _require_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise Malformed("accounts.not-user-name")


def _moment(details: Mapping[str, Any], key: str) -> datetime:
    moment = datetime.fromisoformat(text_of(details, key))
    if moment.tzinfo is None:
        raise ValueError(key)
    return moment
