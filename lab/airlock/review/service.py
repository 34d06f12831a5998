"""The desk of the airlock (出域审查台): one asks, the gate checks, two reviewers decide blind, a sealed parcel leaves.

Every verb looks at where the petition stands and appends to the ledger in one act, under a lock that all processes of
the research zone share: two votes at once, or a vote and a withdrawal, take turns.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

from credit.actor import Actor, Role
from credit.canonical import digest, digest_json
from credit.errors import Missing, Refused
from credit.gate import Outcome, Verdict
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.ledger_follower import CachedLedger
from credit.seal import Seal
from credit.shelf import Shelf
from lab import projects
from lab.airlock.gate import ParcelJudgement, judge_parcel
from lab.airlock.parcel_context import ParcelContext
from lab.airlock.review import blind_voting
from lab.airlock.review.earlier_tables import earlier_tables
from lab.airlock.review.notices import Notice, notices_for
from lab.airlock.review.parcel_store import ParcelStore
from lab.airlock.review.petition import VERB_PREFIX, Petition, Vote, fold
from lab.airlock.review.review_rules import checked_text, failed_findings, refusal, require_no_vote, require_nothing_new
from lab.airlock.review.sealing import promotion_check, require_releases, seal_parcel
from lab.airlock.review.states import LEFT_OR_PENDING, State, require_move
from lab.airlock.thresholds import Thresholds, load
from lab.settings import ResearchSettings


@dataclass(frozen=True, slots=True)
class AirlockService:
    """One a research zone. ``shelf``: where releases and versions are; ``key``: the research zone's."""

    settings: ResearchSettings
    ledger: Ledger
    shelf: Shelf
    key: SigningKey
    today: Callable[[], date] = date.today
    _following: CachedLedger = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_following", CachedLedger.of(self.ledger, VERB_PREFIX, "project"))

    def check(self, files: Mapping[str, bytes], *, project: str, context: ParcelContext | None = None) -> Verdict:
        """The whole gate, differencing and all, on files by name. Records nothing, keeps nothing."""
        return self._judge(files, context, self.all(project)).verdict

    def submit(self, files: Mapping[str, bytes], context: ParcelContext, *, by: Actor, project: str) -> Petition:
        """Ask that files leave; they are kept, content-addressed, and the petition stands in the ledger.

        Raises :class:`Refused` for one who is no member, and with the findings when any of them fails: then nothing is
        kept, and the researcher's own files are as they were. Raises :class:`Malformed`, :class:`Missing` or
        :class:`~credit.errors.Lapsed` for a context or a release that does not do.
        """
        require_move(None, State.SUBMITTED, by=by, author=by.name)
        self._project(project).require(by.name, self.today())
        context = require_releases(context, self.shelf, self.today())
        before = self.all(project)
        judgement = self._judge(files, context, before)
        with self._alone():
            now = self.all(project)
            if _compared_ids(now) != _compared_ids(
                before
            ):  # somebody else's parcel came in between: hold it against that too
                judgement = self._judge(files, context, now)
            if judgement.verdict.outcome is Outcome.FAIL:
                self._stop(judgement.verdict, by, project)
            store, listed = self._store, {}
            for name, inspection in judgement.files.items():
                kept = store.put(inspection.outgoing)
                size, given = len(inspection.outgoing), digest(files[name])
                listed[name] = {"digest": kept, "size": size, "kind": inspection.kind, "given": given}
            details = {
                "project": project,
                "files": listed,
                "context": context.as_json(),
                "verdict": judgement.verdict.as_json(),
            }
            name = f"petition-{digest_json([details, str(by), self.ledger.head()[1]])[:16]}"
            self.ledger.append(f"{VERB_PREFIX}.submitted", name, by=by, details=details)
        return self.get(name)

    def all(self, project: str | None = None) -> list[Petition]:
        """Every petition, or those of one project, the oldest first."""
        petitions = fold(self._following.entries()).values()
        return [each for each in petitions if project is None or each.project == project]

    def get(self, id: str) -> Petition:
        """One petition; raises :class:`Missing`."""
        petition = fold(self._following.entries()).get(id)
        if petition is None:
            raise Missing("desk.no-such-petition", why=id[:30] if id.isascii() else "")
        return petition

    def file(self, id: str, name: str, *, by: Actor) -> bytes:
        """The bytes of a file as they would leave, for its author and for reviewers.

        Raises :class:`Missing`, :class:`Refused`, or :class:`~credit.errors.Broken` when the bytes were changed.
        """
        petition = self.get(id)
        if not (by.role is Role.RESEARCHER and by.name == petition.author.name):
            self._require_reviewer(petition, by, "see the files of a parcel")
        if name not in petition.files:
            raise Missing("desk.no-such-file-in-parcel")
        return self._store.get(petition.files[name].digest)

    def ask_author(self, id: str, question: str, *, by: Actor) -> Petition:
        """A reviewer who has not voted yet asks; the turn is the author's."""
        with self._alone():
            petition = self.get(id)
            require_move(petition.state, State.QUESTIONED, by=by, author=petition.author.name)
            self._require_reviewer(petition, by, "ask about a parcel")
            require_no_vote(petition, by)
            return self._append("questioned", petition, by, question=checked_text(question, "question"))

    def answer(self, id: str, text: str, *, by: Actor) -> Petition:
        """The author answers; the turn is the reviewers' again."""
        with self._alone():
            petition = self.get(id)
            after = State.HALF_REVIEWED if petition.ballot else State.SUBMITTED
            require_move(petition.state, after, by=by, author=petition.author.name)
            return self._append("answered", petition, by, answer=checked_text(text, "answer"))

    def vote(self, id: str, approve: bool, reason: str, *, by: Actor) -> Petition:
        """A reviewer votes, once. The first vote is closed until the second opens both.

        A refusal needs a reason; so does an approval when a finding asks for a look. Raises :class:`Refused` out of
        turn, for the author, for a member of the project, and for one who has voted.
        """
        with self._alone():
            petition = self.get(id)
            first = petition.ballot
            after = State.HALF_REVIEWED if first is None else State.APPROVED if approve else State.REFUSED
            require_move(petition.state, after, by=by, author=petition.author.name)
            self._require_reviewer(petition, by, "vote on a parcel")
            require_no_vote(petition, by)
            if not approve or petition.verdict.outcome is not Outcome.PASS:
                checked_text(reason, "reason")
            vote = blind_voting.cast_vote(approve, checked_text(reason, "reason") if reason.strip() else "")
            if first is None:
                closed = blind_voting.seal_vote(vote, self.key, about=f"{id} {by.name}")
                return self._append("voted", petition, by, **closed)
            opened = blind_voting.open_vote(first.closed, self.key, about=f"{id} {first.by.name}")
            outcome = State.APPROVED if approve and opened["approve"] else State.REFUSED
            return self._append("decided", petition, by, first=opened, second=vote, outcome=outcome)

    def own_vote(self, id: str, *, by: Actor) -> Vote | None:
        """What this reviewer has voted, opened for themselves alone; None when they have not."""
        petition = self.get(id)
        ballot = petition.ballot
        if ballot is not None and ballot.by == by:
            opened = blind_voting.open_vote(ballot.closed, self.key, about=f"{id} {by.name}")
            return Vote(by, ballot.at, opened["approve"], opened["reason"])
        return next((vote for vote in petition.votes if vote.by == by), None)

    def withdraw(self, id: str, *, by: Actor) -> Petition:
        """The author takes it back, as long as it has not left."""
        with self._alone():
            petition = self.get(id)
            require_move(petition.state, State.WITHDRAWN, by=by, author=petition.author.name)
            return self._append("withdrawn", petition, by)

    def collect(self, id: str, *, by: Actor) -> Seal:
        """The author receives an approved parcel: it is checked once more, and sealed into the outbox.

        Raises :class:`~credit.errors.Broken` when a file was changed, :class:`Refused` when the gate finds what the
        reviewers did not see, :class:`~credit.errors.Lapsed` when a release has ended since.
        """
        with self._alone():
            petition = self.get(id)
            require_move(petition.state, State.RECEIVED, by=by, author=petition.author.name)
            files = {name: self._store.get(listed.digest) for name, listed in petition.files.items()}
            others = [each for each in self.all(petition.project) if each.submitted_at < petition.submitted_at]
            verdict = self._judge(files, petition.context, others).verdict
            require_nothing_new(petition, verdict)
            outbox = Shelf(self.settings.outbox, self.shelf.ring)
            seal = seal_parcel(
                petition, files, shelf=self.shelf, outbox=outbox, key=self.key, by=by, today=self.today()
            )
            self._append("received", petition, by, seal=seal.id, verdict=verdict.as_json())
            return seal

    def notices(self, user: str, roles: tuple[Role, ...], *, since: datetime | None = None) -> list[Notice]:
        """What waits for a user, and what has changed for them (since a time), the newest first."""
        return notices_for(self.all(), projects.fold(self._following.entries()), user, roles, since)

    @property
    def _store(self) -> ParcelStore:
        return ParcelStore(self.settings.airlock)

    @property
    def _thresholds(self) -> Thresholds:
        return load()

    def _judge(
        self, files: Mapping[str, bytes], context: ParcelContext | None, others: list[Petition]
    ) -> ParcelJudgement:
        earlier = earlier_tables(
            [each for each in others if each.state in LEFT_OR_PENDING], self._store, self._thresholds
        )
        promoted = promotion_check(self.shelf, self.today())
        return judge_parcel(files, context=context, earlier=earlier, promoted=promoted, thresholds=self._thresholds)

    def _append(self, move: str, petition: Petition, by: Actor, **details: object) -> Petition:
        self.ledger.append(f"{VERB_PREFIX}.{move}", petition.id, by=by, details=details)
        return self.get(petition.id)

    def _stop(self, verdict: Verdict, by: Actor, project: str) -> None:
        """That a parcel was stopped is in the ledger, with the checks that failed; the files are not kept."""
        details = {"project": project, "checks": sorted({finding.check for finding in failed_findings(verdict)})}
        self.ledger.append(f"{VERB_PREFIX}.stopped", f"project-{project}", by=by, details=details)
        raise refusal(verdict)

    def _project(self, name: str) -> projects.Project:
        project = projects.fold(self._following.entries()).get(name)
        if project is None:
            raise Missing("desk.no-project", name=name[:30])
        return project

    def _require_reviewer(self, petition: Petition, by: Actor, act: str) -> None:
        by.require_role(Role.REVIEWER, act=act)
        if by.name == petition.author.name:
            raise Refused("desk.may-not-their-own", by=by, act=act)
        if by.name in self._project(petition.project).members:
            raise Refused("desk.may-not-project", by=by, act=act)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time, over all threads and processes: what was read is still so when it is written."""
        self.settings.airlock.mkdir(parents=True, exist_ok=True)
        with (self.settings.airlock / "desk.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _compared_ids(petitions: list[Petition]) -> set[str]:
    return {each.id for each in petitions if each.state in LEFT_OR_PENDING}
