"""Until both reviewers have voted, neither the service nor the ledger reveals the first vote or its reason."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.canonical import canonical
from credit.errors import Broken
from credit.keys import KeyRing, SigningKey
from lab.airlock.review import blind_voting
from lab.airlock.review.states import State
from tests.lab.airlock.review_zone import AUTHOR, FIRST, PLATFORM, PROJECT, SAFE, SECOND, ReviewZone, build

pytestmark = pytest.mark.attack

REASONS = st.text(st.characters(codec="utf-8", categories=["Lu", "Ll", "Lo", "Po", "Zs"]), min_size=1, max_size=300)


def plainly(zone: ReviewZone, id: str, actor: Actor) -> dict[str, Any]:
    """Everything that the service shows a user about one petition, without its id and times."""
    petition = zone.airlock.get(id).visible_to(actor)
    notices = zone.airlock.notices(actor.name, (actor.role,))
    return {
        "state": petition.state,
        "votes": petition.votes,
        "ballot": petition.ballot,
        "questions": [question.text for question in petition.questions],
        "findings": [str(finding) for finding in petition.verdict.findings],
        "notices": [(each.state, each.yours, each.what) for each in notices if each.petition == id],
        "own": zone.airlock.own_vote(id, by=actor),
    }


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reason=st.text("abc 甲乙", min_size=1, max_size=400).filter(str.strip))
def test_what_others_see_does_not_depend_on_the_first_vote(
    tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing, reason: str
) -> None:
    zones = [build(tmp_path / uuid.uuid4().hex, keys, ring) for _ in range(2)]
    ids = [zone.submit({"firms.csv": SAFE}) for zone in zones]
    zones[0].vote(ids[0], True, "", by=FIRST)
    zones[1].vote(ids[1], False, reason, by=FIRST)
    for actor in (SECOND, AUTHOR, PLATFORM, Actor("sun", Role.REVIEWER)):
        one, other = (plainly(zone, id, actor) for zone, id in zip(zones, ids, strict=True))
        assert one == other
        assert one["ballot"] is None
        assert one["own"] is None
    entries = [entry for zone in zones for entry in zone.airlock.ledger.entries() if entry.verb == "parcel.voted"]
    assert len({len(canonical(entry.details)) for entry in entries}) == 1, "not even by its length"
    assert len({entry.details["commitment"] for entry in entries}) == 2
    own_vote = zones[1].airlock.own_vote(ids[1], by=FIRST)
    assert own_vote is not None
    assert (own_vote.approve, own_vote.reason) == (False, reason.strip())


@given(approve=st.booleans(), reason=REASONS)
def test_a_box_opens_only_with_its_key_and_for_its_petition(
    keys: dict[str, SigningKey], approve: bool, reason: str
) -> None:
    vote = blind_voting.cast_vote(approve, reason)
    closed = blind_voting.seal_vote(vote, keys["research"], about="petition-1 zhao")
    assert blind_voting.open_vote(closed, keys["research"], about="petition-1 zhao") == vote
    for key, about in ((keys["compute"], "petition-1 zhao"), (keys["research"], "petition-1 qian")):
        with pytest.raises(Broken):
            blind_voting.open_vote(closed, key, about=about)
    with pytest.raises(Broken):
        blind_voting.open_vote(closed | {"commitment": "0" * 64}, keys["research"], about="petition-1 zhao")


def test_a_decision_with_a_changed_first_vote_is_ignored(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})
    zone.vote(id, False, "no", by=FIRST)
    forged = {"first": blind_voting.cast_vote(True, ""), "second": blind_voting.cast_vote(True, "")}
    zone.airlock.ledger.append("parcel.decided", id, by=SECOND, details=forged)
    assert zone.airlock.get(id).state is State.HALF_REVIEWED
    assert zone.airlock.all(PROJECT)[0].votes == ()
