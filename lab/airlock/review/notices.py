"""Notices (通知): parcels that wait for a user, and changes of the user's own parcels."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from credit.actor import Role
from lab.airlock.review.petition import Petition
from lab.airlock.review.states import State, Turn


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice for one user. ``yours``: the parcel waits for this user. ``role``: the role that the notice concerns."""

    petition: str
    title: str
    project: str
    state: State
    role: Role
    yours: bool
    what: str
    at: datetime


_AUTHOR_NOTICES = {
    State.SUBMITTED: "The reviewers have it",
    State.HALF_REVIEWED: "The reviewers have it",
    State.QUESTIONED: "A reviewer asks: answer the question",
    State.APPROVED: "Approved by both reviewers: collect the parcel",
    State.REFUSED: "Refused: read the reasons, mend it and submit again",
    State.WITHDRAWN: "Withdrawn",
    State.RECEIVED: "Sealed in the outbox",
}


def notices_for(
    petitions: Sequence[Petition],
    reviewed: Collection[str],
    user: str,
    since: datetime | None,
) -> list[Notice]:
    """The notices for ``user``: parcels that wait for them, and changes after ``since``; the newest first.

    ``reviewed`` are the ids of the petitions that this user may review.
    """
    lines = [
        notice
        for petition in petitions
        for notice in _petition_notices(petition, petition.id in reviewed, user)
        if notice.yours or since is None or notice.at > since
    ]
    return sorted(lines, key=lambda notice: notice.at, reverse=True)


def _petition_notices(petition: Petition, may_review: bool, user: str) -> Iterator[Notice]:
    title, state = petition.context.title, petition.state
    if petition.author.name == user:
        # The author must not learn when the first vote was cast: the parcel appears to them as submitted.
        at = petition.submitted_at if state is State.HALF_REVIEWED and not petition.questions else petition.changed_at
        seen = State.SUBMITTED if state is State.HALF_REVIEWED else state
        yours = petition.turn is Turn.AUTHOR
        yield Notice(petition.id, title, petition.project, seen, Role.RESEARCHER, yours, _AUTHOR_NOTICES[seen], at)
    elif may_review:
        voted = petition.has_voted(user)
        if petition.turn is Turn.REVIEWERS and not voted:
            answered = bool(petition.questions)
            what = "The author has answered: vote, or ask again" if answered else "A parcel waits for your vote"
            yield _reviewer_notice(petition, True, what)
        elif voted and petition.votes:
            yield _reviewer_notice(petition, False, f"Both have voted: {petition.state}")
        elif petition.state is State.QUESTIONED:
            yield _reviewer_notice(petition, False, "A question waits for the author's answer")


def _reviewer_notice(petition: Petition, yours: bool, what: str) -> Notice:
    title, at = petition.context.title, petition.changed_at
    return Notice(petition.id, title, petition.project, petition.state, Role.REVIEWER, yours, what, at)
