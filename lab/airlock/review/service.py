"""The review service of the airlock (出域审查服务): submission, gate, blind review by two reviewers, sealed parcel.

Each method checks the state of the petition and appends to the ledger under one lock that all processes of the research
zone share, so that two simultaneous votes, or a vote and a withdrawal, are handled one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from credit.actor import Actor, Role
from credit.canonical import digest_json
from credit.errors import Missing
from credit.gate import Outcome, Verdict
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.ledger.follower import CachedLedger
from credit.messages import Text
from credit.seal import Seal
from credit.separation.account_history import AccountHistory
from credit.shelf import Shelf
from lab import projects
from lab.airlock.exits import EXITS, require_exits_open
from lab.airlock.parcel_context import ParcelContext
from lab.airlock.review import blind_voting
from lab.airlock.review.judging import ZoneGate
from lab.airlock.review.notices import Notice, notices_for
from lab.airlock.review.origins import origins_of
from lab.airlock.review.outside_reviewers import review_objections
from lab.airlock.review.parcel_store import ParcelStore
from lab.airlock.review.petition import READ, VERB_PREFIX, Petition, Vote, fold
from lab.airlock.review.reading import require_all_read, require_token
from lab.airlock.review.review_rules import (
    checked_text,
    failed_findings,
    reason_of,
    refusal,
    require_approved,
    require_author,
    require_collectable,
    require_no_vote,
    require_nothing_new,
    require_outside,
    require_recipients,
    require_same_origins,
)
from lab.airlock.review.sealing import require_sources, seal_parcel
from lab.airlock.review.states import State, require_transition
from lab.settings import ResearchSettings

FOLDED = (VERB_PREFIX, "project", "training", EXITS)
"""The kinds of verbs that decide: of parcels, of who had a part in them, and of the exits."""


@dataclass(frozen=True, slots=True)
class AirlockService:
    """The service of one research zone. ``shelf`` holds releases and versions; ``key`` is the research zone's key.

    ``accounts`` says who had which role when: it decides with the ledger who may review.
    """

    settings: ResearchSettings
    ledger: Ledger
    shelf: Shelf
    key: SigningKey
    accounts: AccountHistory
    today: Callable[[], date] = date.today
    _following: Ledger = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A view, as the console's, keeps its entries in an index; a plain ledger's are kept here.
        plain = type(self.ledger) is Ledger
        object.__setattr__(self, "_following", CachedLedger.of(self.ledger, *FOLDED) if plain else self.ledger)

    def check(
        self, files: Mapping[str, bytes], *, project: str, context: ParcelContext | None = None, author: str = ""
    ) -> Verdict:
        """The gate's verdict; nothing is recorded. Raises what :meth:`submit` would for sources and recipients."""
        if context is not None:
            require_recipients(self.accounts, context)
            context = require_sources(context.in_one_spelling(), self.shelf, self.today(), project=project)
        return self._gate(project, author).judge(files, context, self.all()).verdict

    def submit(self, files: Mapping[str, bytes], context: ParcelContext, *, by: Actor, project: str) -> Petition:
        """Submit files for review: the files are stored, and the petition is recorded in the ledger.

        Raises :class:`Refused` when ``by`` is not a member of the project, and with the findings when one of them
        fails; then no file is stored. Raises :class:`Malformed`, :class:`Missing` or :class:`~credit.errors.Lapsed` for
        an unsuitable context or release.
        """
        require_transition(None, State.SUBMITTED, by=by, author=by.name)
        self._project(project).require(by.name, self.today())
        require_author(self.accounts, by)
        require_recipients(self.accounts, context)
        context = require_sources(context.in_one_spelling(), self.shelf, self.today(), project=project)
        before, gate = self.all(), self._gate(project, by.name)
        judgement = gate.judge(files, context, before)
        with self._store.exclusive():
            now = self.all()
            if gate.compared_ids(now) != gate.compared_ids(before):  # another parcel was submitted meanwhile
                judgement = gate.judge(files, context, now)
            if judgement.verdict.outcome is Outcome.FAIL:
                self._refuse(judgement.verdict, by, project)
            details = {
                "project": project,
                "origins": origins_of(judgement.kinds, self.shelf).as_json(),
                "files": gate.keep(judgement, files),
                "context": context.renamed(judgement.names).as_json(),
                "verdict": judgement.verdict.as_json(),
            }
            name = f"petition-{digest_json([details, str(by), self.ledger.head()[1]])[:16]}"
            self.ledger.append(f"{VERB_PREFIX}.submitted", name, by=by, details=details)
        return self.get(name)

    def all(self, project: str | None = None) -> list[Petition]:
        """All petitions, or those of one project, the oldest first."""
        petitions = fold(self._following.entries(), self.accounts).values()
        return [each for each in petitions if project is None or each.project == project]

    def get(self, id: str) -> Petition:
        """The petition with this id; raises :class:`Missing`."""
        petition = fold(self._following.entries(), self.accounts).get(id)
        if petition is None:
            raise Missing("desk.no-such-petition", why=Text.verbatim(id[:30] if id.isascii() else ""))
        return petition

    def file(self, id: str, name: str, *, by: Actor) -> bytes:
        """The outgoing bytes of a file, to be shown: to reviewers, and to the author once both have approved it.

        Raises :class:`Missing` for an unknown petition or file, :class:`Refused` for other users, and
        :class:`~credit.errors.Broken` when the stored bytes were changed.
        """
        petition = self.get(id)
        if by.role is Role.RESEARCHER and by.name == petition.author.name:
            require_approved(petition)
        else:
            self._require_reviewer(petition, by, "act.see-parcel-files")
        if name not in petition.files:
            raise Missing("desk.no-such-file-in-parcel")
        return self._store.get(petition.files[name].digest)

    def send_question(self, id: str, question: str, *, by: Actor) -> Petition:
        """Record a question of a reviewer who has not voted yet; then it is the author's turn.

        Raises :class:`Refused` out of turn, for other users and after the vote, and :class:`Malformed` for the text.
        """
        with self._store.exclusive():
            petition = self.get(id)
            require_transition(petition.state, State.QUESTIONED, by=by, author=petition.author.name)
            self._require_reviewer(petition, by, "act.ask-about-parcel")
            require_no_vote(petition, by)
            return self._append("questioned", petition, by, question=checked_text(question, "question"))

    def answer(self, id: str, text: str, *, by: Actor) -> Petition:
        """Record the author's answer; then it is the reviewers' turn again.

        Raises :class:`Refused` without an open question and for other users, and :class:`Malformed` for the text.
        """
        with self._store.exclusive():
            petition = self.get(id)
            after = State.HALF_REVIEWED if petition.ballot else State.SUBMITTED
            require_transition(petition.state, after, by=by, author=petition.author.name)
            return self._append("answered", petition, by, answer=checked_text(text, "answer"))

    def vote(self, id: str, approve: bool, reason: str, *, by: Actor) -> Petition:
        """Record a reviewer's only vote. The first vote stays encrypted until the second vote decrypts both.

        A refusal needs a reason, and so does an approval when a finding needs review. Raises :class:`Malformed` without
        such a reason; :class:`Refused` out of turn, for the author, for a member of the project, for a second vote, and
        while a file was not shown to this reviewer to its end.
        """
        with self._store.exclusive():
            petition = self.get(id)
            first = petition.ballot
            vote = self._checked_vote(petition, approve, reason, by)
            if first is None:
                closed = blind_voting.seal_vote(vote, self.key, about=f"{id} {by.name}")
                return self._append("voted", petition, by, **closed)
            opened = blind_voting.open_vote(first.closed, self.key, about=f"{id} {first.by.name}")
            outcome = State.APPROVED if approve and opened["approve"] else State.REFUSED
            return self._append("decided", petition, by, first=opened, second=vote, outcome=outcome)

    def require_vote(self, id: str, approve: bool, reason: str, *, by: Actor) -> Petition:
        """The petition, if :meth:`vote` would take this vote now; raises what it raises. Nothing is recorded."""
        petition = self.get(id)
        self._checked_vote(petition, approve, reason, by)
        return petition

    def mark_read(self, id: str, file: str, token: str, *, by: Actor) -> Petition:
        """Record that a reviewer was shown a file to its end, by the token at that end (:func:`reading_token`).

        Raises :class:`Refused` for another token and for other users, :class:`Missing` for an unknown file.
        """
        with self._store.exclusive():
            petition = self.get(id)
            self._require_reviewer(petition, by, "act.see-parcel-files")
            require_token(token, petition, file, by, self.key)
            if file not in petition.unread(by.name):
                return petition
            return self._append(READ, petition, by, file=file, digest=petition.files[file].digest)

    def own_vote(self, id: str, *, by: Actor) -> Vote | None:
        """The vote of this reviewer, decrypted for them alone; None when they have not voted."""
        petition = self.get(id)
        ballot = petition.ballot
        if ballot is not None and ballot.by == by:
            opened = blind_voting.open_vote(ballot.closed, self.key, about=f"{id} {by.name}")
            return Vote(by, ballot.at, opened["approve"], opened["reason"])
        return next((vote for vote in petition.votes if vote.by == by), None)

    def withdraw(self, id: str, *, by: Actor) -> Petition:
        """Withdraw the author's parcel. Raises :class:`Refused` after it left or was refused, and for other users."""
        with self._store.exclusive():
            petition = self.get(id)
            require_transition(petition.state, State.WITHDRAWN, by=by, author=petition.author.name)
            return self._append("withdrawn", petition, by)

    def collect(self, id: str, *, by: Actor) -> Seal:
        """Hand an approved parcel to its author: it is checked once more and sealed into the outbox.

        Raises :class:`~credit.errors.Broken` when a file was changed, :class:`Refused` when the gate gives new findings
        that the reviewers did not see, :class:`~credit.errors.Lapsed` when a release has expired or exits are closed.
        """
        with self._store.exclusive():
            petition = self.get(id)
            self._require_collectable(petition, by)
            files = {name: self._store.get(listed.digest) for name, listed in petition.files.items()}
            others = [each for each in self.all() if each.submitted_at < petition.submitted_at]
            judgement = self._gate(petition.project, petition.author.name).judge(files, petition.context, others)
            require_nothing_new(petition, judgement.verdict)
            require_same_origins(petition, origins_of(judgement.kinds, self.shelf))
            petition = self.get(id)  # judging takes seconds, in which a voter may have joined
            self._require_collectable(petition, by)
            outbox = Shelf(self.settings.outbox, self.shelf.ring)
            seal = seal_parcel(
                petition, judgement, shelf=self.shelf, outbox=outbox, key=self.key, by=by, today=self.today()
            )
            self._append("received", petition, by, seal=seal.id, verdict=judgement.verdict.as_json())
            return seal

    def notices(self, user: str, roles: tuple[Role, ...], *, since: datetime | None = None) -> list[Notice]:
        """The notices of a user: parcels that wait for them, and changes after ``since``; the newest first."""
        petitions = self.all()
        objections = self.objections(petitions, user)
        reviewed = {each.id for each in petitions if each.id not in objections} if Role.REVIEWER in roles else set()
        return notices_for(petitions, reviewed, user, since)

    @property
    def _store(self) -> ParcelStore:
        return ParcelStore(self.settings.airlock)

    def _gate(self, project: str, author: str) -> ZoneGate:
        return ZoneGate.of(self._store, self.shelf, self.today(), self._following.entries(), project, author)

    def _checked_vote(self, petition: Petition, approve: bool, reason: str, by: Actor) -> dict[str, Any]:
        """The vote that would be recorded; raises what :meth:`vote` raises."""
        decided = State.APPROVED if approve else State.REFUSED
        after = State.HALF_REVIEWED if petition.ballot is None else decided
        require_transition(petition.state, after, by=by, author=petition.author.name)
        self._require_reviewer(petition, by, "act.vote-on-parcel")
        require_no_vote(petition, by)
        require_all_read(petition, by)
        return blind_voting.cast_vote(approve, reason_of(petition, approve, reason))

    def _append(self, move: str, petition: Petition, by: Actor, **details: object) -> Petition:
        self.ledger.append(f"{VERB_PREFIX}.{move}", petition.id, by=by, details=details)
        return self.get(petition.id)

    def _refuse(self, verdict: Verdict, by: Actor, project: str) -> None:
        """Record that a parcel was stopped and by which checks, and raise the refusal; its files are not stored."""
        details = {"project": project, "checks": sorted({finding.check for finding in failed_findings(verdict)})}
        self.ledger.append(f"{VERB_PREFIX}.stopped", f"project-{project}", by=by, details=details)
        raise refusal(verdict)

    def _project(self, name: str) -> projects.Project:
        project = projects.fold_projects(self._following.entries()).get(name)
        if project is None:
            raise Missing("desk.no-project", name=name[:30])
        return project

    def objection(self, petition: Petition, name: str) -> Text | None:
        """Why a person may not review a parcel now, as a message; None for one who may."""
        return self.objections([petition], name).get(petition.id)

    def objections(self, petitions: Iterable[Petition], name: str) -> dict[str, Text]:
        """Why a person may not review parcels, by the ids of those that they may not review."""
        return review_objections(petitions, name, entries=self._following.entries(), accounts=self.accounts)

    def _require_reviewer(self, petition: Petition, by: Actor, act: str) -> None:
        by.require_role(Role.REVIEWER, act=act)
        require_outside(self.objection(petition, by.name), by, act)

    def _require_collectable(self, petition: Petition, by: Actor) -> None:
        require_exits_open(self._following.entries())
        project = self._project(petition.project)
        require_collectable(petition, project, self.accounts, by=by, today=self.today())
