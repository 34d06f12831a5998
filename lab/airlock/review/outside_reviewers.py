"""Reviewers from outside (回避): who may not review which parcels now, and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from credit.actor import Actor, Role
from credit.ledger.entry import Entry
from credit.messages import Text
from credit.separation.account_history import AccountHistory
from credit.separation.involvement import PeopleHistory
from lab.airlock.review.petition import Petition


def review_objections(
    petitions: Iterable[Petition], name: str, *, entries: Iterable[Entry], accounts: AccountHistory
) -> dict[str, Text]:
    """Why a person may not review parcels, by the ids of those that they may not review.

    ``entries`` are those of the research ledger about projects and trainings.
    """
    people = PeopleHistory.of(entries, accounts)
    now, reviewer = datetime.now(UTC), Actor(name, Role.REVIEWER)
    reasons = [(each.id, people.vote_objection(each.matter, reviewer, now, None)) for each in petitions]
    return {id: why for id, why in reasons if why is not None}
