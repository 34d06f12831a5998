"""Every order of moves on accounts, by everyone, against a plain model: two people make and remove who judges."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product

from credit.actor import Actor, Role
from credit.errors import CreditError
from lab.accounts.account_state import INSTALLATION, AccountMove, AccountState

AT = datetime(2026, 11, 24, tzinfo=UTC)
LATER = (AT + timedelta(days=1)).isoformat()
RULE = {"requests": ["platform"], "confirms": ["platform"], "people": 2, "hours": 24}
WHO = ("platform:bo", "platform:cy", "reviewer:cy", "platform:rui", "platform:ghost")
DECISIONS = {"confirm": "confirmed", "refuse": "refused", "withdraw": "withdrawn"}
EVENTS = (
    *(f"{what} rui {by}" for what, by in product(("add", *DECISIONS, "remove"), WHO)),
    *(f"{what} {name} {by}" for what, name, by in product(("remove", "confirm"), ("bo", "cy"), WHO[:2])),
)


@dataclass
class AccountModel:
    """Who has which role now, and what was requested of whom by whom."""

    roles: dict[str, str] = field(default_factory=lambda: {"bo": "platform", "cy": "platform"})
    requested: dict[str, tuple[str, str]] = field(default_factory=dict)  # name -> (add or remove, requester)

    def apply(self, event: str) -> bool:
        what, name, actor = event.split()
        role, by = actor.split(":")
        if role != "platform" or self.roles.get(by) != "platform" or not self._may(what, name, by):
            return False
        if what in ("add", "remove"):
            self.requested[name] = (what, by)
            return True
        wanted, _ = self.requested.pop(name)
        if what == "confirm" and wanted == "remove":
            del self.roles[name]
            self.requested = {other: each for other, each in self.requested.items() if each[1] != name}
        elif what == "confirm":
            self.roles[name] = "reviewer"
        return True

    def _may(self, what: str, name: str, by: str) -> bool:
        wanted, requester = self.requested.get(name, ("", ""))
        stays = self.roles.get(name) != "platform" or list(self.roles.values()).count("platform") > 2
        if what == "remove":
            return name in self.roles and name != by and not wanted and stays
        if what == "add":
            return name not in self.roles and not wanted
        if what == "withdraw":
            return bool(wanted) and requester == by
        return bool(wanted) and by not in (requester, name) and (what != "confirm" or wanted != "remove" or stays)


def differences(depth: int) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each order of at most ``depth`` events, with what differs from the model; an empty text where nothing does."""
    state = AccountState()
    for name in ("bo", "cy"):
        details = {"roles": ["platform"], "link": "0" * 64, "until": LATER}
        state.apply(AccountMove("account.installed", name, INSTALLATION, details, AT))
    pending: list[tuple[tuple[str, ...], AccountState, AccountModel]] = [((), state, AccountModel())]
    while pending:
        order, before, model = pending.pop()
        for event in EVENTS:
            after, expected, one = deepcopy(before), deepcopy(model), (*order, event)
            accepted, allowed = _apply(after, event), expected.apply(event)
            roles = {name: str(account.roles[0]) for name, account in after.accounts.items()}
            same = accepted == allowed and roles == expected.roles
            yield one, "" if same else f"{one}: {accepted} {roles}, the model {allowed} {expected.roles}"
            if len(one) < depth:
                pending.append((one, after, expected))


def _apply(state: AccountState, event: str) -> bool:
    what, name, actor = event.split()
    by, change = Actor.parse(actor), f"change-{name}"
    details: dict[str, object] = {"change": change, "code": "code", "link_until": LATER}
    if what in ("add", "remove"):
        roles = [Role.REVIEWER] if what == "add" else []
        details |= {"act": what, "rule": RULE, "roles": roles, "bank": "", "link": "1" * 64 if what == "add" else ""}
    moves = [AccountMove(f"account.{DECISIONS.get(what, 'requested')}", name, by, details, AT)]
    open_change = state.changes.get(change)
    if what == "confirm" and open_change is not None and open_change.kind == "remove":
        moves.append(AccountMove("account.removed", name, by, {"change": change, "ended": []}, AT))
    try:
        for move in moves:
            state.apply(move)
    except CreditError:
        return False
    return True
