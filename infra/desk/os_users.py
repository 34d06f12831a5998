"""Operating-system users (操作系统用户): which uid of this machine is which account, for a shell at the server.

The table is folded from the front desk's ledger, so no file can be edited to become someone else. One person of the
platform requests an entry and another confirms it (:mod:`credit.confirmation`); neither may be the one who gets it. One
person suffices to remove an entry, which takes power away at once. With an account its entries end.

::

    os-user.requested   os-user-<uid>   {act, rule, uid, account}
    os-user.confirmed   os-user-<uid>
    os-user.removed     os-user-<uid>
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from credit.actor import Actor, Role
from credit.confirmation import Confirmation, ConfirmationRule, ConfirmationState, Move, after_move, request_details
from credit.errors import CreditError, Malformed
from credit.ledger import Entry, Ledger
from credit.ledger.follower import CachedLedger
from credit.messages import Text

KIND, ACT = "os-user", "map-operating-system-user"
REMOVED = f"{KIND}.removed"
ACCOUNT_REMOVED = "account.removed"
LARGEST_UID = 2**32 - 2  # the greatest uid is -1, which is no user
# What the kernel says of every user that this namespace does not know (/proc/sys/kernel/overflowuid): no one of them.
UNKNOWN_UID = 65_534
_PLATFORM = frozenset({Role.PLATFORM})
RULES = MappingProxyType({ACT: ConfirmationRule(_PLATFORM, _PLATFORM, 2, timedelta(days=3))})


@dataclass(slots=True)
class _Table:
    users: dict[int, str] = field(default_factory=dict)
    requests: dict[str, Confirmation] = field(default_factory=dict)

    def apply(self, entry: Entry) -> None:
        """Apply an entry; one that was not allowed changes nothing."""
        kind, _, move = entry.verb.partition(".")
        if entry.verb == ACCOUNT_REMOVED:
            self._forget(entry.object.removeprefix("user-"))
        if kind != KIND:
            return
        if entry.verb == REMOVED and entry.by.role is Role.PLATFORM:
            self.requests.pop(entry.object, None)
            self.users = {uid: name for uid, name in self.users.items() if _object(uid) != entry.object}
            return
        with suppress(CreditError):
            after = self.after(move, entry.object, by=entry.by, at=entry.at, details=entry.details)
            self.requests[entry.object] = after
            if after.state is ConfirmationState.CONFIRMED:
                self.users[after.details["uid"]] = after.details["account"]

    def _forget(self, account: str) -> None:
        """End every entry of an account, and what it requested: one that comes back under its name inherits nothing."""
        self.users = {uid: name for uid, name in self.users.items() if name != account}
        self.requests = {
            object_id: each
            for object_id, each in self.requests.items()
            if account not in (each.requested_by.name, each.details.get("account"))
        }

    def after(self, move: str, object_id: str, *, by: Actor, at: datetime, details: Mapping[str, Any]) -> Confirmation:
        """The request after a move; raises as :func:`~credit.confirmation.after_move`."""
        before = self.requests.get(object_id)
        after = after_move(before, move, object_id, by=by, at=at, details=details, objection=_not_for_oneself)
        _require_uid(after.details.get("uid"))
        uid, account, rule = after.details["uid"], after.details.get("account"), RULES[ACT]
        is_ours = after.act == ACT and after.rule.people >= rule.people and after.rule.confirms <= rule.confirms
        if not is_ours or object_id != _object(uid) or not isinstance(account, str) or not account:
            raise Malformed("os-users.not-an-entry")
        return after


@dataclass(frozen=True, slots=True)
class OsUsers:
    """The table at this moment, and its changes; a writer gives the desk's ledger with its key."""

    ledger: Ledger
    _read: CachedLedger = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_read", CachedLedger.of(self.ledger, KIND, "account"))

    def all(self) -> Mapping[int, str]:
        """The account of each uid."""
        return MappingProxyType(_folded(self._read.entries()).users)

    def waiting(self) -> list[Confirmation]:
        """The requests that wait for a second person."""
        now, requests = datetime.now(UTC), _folded(self._read.entries()).requests.values()
        return [each for each in requests if each.state_at(now) is ConfirmationState.REQUESTED]

    def request(self, uid: int, account: str, *, by: Actor) -> None:
        """Request that the processes of ``uid`` act as ``account``.

        Raises :class:`Malformed` for uid 0 and for no uid, :class:`~credit.errors.Refused` for a person who may not.
        """
        _require_uid(uid)
        self._move(Move.REQUEST, uid, by=by, details=request_details(ACT, RULES, uid=uid, account=account))

    def decide(self, uid: int, move: Move, *, by: Actor) -> None:
        """Confirm, refuse or withdraw what was requested for ``uid``; raises as for every confirmation."""
        self._move(move, uid, by=by, details={})

    def remove(self, uid: int, *, by: Actor) -> None:
        """End the entry of a uid at once; raises :class:`~credit.errors.Refused` without the platform role."""
        by.require_role(Role.PLATFORM, act="act.map-operating-system-user")
        self.ledger.append(REMOVED, _object(uid), by=by)

    def _move(self, move: Move, uid: int, *, by: Actor, details: Mapping[str, Any]) -> None:
        table = _folded(self._read.entries())
        table.after(move, _object(uid), by=by, at=datetime.now(UTC), details=details)
        self.ledger.append(f"{KIND}.{move}", _object(uid), by=by, details=details)


def _folded(entries: Iterable[Entry]) -> _Table:
    table = _Table()
    for entry in entries:
        table.apply(entry)
    return table


def _object(uid: int) -> str:
    return f"{KIND}-{uid}"


def _require_uid(uid: Any) -> None:
    """Raise :class:`Malformed` for root, for what is no uid, and for the one that stands for all unknown users."""
    if type(uid) is not int or not 0 < uid <= LARGEST_UID or uid == UNKNOWN_UID:
        raise Malformed("os-users.no-such-uid")


def _not_for_oneself(confirmation: Confirmation, person: Actor, moment: datetime) -> Text | None:
    return Text.of("os-users.for-oneself") if person.name == confirmation.details.get("account") else None
