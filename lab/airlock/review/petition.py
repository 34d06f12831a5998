"""A petition that a parcel may leave (出域申请), folded from the ledger's entries. There is no other record of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from credit.actor import Actor
from credit.gate import Finding, Outcome, Verdict
from credit.ledger import Entry
from lab.airlock.parcel_context import ParcelContext
from lab.airlock.review.blind_voting import commitment
from lab.airlock.review.states import TURN, State, Turn, may_move

VERB_PREFIX = "parcel"


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a parcel: the SHA-256 and size of the bytes that leave, its kind, and the digest of what was given."""

    digest: str
    size: int
    kind: str
    given: str


@dataclass(frozen=True, slots=True)
class Question:
    """A reviewer's question and the author's answer, None while it is open."""

    text: str
    by: Actor
    at: datetime
    answer: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """What a reviewer decided, and why. There is none to be seen before both have voted."""

    by: Actor
    at: datetime
    approve: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Ballot:
    """That somebody has voted; the vote itself is in a closed box."""

    by: Actor
    at: datetime
    closed: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Petition:
    """What the ledger says of one parcel. ``ballot``: the first vote, closed; ``votes``: both, once both have voted."""

    id: str
    project: str
    author: Actor
    submitted_at: datetime
    changed_at: datetime
    state: State
    files: Mapping[str, ListedFile]
    context: ParcelContext
    verdict: Verdict
    questions: tuple[Question, ...] = ()
    ballot: Ballot | None = None
    votes: tuple[Vote, ...] = ()
    sealed: str | None = None

    @property
    def turn(self) -> Turn:
        """Whose turn it is."""
        return TURN[self.state]

    def findings(self, file: str) -> tuple[Finding, ...]:
        """What the gate found in one file."""
        return tuple(finding for finding in self.verdict.findings if finding.evidence.get("file") == file)

    def has_voted(self, user: str) -> bool:
        """True when this reviewer has voted."""
        return any(vote.by.name == user for vote in (*self.votes, *((self.ballot,) if self.ballot else ())))

    def seen_by(self, actor: Actor) -> Petition:
        """The petition as ``actor`` may see it: who has voted is shown to nobody else before both have."""
        if self.ballot is None or self.ballot.by.name == actor.name:
            return self
        return replace(self, ballot=None)


def fold(entries: Iterable[Entry]) -> dict[str, Petition]:
    """The petitions by id, as the entries of verbs ``parcel.…`` made them, in the order they were submitted.

    A move out of turn in the ledger is ignored here: the desk keeps writers from making one.
    """
    petitions: dict[str, Petition] = {}
    for entry in entries:
        kind, _, move = entry.verb.partition(".")
        if kind != VERB_PREFIX or move not in _MOVES:
            continue
        before = petitions.get(entry.object)
        after = _submitted(entry) if move == "submitted" and before is None else None
        if before is not None and move != "submitted":
            after = _MOVES[move](before, entry)
        if after is None:
            continue
        author = before.author.name if before else entry.by.name
        if may_move(before.state if before else None, after.state, entry.by, author):
            petitions[entry.object] = replace(after, changed_at=entry.at)
    return petitions


def _submitted(entry: Entry) -> Petition:
    details = entry.details
    files = {name: ListedFile(**one) for name, one in details["files"].items()}
    context, verdict = ParcelContext.parse(details["context"]), verdict_of(details["verdict"])
    return Petition(
        entry.object, details["project"], entry.by, entry.at, entry.at, State.SUBMITTED, files, context, verdict
    )


def _voted(before: Petition, entry: Entry) -> Petition | None:
    if before.state is not State.SUBMITTED:
        return None
    return replace(before, state=State.HALF_REVIEWED, ballot=Ballot(entry.by, entry.at, entry.details))


def _decided(before: Petition, entry: Entry) -> Petition | None:
    """The second vote, with both written open; the first must be the one that was cast."""
    first, details = before.ballot, entry.details
    if first is None or first.by.name == entry.by.name or commitment(details["first"]) != first.closed["commitment"]:
        return None
    votes = (
        Vote(first.by, first.at, details["first"]["approve"], details["first"]["reason"]),
        Vote(entry.by, entry.at, details["second"]["approve"], details["second"]["reason"]),
    )
    state = State.APPROVED if all(vote.approve for vote in votes) else State.REFUSED
    return replace(before, state=state, votes=votes, ballot=None)


def _questioned(before: Petition, entry: Entry) -> Petition | None:
    if before.has_voted(entry.by.name):
        return None
    question = Question(entry.details["question"], entry.by, entry.at)
    return replace(before, state=State.QUESTIONED, questions=(*before.questions, question))


def _answered(before: Petition, entry: Entry) -> Petition | None:
    if before.state is not State.QUESTIONED:
        return None
    *earlier, last = before.questions
    answered = replace(last, answer=entry.details["answer"], answered_at=entry.at)
    state = State.HALF_REVIEWED if before.ballot else State.SUBMITTED
    return replace(before, state=state, questions=(*earlier, answered))


def _withdrawn(before: Petition, entry: Entry) -> Petition | None:
    return replace(before, state=State.WITHDRAWN, ballot=None)


def _received(before: Petition, entry: Entry) -> Petition | None:
    return replace(before, state=State.RECEIVED, sealed=entry.details["seal"])


_MOVES = {
    "submitted": lambda before, entry: None,
    "voted": _voted,
    "decided": _decided,
    "questioned": _questioned,
    "answered": _answered,
    "withdrawn": _withdrawn,
    "received": _received,
}


def verdict_of(data: Mapping[str, Any]) -> Verdict:
    """A verdict from its plain values."""
    findings = tuple(
        Finding(finding["check"], Outcome(finding["outcome"]), finding["why"], finding["evidence"])
        for finding in data["findings"]
    )
    return Verdict(data["gate"], findings, data["thresholds"])
