"""No person who had a part in a version judges it, from the placement of its order to the decision."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.keys import SigningKey
from credit.separation.version_judges import require_requester
from credit.shelf import Shelf
from tests.models.promotion.judge_orders import WrittenEvents, differences, version_of_an_order

pytestmark = pytest.mark.attack


def test_the_judges_agree_with_the_plain_model_in_every_order_of_two_events(
    shelf: Shelf, keys: dict[str, SigningKey]
) -> None:
    """Members, placed orders, requests and roles, in both projects: `make bench` tries longer orders."""
    version = version_of_an_order(shelf, keys)
    assert [difference for _, difference in differences(version, shelf, 2) if difference] == []


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("join bo", "bo was a member of the project loans"),
        ("place bo", "bo placed the order"),
        ("request bo", "requested or confirmed it themselves"),
        ("reviewer bo", "had the role reviewer"),
        ("remove bo", "no account with the role platform"),
    ],
)
def test_the_refusal_names_the_part_in_both_languages(
    shelf: Shelf, keys: dict[str, SigningKey], event: str, why: str
) -> None:
    written = WrittenEvents(version_of_an_order(shelf, keys), shelf).begin()
    bo = Actor("bo", Role.PLATFORM)
    written.require(bo)
    written.apply(event)
    with pytest.raises(Refused, match=why) as refused:
        written.require(bo)
    assert refused.value.text("why", "zh") != refused.value.text("why", "en")
    written.require(Actor("cy", Role.PLATFORM))


def test_a_request_ends_with_the_role_of_the_person_who_made_it(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    """A role that comes back does not bring it back; a new request does."""
    version = version_of_an_order(shelf, keys)
    written = WrittenEvents(version, shelf).begin()
    written.apply("request cy")
    require_requester(version, entries=written.platform, people=written.people)
    for event in ("remove cy", "platform cy"):
        written.apply(event)
        with pytest.raises(Refused, match="cy, who requested this promotion"):
            require_requester(version, entries=written.platform, people=written.people)
    written.apply("request cy")
    require_requester(version, entries=written.platform, people=written.people)


def test_the_span_begins_with_the_first_placement_of_the_order(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    """A member who left before the order was sealed, and after it was first placed, does not judge its version."""
    written = WrittenEvents(version_of_an_order(shelf, keys), shelf)
    written.members["loans"] = ("alice", "bo")
    written.begin()
    written.apply("leave bo")
    early = timedelta(days=3)
    written.research = [entry._replace(at=entry.at - early) for entry in written.research]
    assert not written.may_judge("bo")
    assert written.may_judge("cy")
