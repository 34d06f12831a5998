"""Who may vote is decided over the whole span from submission to collection, in every order of events."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.keys import KeyRing, SigningKey
from credit.seal import Kind
from credit.shelf import Shelf
from lab.airlock.review.states import State, Turn
from lab.projects import Projects, fold_projects
from tests.credit.separation.account_changes import BEFORE, AccountsSince
from tests.lab.airlock.kinds.models.sealed_versions import features, version_files
from tests.lab.airlock.review.separation_model import EVENTS, PlainModel
from tests.lab.airlock.review.separation_orders import differences
from tests.lab.airlock.review_zone import (
    AUTHOR,
    FIRST,
    PLATFORM,
    PROJECT,
    SAFE,
    SECOND,
    THIRD,
    TODAY,
    ReviewZone,
    build,
    read_and_vote,
)

pytestmark = pytest.mark.attack


def test_the_airlock_agrees_with_the_plain_model_in_every_order_of_three_events() -> None:
    """Votes, members, roles, removals, the project's end and the collection: `make bench` tries longer orders."""
    assert [difference for _, difference in differences(3) if difference] == []


def apply(zone: ReviewZone, id: str, event: str) -> bool:
    """An event through the review service itself; changes of members are entries, whatever may be opened."""
    what, name = event.split()
    airlock, accounts = zone.airlock, zone.airlock.accounts
    assert isinstance(accounts, AccountsSince)
    members = set(fold_projects(airlock.ledger.entries())[PROJECT].members)
    try:
        if what == "vote":
            read_and_vote(airlock, id, True, "seen", by=Actor(name, Role.REVIEWER))
        elif what == "collect":
            airlock.collect(id, by=AUTHOR)
        elif what in ("join", "leave"):
            changed = sorted(members | {name} if what == "join" else members - {name})
            airlock.ledger.append("project.members", f"project-{PROJECT}", by=PLATFORM, details={"members": changed})
        elif what == "close":
            Projects(airlock.ledger).close(PROJECT, by=PLATFORM)
        elif what == "reopen":
            Projects(airlock.ledger).extend(PROJECT, TODAY + timedelta(days=300), by=PLATFORM, today=TODAY)
        else:
            accounts.change(name, *(() if what == "remove" else (Role(what),)))
    except Refused:
        return False
    return True


@settings(max_examples=40, deadline=None)
@given(events=st.lists(st.sampled_from(EVENTS), max_size=12))
@example(events=["vote zhao", "join zhao", "vote qian", "leave zhao", "vote sun", "vote zhao", "collect li"])
@example(events=["vote zhao", "vote qian", "join zhao", "vote qian", "vote sun", "leave zhao", "collect li"])
@example(events=["vote zhao", "vote qian", "remove li", "researcher li", "collect li"])
@example(events=["vote zhao", "remove zhao", "reviewer zhao", "vote qian", "vote sun", "collect li"])
def test_the_service_agrees_with_the_plain_model(keys: dict[str, SigningKey], ring: KeyRing, events: list[str]) -> None:
    """Law: through ledger, lock, encrypted votes and outbox, what is accepted and refused is what the model says."""
    with TemporaryDirectory() as folder:
        zone = build(Path(folder), keys, ring)
        id, model = zone.submit({"firms.csv": SAFE}), PlainModel()
        for event in events:
            accepted, allowed = apply(zone, id, event), model.apply(event)
            assert accepted == allowed, event
            assert zone.airlock.get(id).state == model.state
        outbox = Shelf(zone.airlock.settings.outbox, zone.airlock.shelf.ring)
        assert len(outbox.list(Kind.PARCEL)) == model.received


def test_a_vote_falls_when_its_voter_joins_and_the_reason_is_given(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})
    zone.approve(id)
    apply(zone, id, f"join {FIRST.name}")
    petition = zone.airlock.get(id)
    assert (petition.state, petition.turn, petition.votes) == (State.SUBMITTED, Turn.REVIEWERS, ())
    (fallen,) = petition.fallen
    assert (fallen.by, fallen.why.render("en")) == (FIRST, "zhao was a member of the project retail since the request")
    assert "曾是课题 retail 的成员" in fallen.why.render("zh")
    with pytest.raises(Refused):
        zone.airlock.collect(id, by=AUTHOR)
    assert [each.yours for each in zone.airlock.notices(SECOND.name, (Role.REVIEWER,))] == [True], "it waits again"
    zone.vote(id, True, "seen", by=SECOND)
    zone.vote(id, True, "seen", by=THIRD)
    assert zone.airlock.collect(id, by=AUTHOR).terms["reviewers"] == ["reviewer:qian", "reviewer:sun"]


def test_one_person_under_two_roles_is_one_person(zone: ReviewZone) -> None:
    """A platform person who becomes a reviewer after the submission, and an account of both roles, do not vote."""
    id, accounts = zone.submit({"firms.csv": SAFE}), zone.airlock.accounts
    assert isinstance(accounts, AccountsSince)
    accounts.change("ops", Role.REVIEWER)
    accounts.change("both", Role.REVIEWER, Role.PLATFORM)
    for name, why in (("ops", "had the role platform"), ("both", "had the role platform"), ("new", "no account")):
        with pytest.raises(Refused, match=why):
            zone.vote(id, True, "seen", by=Actor(name, Role.REVIEWER))
    accounts.change("new", Role.REVIEWER)
    zone.vote(id, True, "seen", by=Actor("new", Role.REVIEWER))


def test_who_made_a_model_or_ordered_it_does_not_review_the_parcel_that_carries_it(
    zone: ReviewZone, keys: dict[str, SigningKey]
) -> None:
    """The order of a version is followed to the person who placed it, and to the members of their project."""
    shelf, ledger, end = zone.airlock.shelf, zone.airlock.ledger, TODAY + timedelta(days=30)

    def put(kind: Kind, parents: tuple[str, ...], maker: str, key: SigningKey) -> str:
        with shelf.staging() as folder:
            for name, content in {**version_files(*features()), "text.txt": maker.encode()}.items():
                (folder / name).write_bytes(content)
            made = {"terms": {"model": "enterprise"}, "expires_on": end, "by": Actor(maker, Role.RESEARCHER)}
            return shelf.put(folder, kind, parents=parents, **made, key=key).id

    order = put(Kind.ORDER, (zone.release,), "zhao", keys["research"])
    version = put(Kind.VERSION, (order,), "qian", keys["compute"])
    shelf.set_pointer("champion-enterprise", {"model": "enterprise", "version": version}, keys["platform"])
    placed = {"project": "other", "model": "enterprise"}
    ledger.append("training.asked", order, by=Actor("feng", Role.RESEARCHER), details=placed)
    Projects(ledger).open("other", title="t", purpose="p", ends_on=end, by=PLATFORM, today=TODAY)
    ledger.append("project.members", "project-other", by=PLATFORM, details={"members": ["wei"]})
    accounts = zone.airlock.accounts
    assert isinstance(accounts, AccountsSince)
    for name in ("feng", "wei"):
        accounts.change(name, Role.REVIEWER, at=BEFORE)
    id = zone.submit({"model.json": json.dumps({"version": version}).encode()})
    for name in ("zhao", "qian", "feng", "wei"):
        with pytest.raises(Refused):
            zone.vote(id, True, "seen", by=Actor(name, Role.REVIEWER))
    zone.vote(id, True, "seen", by=THIRD)
    # The parcel itself says where its models are from: one that says otherwise does not leave.
    details = dict(ledger.about(id)[0].details)
    ledger.append("parcel.submitted", "petition-2", by=AUTHOR, details=details | {"origins": {}})
    zone.approve("petition-2")
    with pytest.raises(Refused, match="other makers"):
        zone.airlock.collect("petition-2", by=AUTHOR)


def test_a_project_that_ended_and_an_author_who_left_collect_nothing(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})
    zone.approve(id)
    for ending, mending in (("close retail", "reopen retail"), (f"leave {AUTHOR.name}", f"join {AUTHOR.name}")):
        apply(zone, id, ending)
        with pytest.raises(Refused):
            zone.airlock.collect(id, by=AUTHOR)
        apply(zone, id, mending)
    apply(zone, id, f"remove {AUTHOR.name}")
    apply(zone, id, f"researcher {AUTHOR.name}")
    with pytest.raises(Refused, match="without a break"):
        zone.airlock.collect(id, by=AUTHOR)
