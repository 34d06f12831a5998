"""Every order of events between the placement of an order and its version's promotion, against a slow plain model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.keys import SigningKey
from credit.ledger import START, Entry
from credit.seal import Kind
from credit.separation.involvement import PeopleHistory
from credit.separation.version_judges import require_judge
from credit.shelf import OpenedSeal, Shelf
from tests.credit.separation.account_changes import AccountsSince

MAKER, OPS = Actor("alice", Role.RESEARCHER), Actor("ops", Role.PLATFORM)
JUDGES = ("bo", "cy")
EVENTS = (
    *(f"{what} bo" for what in ("join", "leave", "place", "request", "withdraw")),
    *(f"{role} bo" for role in ("researcher", "reviewer", "platform", "city", "remove")),
    "request cy",
    "join-other cy",
    "place-other alice",
)


def version_of_an_order(shelf: Shelf, keys: dict[str, SigningKey]) -> OpenedSeal:
    """A version whose order alice made, sealed without training."""

    def put(kind: Kind, parents: tuple[str, ...], key: SigningKey) -> str:
        with shelf.staging() as folder:
            (folder / "text.txt").write_text(kind)
            made: dict[str, Any] = {"terms": {"model": "enterprise"}, "by": MAKER, "key": key}
            end = datetime.now(UTC).date() + timedelta(days=90)
            return shelf.put(folder, kind, parents=parents, expires_on=end, **made).id

    order = put(Kind.ORDER, (), keys["research"])
    return shelf.open(put(Kind.VERSION, (order,), keys["compute"]))


@dataclass
class JudgeModel:
    """What is true now, and who had a part in the version at some moment since its order was placed."""

    members: dict[str, set[str]] = field(default_factory=lambda: {"loans": {"alice"}, "other": set()})
    placed_by: set[str] = field(default_factory=lambda: {"loans"})
    seen: dict[str, set[str]] = field(default_factory=lambda: {"loans": {"alice"}, "other": set()})
    roles: dict[str, str] = field(default_factory=lambda: dict.fromkeys(JUDGES, "platform"))
    had_a_part: set[str] = field(default_factory=lambda: {"alice"})

    def copy(self) -> JudgeModel:
        members, seen = ({k: set(v) for k, v in each.items()} for each in (self.members, self.seen))
        return JudgeModel(members, set(self.placed_by), seen, dict(self.roles), set(self.had_a_part))

    def apply(self, event: str) -> None:
        what, name = event.split()
        if what in ("join", "join-other", "leave"):
            members = self.members["other" if what == "join-other" else "loans"]
            members.discard(name) if what == "leave" else members.add(name)
        elif what in ("place", "place-other", "request"):
            self.had_a_part.add(name)
            self.placed_by |= {"other"} if what == "place-other" else set()
        elif what == "remove":
            self.roles.pop(name, None)
        elif what != "withdraw":
            self.roles[name] = what
        for project, members in self.members.items():
            self.seen[project] |= members
        for project in self.placed_by:
            self.had_a_part |= self.seen[project]
        self.had_a_part |= {each for each, role in self.roles.items() if role in ("researcher", "reviewer")}

    def may_judge(self, name: str) -> bool:
        return name not in self.had_a_part and self.roles.get(name) == "platform"


@dataclass
class WrittenEvents:
    """The entries of the research and the platform ledger, and the history of accounts, second by second."""

    version: OpenedSeal
    shelf: Shelf
    research: list[Entry] = field(default_factory=list)
    platform: list[Entry] = field(default_factory=list)
    roles: list[tuple[str, datetime, tuple[Role, ...]]] = field(default_factory=list)
    members: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"loans": ("alice",), "other": ()})

    def copy(self) -> WrittenEvents:
        lists = list(self.research), list(self.platform), list(self.roles)
        return WrittenEvents(self.version, self.shelf, *lists, dict(self.members))

    @property
    def now(self) -> datetime:
        seconds = len(self.research) + len(self.platform) + len(self.roles)
        return self.version.seal.made_at - timedelta(hours=1) + timedelta(seconds=seconds)

    def begin(self) -> WrittenEvents:
        self._members("loans")
        self._place("loans", MAKER)
        self._write(self.platform, "promotion.asked", self.version.seal.id, MAKER, {})
        return self

    def apply(self, event: str) -> None:
        what, name = event.split()
        if what in ("join", "join-other", "leave"):
            project = "other" if what == "join-other" else "loans"
            before = set(self.members[project])
            self.members[project] = tuple(sorted(before - {name} if what == "leave" else before | {name}))
            self._members(project)
        elif what in ("place", "place-other"):
            self._place("other" if what == "place-other" else "loans", Actor(name, Role.RESEARCHER))
        elif what in ("request", "withdraw"):
            verb = "promotion.asked" if what == "request" else "promotion.withdrawn"
            self._write(self.platform, verb, self.version.seal.id, Actor(name, Role.PLATFORM), {})
        else:
            self.roles.append((name, self.now, () if what == "remove" else (Role(what),)))

    def may_judge(self, name: str) -> bool:
        try:
            self.require(Actor(name, Role.PLATFORM))
        except Refused:
            return False
        return True

    @property
    def people(self) -> PeopleHistory:
        accounts = AccountsSince(dict.fromkeys(JUDGES, Role.PLATFORM))
        for changed, at, roles in self.roles:
            accounts.change(changed, *roles, at=at)
        return PeopleHistory.of(self.research, accounts)

    def require(self, judge: Actor) -> None:
        require_judge(self.version, by=judge, entries=self.platform, people=self.people, shelf=self.shelf)

    def _members(self, project: str) -> None:
        details = {"members": list(self.members[project])}
        self._write(self.research, "project.members", f"project-{project}", OPS, details)

    def _place(self, project: str, by: Actor) -> None:
        order = self.version.seal.parents[0]
        self._write(self.research, "training.asked", order, by, {"project": project, "model": "enterprise"})

    def _write(self, entries: list[Entry], verb: str, about: str, by: Actor, details: dict[str, Any]) -> None:
        entries.append(Entry(len(entries) + 1, self.now, by, verb, about, details, START, START))


def differences(version: OpenedSeal, shelf: Shelf, depth: int) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each order of at most ``depth`` events and each judge, with what differs from the model; empty when nothing."""
    pending: list[tuple[tuple[str, ...], WrittenEvents, JudgeModel]]
    pending = [((), WrittenEvents(version, shelf).begin(), JudgeModel())]
    while pending:
        order, written, model = pending.pop()
        for event in EVENTS:
            after, expected, one = written.copy(), model.copy(), (*order, event)
            after.apply(event)
            expected.apply(event)
            for judge in JUDGES:
                may, should = after.may_judge(judge), expected.may_judge(judge)
                yield one, "" if may == should else f"{judge} after {one}: {may}, the model says {should}"
            if len(one) < depth:
                pending.append((one, after, expected))
