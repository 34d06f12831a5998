"""A petition that a parcel may leave (出域申请), folded from the ledger's entries, which are its only record.

Who may vote is decided over the whole span from the submission to the collection (see
:mod:`credit.separation.involvement`): a vote falls when its voter joins the project or no longer has the role, and the
parcel waits for votes again. When one vote of a decision falls, both fall, since the other is no longer secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from credit.actor import Actor, Role
from credit.gate import Finding, Verdict
from credit.ledger import Entry
from credit.messages import Text
from credit.separation.account_history import AccountHistory, AccountsReadOnce
from credit.separation.involvement import PeopleHistory, ReviewedMatter
from credit.separation.project_history import ProjectHistory, in_time
from lab.airlock.parcel_context import ParcelContext
from lab.airlock.review.blind_voting import commitment
from lab.airlock.review.origins import NO_ORIGINS, ParcelOrigins
from lab.airlock.review.states import TURN, State, Turn, is_allowed

VERB_PREFIX = "parcel"
READ = "read"  # a reviewer was shown a file to its end, which moves no parcel


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a parcel: SHA-256 and size (bytes) of its main form, kind, SHA-256 of the file as ``given``.

    ``leaving`` is the kind of each file that leaves for it, by name.
    """

    digest: str
    size: int
    kind: str
    given: str
    leaving: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """A reviewer's question, and the author's answer, which is None while the question is open."""

    text: str
    by: Actor
    at: datetime
    answer: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """A reviewer's decision and reason; visible only after both reviewers have voted."""

    by: Actor
    at: datetime
    approve: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Ballot:
    """The first vote while it is encrypted: the reviewer and the time, and the box of :mod:`blind_voting`."""

    by: Actor
    at: datetime
    closed: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FallenVote:
    """A vote that no longer counts, and why."""

    by: Actor
    at: datetime
    why: Text


@dataclass(frozen=True, slots=True)
class Petition:
    """One parcel as recorded in the ledger. ``ballot``: the encrypted first vote; ``votes``: both, once both are cast.

    ``sealed`` is the id of the parcel's seal after it was collected. ``origins`` are those of the versions in it, and
    ``fallen`` are the votes that no longer count. ``read`` says who was shown which file to its end: the name of the
    reviewer, and the file's name and digest.
    """

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
    origins: ParcelOrigins = NO_ORIGINS
    fallen: tuple[FallenVote, ...] = ()
    read: frozenset[tuple[str, str, str]] = frozenset()

    @property
    def matter(self) -> ReviewedMatter:
        """What a reviewer must have had no part in since it was submitted."""
        makers = frozenset({self.author.name, *self.origins.makers})
        recipients = frozenset(self.context.recipients)
        orders = frozenset(self.origins.orders)
        return ReviewedMatter(self.submitted_at, makers, frozenset({self.project}), orders, recipients)

    @property
    def digests(self) -> dict[str, str]:
        """The digest of each file's main form, by name."""
        return {name: each.digest for name, each in self.files.items()}

    @property
    def leaving(self) -> dict[str, str]:
        """The kind of each file that leaves, by name."""
        return {name: kind for each in self.files.values() for name, kind in each.leaving.items()}

    @property
    def turn(self) -> Turn:
        """The party that has to act next."""
        return TURN[self.state]

    def findings(self, file: str) -> tuple[Finding, ...]:
        """The gate's findings in one file."""
        return tuple(finding for finding in self.verdict.findings if finding.evidence.get("file") == file)

    def unread(self, reviewer: str) -> list[str]:
        """The names of the files that were not shown to a reviewer to their end, as they are now."""
        return [name for name, each in self.files.items() if (reviewer, name, each.digest) not in self.read]

    def has_voted(self, user: str) -> bool:
        """True when the user has voted on this parcel."""
        return any(vote.by.name == user for vote in (*self.votes, *((self.ballot,) if self.ballot else ())))

    def visible_to(self, actor: Actor) -> Petition:
        """The petition as ``actor`` may see it: until both have voted, only the first voter sees that they voted."""
        if self.ballot is None or self.ballot.by.name == actor.name:
            return self
        return replace(self, ballot=None)


def fold(entries: Iterable[Entry], accounts: AccountHistory) -> dict[str, Petition]:
    """The petitions by id, folded from the entries ``parcel.…``, in the order of submission.

    The entries ``project.…`` and ``training.…`` of the same ledger, and the history of accounts, say who may vote. An
    entry that the table of moves or the separation of people does not allow is ignored; the review service prevents
    such entries.
    """
    petitions: dict[str, Petition] = {}
    people = PeopleHistory(AccountsReadOnce(accounts), ProjectHistory())
    for entry in in_time(entries):
        people.projects.apply(entry)
        kind, _, move = entry.verb.partition(".")
        if kind != VERB_PREFIX or move not in (*_FOLD_STEPS, READ):
            continue
        before = petitions.get(entry.object)
        if move == READ:
            if before is not None and entry.by.role is Role.REVIEWER:
                mark = (entry.by.name, entry.details["file"], entry.details["digest"])
                petitions[entry.object] = replace(before, read=before.read | {mark})
            continue
        if before is None:
            after = _submitted(entry) if move == "submitted" else None
        else:
            before = without_fallen_votes(before, people, entry.at)
            after = _FOLD_STEPS[move](before, entry)
        if after is None:
            continue
        author = before.author.name if before else entry.by.name
        allowed = is_allowed(before.state if before else None, after.state, entry.by, author)
        if allowed and (entry.by.role is Role.RESEARCHER or _may_review(before, people, entry)):
            petitions[entry.object] = replace(after, changed_at=entry.at)
    return {id: without_fallen_votes(petition, people, None) for id, petition in petitions.items()}


def without_fallen_votes(petition: Petition, people: PeopleHistory, until: datetime | None) -> Petition:
    """The petition without the votes that fell until a moment (or the last that is known).

    A decision to refuse stays: it lets nothing out, and the author may submit again.
    """
    pending = petition.votes if petition.state is State.APPROVED else ()
    cast = (*pending, *((petition.ballot,) if petition.ballot else ()))
    reasons = [(vote, people.vote_objection(petition.matter, vote.by, vote.at, until)) for vote in cast]
    fallen = tuple(FallenVote(vote.by, vote.at, why) for vote, why in reasons if why is not None)
    if not fallen:
        return petition
    state = State.QUESTIONED if petition.state is State.QUESTIONED else State.SUBMITTED
    return replace(petition, state=state, votes=(), ballot=None, fallen=(*petition.fallen, *fallen))


def _may_review(before: Petition | None, people: PeopleHistory, entry: Entry) -> bool:
    return before is not None and people.vote_objection(before.matter, entry.by, entry.at, entry.at) is None


def _submitted(entry: Entry) -> Petition:
    details = entry.details
    files = {name: ListedFile(**one) for name, one in details["files"].items()}
    context, verdict = ParcelContext.parse(details["context"]), verdict_of(details["verdict"])
    return Petition(
        entry.object, details["project"], entry.by, entry.at, entry.at, State.SUBMITTED, files, context, verdict,
        origins=ParcelOrigins(**{name: tuple(names) for name, names in details.get("origins", {}).items()}),
    )  # fmt: skip


def _voted(before: Petition, entry: Entry) -> Petition | None:
    if before.state is not State.SUBMITTED:
        return None
    return replace(before, state=State.HALF_REVIEWED, ballot=Ballot(entry.by, entry.at, entry.details))


def _decided(before: Petition, entry: Entry) -> Petition | None:
    """The second vote, with both votes in plain text; the first must match its commitment."""
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


_FOLD_STEPS = {
    "submitted": lambda before, entry: None,
    "voted": _voted,
    "decided": _decided,
    "questioned": _questioned,
    "answered": _answered,
    "withdrawn": _withdrawn,
    "received": _received,
}


def verdict_of(data: Mapping[str, Any]) -> Verdict:
    """A verdict from its JSON values."""
    findings = tuple(Finding.read(finding) for finding in data["findings"])
    return Verdict(data["gate"], findings, data["thresholds"])
