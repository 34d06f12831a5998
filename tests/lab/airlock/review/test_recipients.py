"""Who sees a parcel: its reviewers, its author after the approval, and recipients, who have accounts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.errors import Malformed, Missing, Refused
from credit.shelf import Shelf
from lab.airlock.parcel_context import ParcelContext
from tests.lab.airlock.review_zone import (
    AUTHOR,
    COLLEAGUE,
    FIRST,
    PLATFORM,
    PROJECT,
    SAFE,
    SECOND,
    THIRD,
    WRITTEN,
    ReviewZone,
)

pytestmark = pytest.mark.attack
FILES = {"firms.csv": SAFE}


def submitted(zone: ReviewZone, *recipients: str) -> str:
    context = replace(zone.context(FILES), recipients=recipients)
    return zone.airlock.submit(FILES, context, by=AUTHOR, project=PROJECT).id


def test_recipients_are_in_the_petition_and_in_the_seal(zone: ReviewZone) -> None:
    id = submitted(zone, THIRD.name, "wang", "wang")
    assert zone.airlock.get(id).context.recipients == (THIRD.name, "wang")
    zone.approve(id)
    seal = zone.airlock.collect(id, by=AUTHOR)
    assert seal.terms["context"]["recipients"] == [THIRD.name, "wang"]
    outbox = Shelf(zone.airlock.settings.outbox, zone.airlock.shelf.ring)
    assert outbox.open(seal.id, today=zone.airlock.today()).seal.terms == seal.terms


def test_a_recipient_does_not_review(zone: ReviewZone) -> None:
    id = submitted(zone, FIRST.name)
    with pytest.raises(Refused, match="one of its recipients"):
        zone.vote(id, True, "fine", by=FIRST)
    with pytest.raises(Refused):
        zone.airlock.file(id, "firms.csv", by=FIRST)
    zone.vote(id, True, "fine", by=SECOND)


def test_who_has_no_account_receives_nothing(zone: ReviewZone) -> None:
    with pytest.raises(Malformed, match="nobody1"):
        submitted(zone, "wang", "nobody1")
    with pytest.raises(Malformed, match="nobody1"):
        zone.airlock.check(FILES, project=PROJECT, context=replace(zone.context(FILES), recipients=("nobody1",)))
    assert list(zone.airlock.all()) == []


names = st.text(max_size=40) | st.from_regex(r"[a-z][a-z0-9]{1,29}", fullmatch=True)


@given(st.lists(names, max_size=25))
def test_only_the_form_of_an_accounts_name_is_a_recipient(given_names: list[str]) -> None:
    """Whatever else is named is refused; what is read is read back as itself, sorted and once each."""
    plain = [name.isascii() and name.isalnum() and name.islower() and name[0].isalpha() for name in given_names if name]
    valid = len(plain) == len(given_names) <= 20 and all(plain) and all(2 <= len(name) <= 30 for name in given_names)
    data = {"title": "A", "purpose": "B", "files": {}, "releases": [], "recipients": given_names}
    if not valid:
        with pytest.raises(Malformed):
            ParcelContext.parse(data)
        return
    context = ParcelContext.parse(data).in_one_spelling()
    assert context.recipients == tuple(sorted(set(given_names)))
    assert ParcelContext.parse(context.as_json()) == context


def test_files_are_shown_to_reviewers_and_to_their_author_after_the_approval(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})
    assert zone.airlock.file(id, "firms.csv", by=THIRD) == WRITTEN
    with pytest.raises(Refused, match="after the approval"):
        zone.airlock.file(id, "firms.csv", by=AUTHOR)
    for actor in (COLLEAGUE, PLATFORM, Actor("li", Role.REVIEWER)):
        with pytest.raises(Refused):
            zone.airlock.file(id, "firms.csv", by=actor)
    with pytest.raises(Missing):
        zone.airlock.file(id, "../firms.csv", by=THIRD)
    zone.approve(id)
    assert zone.airlock.file(id, "firms.csv", by=AUTHOR) == WRITTEN
    with pytest.raises(Missing):
        zone.airlock.get("petition-0")
