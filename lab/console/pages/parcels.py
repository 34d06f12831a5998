"""The list of parcels and the page of one parcel (出域审查): a file beside its findings, votes, questions, actions."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Actor, Role
from credit.errors import Lapsed, Malformed, Missing
from credit.messages import Text
from credit.shelf import Shelf
from lab.airlock.copies.shelf_models import ShelfModels
from lab.airlock.review.parcel_manifest import manifest_lines
from lab.airlock.review.petition import Petition
from lab.airlock.review.reading import reading_token
from lab.airlock.review.service import FOLDED, AirlockService
from lab.airlock.review.states import LEFT_OR_PENDING, State, Turn
from lab.console.access_rules import LAB, REVIEWERS, get_page, post_form
from lab.console.app_state import AppState
from lab.console.ledgers.ledger_view import LedgerView
from lab.console.provenance import earlier_petitions, provenance_of
from lab.console.rendering.file_view import view_file
from lab.console.request_session import CurrentSession, RequestSession

RESEARCHER = (Role.RESEARCHER,)
DECIDED_SHOWN = 100  # the newest decided parcels that the list shows
router = APIRouter()


def airlock_of(app_state: AppState) -> AirlockService:
    """The airlock's review service over the ledger entries that it needs."""
    return AirlockService(
        app_state.settings,
        LedgerView.of(app_state.research, *(f"{kind}." for kind in FOLDED)),
        app_state.shelf,
        app_state.key,
        app_state.accounts,
        app_state.today,
    )


@dataclass(frozen=True, slots=True)
class PetitionAccess:
    """What a user may see and do with one petition: as its author, as a reviewer of it, or as an overseer.

    ``why_not`` says why a user with the role reviewer may not review this petition.
    """

    author: bool
    reviewer: bool
    overseer: bool
    actor: Actor
    why_not: Text | None = None

    @property
    def sees_petition(self) -> bool:
        """True for the author and for reviewers who had no part in the parcel."""
        return self.author or self.reviewer

    def sees_files(self, petition: Petition) -> bool:
        """True for these reviewers, and for the author once both have approved it: the review is no exit."""
        return self.reviewer or (self.author and petition.state in (State.APPROVED, State.RECEIVED))

    @classmethod
    def of(cls, session: RequestSession, petition: Petition, objection: Text | None) -> PetitionAccess:
        """The access of the session's user; raises :class:`Missing` when the user may not know of the petition.

        ``objection`` is what the airlock says against this user as a reviewer of it.
        """
        author = session.name == petition.author.name and session.has(Role.RESEARCHER)
        has_role = session.has(Role.REVIEWER)
        reviewer, overseer = has_role and objection is None, session.has(Role.PLATFORM, Role.REVIEWER)
        if not (author or reviewer or overseer):
            raise Missing("parcels.no-such-parcel-among-yours")
        role = Role.RESEARCHER if author else Role.REVIEWER if reviewer else session.account.roles[0]  # type: ignore[union-attr]
        return cls(author, reviewer, overseer, Actor(session.name, role), objection if has_role else None)

    def state(self, petition: Petition) -> State:
        """The state as this user may know it: only reviewers see that the first of the two votes has been cast."""
        half = petition.state is State.HALF_REVIEWED and not self.reviewer
        return State.SUBMITTED if half else petition.state


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One line of the list; ``yours`` is True when the petition waits for this user.

    ``why_not`` says why it does not, to a reviewer who may not review it.
    """

    petition: Petition
    state: State
    yours: bool
    why_not: Text | None = None


def queue_lines(session: RequestSession) -> list[QueueLine]:
    """Every petition that the user may see, the earliest submitted first."""
    entries, airlock = [], airlock_of(session.app_state)
    petitions = airlock.all()
    objections = airlock.objections(petitions, session.name)
    for petition in petitions:
        try:
            access = PetitionAccess.of(session, petition, objections.get(petition.id))
        except Missing:
            continue
        votes = access.reviewer and petition.turn is Turn.REVIEWERS and not petition.has_voted(session.name)
        yours = votes or (access.author and petition.turn is Turn.AUTHOR)
        why_not = access.why_not if petition.turn is Turn.REVIEWERS and not access.author else None
        entries.append(QueueLine(petition, access.state(petition), yours, why_not))
    return sorted(entries, key=lambda line: line.petition.submitted_at)


@get_page(router, "/parcels", LAB)
def queue(session: CurrentSession) -> Response:
    """The list: petitions that wait for the user, petitions that wait for others, decided petitions."""
    entries = queue_lines(session)
    waiting = [line for line in entries if not line.yours and line.petition.turn is not Turn.NONE]
    decided = [line for line in entries if line.petition.turn is Turn.NONE][::-1]
    return session.page(
        "parcels.html.j2",
        yours=[line for line in entries if line.yours],
        waiting=waiting,
        decided=decided[:DECIDED_SHOWN],
    )


@get_page(router, "/parcels/{id}", LAB)
def parcel(session: CurrentSession, id: str, file: str = "") -> Response:
    """A parcel: one of its files beside the findings, the votes and questions, and its provenance."""
    app_state, airlock = session.app_state, airlock_of(session.app_state)
    projects = app_state.projects.all()
    petition = airlock.get(id)
    access = PetitionAccess.of(session, petition, airlock.objection(petition, session.name))
    seen = petition.visible_to(access.actor)
    chosen = file or next(iter(petition.files))
    if chosen not in petition.files:
        raise Missing("parcels.no-such-file-in-parcel")
    view = None
    if access.sees_files(petition):
        content = airlock.file(id, chosen, by=access.actor)
        models = ShelfModels(app_state.shelf, app_state.today())
        view = view_file(chosen, petition.files[chosen].kind, content, petition.findings(chosen), models)
    voted = access.reviewer and petition.has_voted(session.name)
    return session.page(
        "parcel.html.j2",
        petition=seen,
        state=access.state(petition),
        access=access,
        excluded=excluded_reviewers(session, petition) if access.overseer else [],
        chosen=chosen,
        file_view=view,
        own_vote=airlock.own_vote(id, by=access.actor) if voted else None,
        may_vote=access.reviewer and petition.turn is Turn.REVIEWERS and not voted,
        unread=petition.unread(session.name) if access.reviewer else [],
        end=reading_token(petition, chosen, session.name, app_state.key) if access.reviewer else "",
        seal_lines=manifest_lines(petition, app_state.shelf) if access.sees_petition else [],
        may_answer=access.author and petition.state is State.QUESTIONED,
        leaving=leaving_files(app_state, petition) if access.author else [],
        may_withdraw=access.author and petition.state in LEFT_OR_PENDING and petition.state is not State.RECEIVED,
        project=projects.get(petition.project),
        earlier=earlier_petitions(petition, airlock.all(petition.project)),
        provenance=provenance_of(app_state, petition) if access.sees_petition else None,
    )


def leaving_files(app_state: AppState, petition: Petition) -> list[str]:
    """The names of the files that a collected parcel consists of; none before it is collected, and after its end."""
    if not petition.sealed:
        return []
    try:
        outbox = Shelf(app_state.settings.outbox, app_state.ring)
        return sorted(outbox.open(petition.sealed, today=app_state.today(), deep=False).seal.files)
    except (Missing, Lapsed):
        return []


def excluded_reviewers(session: RequestSession, petition: Petition) -> list[tuple[str, Text]]:
    """The reviewers who may not review a petition that waits for them, and why."""
    if petition.turn is not Turn.REVIEWERS:
        return []
    accounts, airlock = session.app_state.accounts.all(), airlock_of(session.app_state)
    reviewers = sorted(name for name, account in accounts.items() if Role.REVIEWER in account.roles)
    reasons = [(name, airlock.objection(petition, name)) for name in reviewers]
    return [(name, why) for name, why in reasons if why is not None]


@post_form(router, "/parcels/{id}/vote", REVIEWERS)
def vote(session: CurrentSession, id: str) -> Response:
    """Cast the user's one vote, approve or refuse: asked once more before it is final."""
    decision = session.field("decision")
    if decision not in ("approve", "refuse"):
        raise Malformed("parcels.vote-approves-or-refuses")
    approve, reason, by = decision == "approve", session.field("reason"), session.actor(Role.REVIEWER)
    airlock = airlock_of(session.app_state)
    if session.field("confirmed") != decision:
        petition = airlock.require_vote(id, approve, reason, by=by)
        return session.page("vote.html.j2", petition=petition, decision=decision, reason=reason)
    airlock.vote(id, approve, reason, by=by)
    return session.redirect(f"parcels/{id}", confirmation="voted")


@post_form(router, "/parcels/{id}/read", REVIEWERS)
def mark_read(session: CurrentSession, id: str) -> Response:
    """Record that the user was shown a file to its end, and go to the next one that they have not read."""
    by, file = session.actor(Role.REVIEWER), session.field("file")
    petition = airlock_of(session.app_state).mark_read(id, file, session.field("end"), by=by)
    unread = petition.unread(session.name)
    return session.redirect(f"parcels/{id}" + (f"?{urlencode({'file': unread[0]})}" if unread else ""))


@post_form(router, "/parcels/{id}/ask", REVIEWERS)
def send_question(session: CurrentSession, id: str) -> Response:
    """Send a question to the author."""
    airlock_of(session.app_state).send_question(id, session.field("question"), by=session.actor(Role.REVIEWER))
    return session.redirect(f"parcels/{id}", confirmation="asked")


@post_form(router, "/parcels/{id}/answer", RESEARCHER)
def answer(session: CurrentSession, id: str) -> Response:
    """Answer the open question."""
    airlock_of(session.app_state).answer(id, session.field("answer"), by=session.actor(Role.RESEARCHER))
    return session.redirect(f"parcels/{id}", confirmation="answered")


@post_form(router, "/parcels/{id}/withdraw", RESEARCHER)
def withdraw(session: CurrentSession, id: str) -> Response:
    """Withdraw the user's own parcel."""
    airlock_of(session.app_state).withdraw(id, by=session.actor(Role.RESEARCHER))
    return session.redirect(f"parcels/{id}", confirmation="withdrawn")


@post_form(router, "/parcels/{id}/collect", RESEARCHER)
def collect(session: CurrentSession, id: str) -> Response:
    """Collect an approved parcel: it is sealed into the outbox."""
    airlock_of(session.app_state).collect(id, by=session.actor(Role.RESEARCHER))
    return session.redirect(f"parcels/{id}", confirmation="collected")
