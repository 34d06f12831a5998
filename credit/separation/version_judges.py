"""Who may judge a version (回避): no person who had a part in it, from the placement of its order to the decision.

A part in it have: who made the version or its order, who placed the order, every member of a project that placed it,
and everyone who ever requested its promotion. Their names count in whatever role they act. Judging confirms the request
as a second person (:mod:`credit.confirmation`); some versions take two (:mod:`credit.separation.two_checkers`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time

from credit.actor import Actor, Role
from credit.confirmation import Confirmation, ConfirmationRule, require_second_person
from credit.errors import Missing, Refused
from credit.ledger import Entry
from credit.messages import Text
from credit.seal import Kind
from credit.separation.account_history import has_role_throughout
from credit.separation.involvement import PeopleHistory, ReviewedMatter
from credit.separation.span import Span
from credit.separation.two_checkers import Approval, approvals_of, checkers_needed, counted
from credit.shelf import OpenedSeal, Shelf
from credit.versions import champion_of

REQUESTED = "promotion.asked"
REQUESTERS = frozenset({Role.RESEARCHER, Role.PLATFORM})


def promotion_matter(
    version: OpenedSeal, entries: Iterable[Entry], people: PeopleHistory, shelf: Shelf
) -> ReviewedMatter:
    """What a judge of this version must have had no part in.

    ``entries`` are those of the platform's ledger about it.
    """
    seal = version.seal
    orders = frozenset(parent for parent in seal.parents if parent.startswith(f"{Kind.ORDER}-"))
    requests = [entry for entry in entries if entry.verb == REQUESTED and entry.object == seal.id]
    makers = {seal.made_by.name, *(entry.by.name for entry in requests)}
    moments = [seal.made_at, *(entry.at for entry in requests)]
    moments += [placement.at for placement in people.projects.placements(sorted(orders))]
    for order in sorted(orders):
        try:
            sealed = shelf.open(order, deep=False).seal
        except Missing:  # destroyed since; the research ledger still knows who placed it, and the version who made it
            continue
        makers.add(sealed.made_by.name)
        moments.append(sealed.made_at)
    return ReviewedMatter(min(moments), frozenset(makers), frozenset(), orders)


def promotion_request(version: OpenedSeal, entries: Iterable[Entry]) -> Confirmation:
    """The last request to promote a version, which waits until the version ends for as many checkers as it needs.

    Raises :class:`Missing` for a version whose promotion was never requested.
    """
    seal = version.seal
    requests = [entry for entry in entries if entry.verb == REQUESTED and entry.object == seal.id]
    if not requests:
        raise Missing("petition.no-request", thing=seal.id[:20])
    end = datetime.combine(seal.expires_on, time(), tzinfo=UTC)
    rule = ConfirmationRule(REQUESTERS, frozenset({Role.PLATFORM}), 1 + checkers_needed(seal), end - requests[-1].at)
    return Confirmation(seal.id, "promote", rule, requests[-1].by, requests[-1].at)


def require_requester(version: OpenedSeal, *, entries: Iterable[Entry], people: PeopleHistory) -> None:
    """Raise :class:`Refused` when the person who requested the promotion has not had the role since then.

    Raises :class:`Missing` before a request. Who still wants the version promoted requests it again.
    """
    request = promotion_request(version, entries)
    by, since = request.requested_by, Span(request.requested_at)
    if not has_role_throughout(people.accounts, by.name, by.role, since):
        raise Refused("promotion.requester-left", requester=by.name)


def approvals_now(
    version: OpenedSeal, *, entries: Iterable[Entry], people: PeopleHistory, shelf: Shelf
) -> tuple[Approval, ...]:
    """The approvals of a version since its promotion was requested, each with why it counts no more, or None."""
    known = list(entries)
    matter = promotion_matter(version, known, people, shelf)
    return approvals_of(version.seal, known, people, matter, champion_of(shelf, str(version.seal.terms["model"])))


def require_judge(
    version: OpenedSeal,
    *,
    by: Actor,
    entries: Iterable[Entry],
    people: PeopleHistory,
    shelf: Shelf,
    approves: bool = False,
) -> None:
    """Raise :class:`Refused` for a person who may not judge a version, :class:`Missing` before a request for it.

    Who ``approves`` must not be one of those whose approval counts already; they may still refuse.
    """
    known = list(entries)
    matter = promotion_matter(version, known, people, shelf)
    request = promotion_request(version, known)
    if approves:
        given = counted(approvals_now(version, entries=known, people=people, shelf=shelf))
        request = replace(request, confirmed_by=tuple(each.by for each in given))

    def objection(request: Confirmation, person: Actor, at: datetime) -> Text | None:
        return people.vote_objection(matter, person, at, None)

    require_second_person(request, by=by, at=datetime.now(UTC), objection=objection)
