"""Every order of events about one parcel: what the airlock folds from entries against the plain model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.gate import Verdict
from credit.ledger.entry import START, Entry
from lab.airlock.parcel_context import ParcelContext
from lab.airlock.review import blind_voting
from lab.airlock.review.petition import Petition, fold
from lab.airlock.review.review_rules import require_collectable
from lab.projects import fold_projects
from tests.credit.separation.account_changes import AccountsSince
from tests.lab.airlock.review.separation_model import AUTHOR, COLLEAGUE, EVENTS, REVIEWERS, PlainModel

AT = datetime(2026, 11, 24, tzinfo=UTC)
PARCEL, LI, OPS = "petition-1", Actor(AUTHOR, Role.RESEARCHER), Actor("ops", Role.PLATFORM)
YES = blind_voting.cast_vote(True, "seen")
CLOSED = {"commitment": blind_voting.commitment(YES), "nonce": "", "box": ""}
SUBMITTED = {
    "project": "retail",
    "files": {},
    "context": ParcelContext("t", "p").as_json(),
    "verdict": Verdict("airlock", (), {}).as_json(),
}


@dataclass
class Entries:
    """The entries of a research ledger and the history of accounts, second by second."""

    entries: list[Entry] = field(default_factory=list)
    roles: list[tuple[str, datetime, tuple[Role, ...]]] = field(default_factory=list)

    def copy(self) -> Entries:
        return Entries(list(self.entries), list(self.roles))

    @property
    def accounts(self) -> AccountsSince:
        people = {AUTHOR: Role.RESEARCHER, COLLEAGUE: Role.RESEARCHER} | dict.fromkeys(REVIEWERS, Role.REVIEWER)
        accounts = AccountsSince(people)
        for name, at, roles in self.roles:
            accounts.change(name, *roles, at=at)
        return accounts

    @property
    def now(self) -> datetime:
        return AT + timedelta(seconds=len(self.entries) + len(self.roles))

    def add(self, verb: str, object_id: str, by: Actor, **details: Any) -> None:
        self.entries.append(Entry(len(self.entries) + 1, self.now, by, verb, object_id, details, START, START))

    def petition(self) -> Petition:
        return fold(self.entries, self.accounts)[PARCEL]

    def begin(self) -> Entries:
        self.add("project.opened", "project-retail", OPS, title="t", purpose="p", ends_on="2027-12-01")
        self.add("project.members", "project-retail", OPS, members=[AUTHOR, COLLEAGUE])
        self.add("parcel.submitted", PARCEL, LI, **SUBMITTED)
        return self

    def apply(self, event: str) -> bool:
        """Write what an event leaves in the ledgers, whether it is allowed or not; true when it changed anything."""
        what, name = event.split()
        members = set(fold_projects(self.entries)["retail"].members)
        if what == "vote":
            return self._vote(Actor(name, Role.REVIEWER))
        if what == "collect":
            return self._collect()
        if what in ("join", "leave"):
            changed = members | {name} if what == "join" else members - {name}
            self.add("project.members", "project-retail", OPS, members=sorted(changed))
        elif what == "close":
            self.add("project.closed", "project-retail", OPS)
        elif what == "reopen":
            self.add("project.extended", "project-retail", OPS, ends_on="2027-12-01")
        else:
            self.roles.append((name, self.now, () if what == "remove" else (Role(what),)))
        return True

    def _vote(self, by: Actor) -> bool:
        before = self.petition()
        if before.ballot is None:
            self.add("parcel.voted", PARCEL, by, **CLOSED)
        else:
            self.add("parcel.decided", PARCEL, by, first=YES, second=YES)
        return self.petition() != before

    def _collect(self) -> bool:
        project = fold_projects(self.entries)["retail"]
        try:
            require_collectable(self.petition(), project, self.accounts, by=LI, today=date(2026, 11, 24))
        except Refused:
            return False
        self.add("parcel.received", PARCEL, LI, seal="parcel-1")
        return True


def differences(depth: int) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each order of at most ``depth`` events, with what differs from the model: an empty text where nothing does."""
    pending = [((), Entries().begin(), PlainModel())]
    while pending:
        order, entries, model = pending.pop()
        for event in EVENTS:
            after, expected, one = entries.copy(), model.copy(), (*order, event)
            accepted, allowed = after.apply(event), expected.apply(event)
            state = after.petition().state
            same = state == expected.state and (accepted == allowed or event.split()[0] not in ("vote", "collect"))
            yield one, "" if same else f"{one}: {state} {accepted}, the model {expected.state} {allowed}"
            if len(one) < depth:
                pending.append((one, after, expected))
