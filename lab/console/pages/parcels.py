"""The reviewers' queue and a parcel's page (出域审查): the file beside its findings, and everything to decide by."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Actor, Role
from credit.errors import Malformed, Missing
from lab.airlock.review.petition import Petition
from lab.airlock.review.service import AirlockService
from lab.airlock.review.states import LEFT_OR_PENDING, State, Turn
from lab.console.access_rules import EVERYONE, REVIEWERS, does, shows
from lab.console.app_state import Room
from lab.console.ledgers.ledger_view import Chapter
from lab.console.provenance import cells_behind, order_of
from lab.console.rendering.file_view import show
from lab.console.request_session import Visit, Visiting
from lab.projects import Project

RESEARCHER = (Role.RESEARCHER,)
DECIDED = 100  # decided ones in the list, the newest
router = APIRouter()


def desk_of(room: Room) -> AirlockService:
    """The airlock's desk over the chapters of the ledger that it folds from."""
    return AirlockService(
        room.settings, Chapter.of(room.research, "parcel.", "project."), room.shelf, room.key, room.today
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """As what a visitor stands before a petition: its author, one who may review it, or one who oversees."""

    author: bool
    reviewer: bool
    overseer: bool
    actor: Actor

    @property
    def sees_files(self) -> bool:
        """The desk shows files to the author and to reviewers from outside the project alone."""
        return self.author or self.reviewer

    @classmethod
    def of(cls, visit: Visit, petition: Petition, projects: dict[str, Project]) -> Standing:
        """Raises :class:`Missing` for one to whom it is none of their business."""
        author = visit.name == petition.author.name and visit.has(Role.RESEARCHER)
        project = projects.get(petition.project)
        inside = visit.name == petition.author.name or (project is not None and visit.name in project.members)
        reviewer, overseer = visit.has(Role.REVIEWER) and not inside, visit.has(Role.PLATFORM, Role.REVIEWER)
        if not (author or reviewer or overseer):
            raise Missing("parcels.no-such-parcel-among-yours")
        role = Role.RESEARCHER if author else Role.REVIEWER if reviewer else visit.account.roles[0]  # type: ignore[union-attr]
        return cls(author, reviewer, overseer, Actor(visit.name, role))

    def state(self, petition: Petition) -> State:
        """The state as they may know it: an author does not learn that one of two has voted."""
        half = petition.state is State.HALF_REVIEWED and not self.reviewer
        return State.SUBMITTED if half else petition.state


@dataclass(frozen=True, slots=True)
class Line:
    """A petition in the list."""

    petition: Petition
    state: State
    yours: bool


def lines(visit: Visit) -> list[Line]:
    """Every petition that is the visitor's business: what waits for them first, the longest waiting on top."""
    room, found = visit.room, []
    projects = room.projects.all()
    for petition in desk_of(room).all():
        try:
            standing = Standing.of(visit, petition, projects)
        except Missing:
            continue
        votes = standing.reviewer and petition.turn is Turn.REVIEWERS and not petition.has_voted(visit.name)
        yours = votes or (standing.author and petition.turn is Turn.AUTHOR)
        found.append(Line(petition, standing.state(petition), yours))
    return sorted(found, key=lambda line: line.petition.submitted_at)


@shows(router, "/parcels", EVERYONE)
def queue(visit: Visiting) -> Response:
    """What waits for the visitor, what waits for others, what was decided."""
    found = lines(visit)
    waiting = [line for line in found if not line.yours and line.petition.turn is not Turn.NONE]
    decided = [line for line in found if line.petition.turn is Turn.NONE][::-1]
    return visit.show(
        "parcels.html.j2", yours=[line for line in found if line.yours], waiting=waiting, decided=decided[:DECIDED]
    )


@shows(router, "/parcels/{id}", EVERYONE)
def one(visit: Visiting, id: str, file: str = "") -> Response:
    """A parcel: one of its files beside the findings, and what stands behind it."""
    room, desk = visit.room, desk_of(visit.room)
    projects = room.projects.all()
    petition = desk.get(id)
    standing = Standing.of(visit, petition, projects)
    seen = petition.seen_by(standing.actor)
    chosen = file or next(iter(petition.files))
    if chosen not in petition.files:
        raise Missing("parcels.no-such-file-in-parcel")
    shown = None
    if standing.sees_files:
        content = desk.file(id, chosen, by=standing.actor)
        listed, about = petition.files[chosen], petition.context.files[chosen]
        shown = show(chosen, listed.kind, content, about, petition.findings(chosen))
    voted = standing.reviewer and petition.has_voted(visit.name)
    return visit.show(
        "parcel.html.j2",
        petition=seen,
        state=standing.state(petition),
        standing=standing,
        chosen=chosen,
        shown=shown,
        mine=desk.own_vote(id, by=standing.actor) if voted else None,
        may_vote=standing.reviewer and petition.turn is Turn.REVIEWERS and not voted,
        may_answer=standing.author and petition.state is State.QUESTIONED,
        may_withdraw=standing.author and petition.state in LEFT_OR_PENDING and petition.state is not State.RECEIVED,
        project=projects.get(petition.project),
        before=order_of(petition, desk.all(petition.project)),
        behind=cells_behind(room, petition) if standing.sees_files else None,
    )


@does(router, "/parcels/{id}/vote", REVIEWERS)
def vote(visit: Visiting, id: str) -> Response:
    """Approve or refuse, once."""
    decision = visit.one("decision")
    if decision not in ("approve", "refuse"):
        raise Malformed("parcels.vote-approves-or-refuses")
    desk_of(visit.room).vote(id, decision == "approve", visit.one("reason"), by=visit.actor(Role.REVIEWER))
    return visit.go(f"parcels/{id}", said="voted")


@does(router, "/parcels/{id}/ask", REVIEWERS)
def ask(visit: Visiting, id: str) -> Response:
    """Ask the author."""
    desk_of(visit.room).ask_author(id, visit.one("question"), by=visit.actor(Role.REVIEWER))
    return visit.go(f"parcels/{id}", said="asked")


@does(router, "/parcels/{id}/answer", RESEARCHER)
def answer(visit: Visiting, id: str) -> Response:
    """Answer the open question."""
    desk_of(visit.room).answer(id, visit.one("answer"), by=visit.actor(Role.RESEARCHER))
    return visit.go(f"parcels/{id}", said="answered")


@does(router, "/parcels/{id}/withdraw", RESEARCHER)
def withdraw(visit: Visiting, id: str) -> Response:
    """Take it back."""
    desk_of(visit.room).withdraw(id, by=visit.actor(Role.RESEARCHER))
    return visit.go(f"parcels/{id}", said="withdrawn")


@does(router, "/parcels/{id}/collect", RESEARCHER)
def collect(visit: Visiting, id: str) -> Response:
    """Receive an approved parcel: it is sealed into the outbox."""
    desk_of(visit.room).collect(id, by=visit.actor(Role.RESEARCHER))
    return visit.go(f"parcels/{id}", said="collected")
