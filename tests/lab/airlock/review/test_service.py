"""A parcel leaves when the gate lets it, two reviewers from outside approve blind, and nothing was changed since."""

from __future__ import annotations

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from PIL import Image

from credit.actor import Actor, Role
from credit.canonical import digest
from credit.errors import Broken, Lapsed, Malformed, Missing, Refused
from credit.gate import Outcome
from credit.keys import SigningKey
from credit.seal import Kind
from credit.shelf import Shelf
from lab.airlock.parcel_context import FileDescription, ParcelContext
from lab.airlock.review.parcel_store import ParcelStore
from lab.airlock.review.sealing import seal_parcel
from lab.airlock.review.service import AirlockService
from lab.airlock.review.states import State, Turn
from tests.lab.airlock.review_zone import (
    AUTHOR,
    COLLEAGUE,
    FIRST,
    PLATFORM,
    PROJECT,
    SAFE,
    SECOND,
    SMALL,
    THIRD,
    TODAY,
    House,
)


def picture() -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(sink, "PNG")
    return sink.getvalue()


def test_a_parcel_leaves_sealed_with_its_release_as_parent_and_an_end(house: House) -> None:
    files = {"firms.csv": SAFE, "figure.png": picture()}
    id = house.submit(files)
    assert house.desk.get(id).turn is Turn.REVIEWERS
    house.approve(id)
    seal = house.desk.collect(id, by=AUTHOR)
    opened = Shelf(house.desk.settings.outbox, house.desk.shelf.ring).open(seal.id, today=TODAY)
    assert (opened.path / "firms.csv").read_bytes() == SAFE
    assert opened.seal.kind is Kind.PARCEL
    assert opened.seal.parents == (house.release,)
    assert opened.seal.expires_on == TODAY + timedelta(days=90), "it ends with its release"
    assert opened.seal.terms["reviewers"] == ["reviewer:qian", "reviewer:zhao"]
    assert opened.seal.terms["invented"] is True
    done = house.desk.get(id)
    assert (done.state, done.sealed, done.turn) == (State.RECEIVED, seal.id, Turn.NONE)
    with pytest.raises(Refused, match="received"):
        house.desk.collect(id, by=AUTHOR)


def test_a_check_records_nothing(house: House) -> None:
    before = house.desk.ledger.head()
    assert house.desk.check({"firms.csv": SAFE}, project=PROJECT).outcome is Outcome.REVIEW, "no context: look"
    context = house.context({"firms.csv": SAFE})
    assert house.desk.check({"firms.csv": SAFE}, project=PROJECT, context=context).passed
    assert house.desk.ledger.head() == before
    assert not (house.desk.settings.airlock / "files").exists()


def test_what_fails_is_refused_with_the_fix_and_not_kept(house: House) -> None:
    with pytest.raises(Refused) as refused:
        house.submit({"firms.csv": SMALL})
    assert any("small counts" in str(finding) for finding in refused.value.findings)
    assert "Merge groups" in refused.value.remedy
    assert house.desk.all() == []
    assert not (house.desk.settings.airlock / "files").exists()
    assert [entry.verb for entry in house.desk.ledger.entries()][-1] == "parcel.stopped"


def test_only_a_member_submits_from_a_living_release(house: House) -> None:
    files = {"firms.csv": SAFE}
    with pytest.raises(Refused, match="not a member"):
        house.submit(files, by=Actor("zhou", Role.RESEARCHER))
    with pytest.raises(Refused, match="takes the role researcher"):
        house.submit(files, by=Actor("li", Role.PLATFORM))
    for releases, error in (((), Malformed), ((f"release-{'0' * 64}",), Missing)):
        context = ParcelContext("t", "p", house.context(files).files, releases)
        with pytest.raises(error):
            house.desk.submit(files, context, by=AUTHOR, project=PROJECT)
    late = type(house.desk)(
        house.desk.settings, house.desk.ledger, house.desk.shelf, house.desk.key, lambda: date(2027, 3, 1)
    )
    with pytest.raises(Lapsed):
        late.submit(files, house.context(files), by=AUTHOR, project=PROJECT)


def test_the_author_reviews_in_no_role_and_nobody_of_the_project_does(house: House) -> None:
    id = house.submit({"firms.csv": SAFE})
    for actor in (Actor("li", Role.REVIEWER), Actor("li", Role.PLATFORM), AUTHOR, COLLEAGUE, PLATFORM):
        with pytest.raises(Refused):
            house.desk.vote(id, True, "fine", by=actor)
    with pytest.raises(Refused, match="reviewed from outside"):
        house.desk.vote(id, True, "fine", by=Actor("wang", Role.REVIEWER))
    with pytest.raises(Refused, match="never reviews"):
        house.desk.file(id, "firms.csv", by=Actor("li", Role.REVIEWER))
    assert house.desk.get(id).state is State.SUBMITTED


def test_one_reviewer_has_one_vote_and_a_refusal_shows_its_reasons_after_both(house: House) -> None:
    id = house.submit({"firms.csv": SAFE})
    with pytest.raises(Malformed, match="reason"):
        house.desk.vote(id, False, " ", by=FIRST)
    house.desk.vote(id, False, "the groups are too fine", by=FIRST)
    with pytest.raises(Refused, match="has voted"):
        house.desk.vote(id, True, "", by=FIRST)
    half = house.desk.get(id)
    assert (half.state, half.votes) == (State.HALF_REVIEWED, ())
    assert house.desk.vote(id, True, "", by=SECOND).state is State.REFUSED
    votes = house.desk.get(id).votes
    assert [(vote.by, vote.approve, vote.reason) for vote in votes] == [
        (FIRST, False, "the groups are too fine"),
        (SECOND, True, ""),
    ]
    with pytest.raises(Refused):
        house.desk.collect(id, by=AUTHOR)


def test_what_must_be_looked_at_needs_a_reason_to_approve(house: House) -> None:
    id = house.submit({"figure.png": picture()})
    assert house.desk.get(id).verdict.outcome is Outcome.REVIEW
    with pytest.raises(Malformed, match="reason"):
        house.desk.vote(id, True, "", by=FIRST)
    house.desk.vote(id, True, "a blank picture", by=FIRST)


def test_questions_and_answers_take_turns(house: House) -> None:
    id = house.submit({"firms.csv": SAFE})
    house.desk.send_question(id, "Why these three?", by=FIRST)
    assert house.desk.get(id).turn is Turn.AUTHOR
    with pytest.raises(Refused):
        house.desk.vote(id, True, "", by=SECOND)
    with pytest.raises(Refused, match="only its author"):
        house.desk.answer(id, "I am not the author", by=COLLEAGUE)
    house.desk.answer(id, "They are the largest", by=AUTHOR)
    house.desk.vote(id, True, "", by=FIRST)
    with pytest.raises(Refused, match="has voted"):
        house.desk.send_question(id, "One more thing?", by=FIRST)
    house.desk.send_question(id, "And the rest?", by=SECOND)
    assert house.desk.answer(id, "Merged", by=AUTHOR).state is State.HALF_REVIEWED
    assert [question.answer for question in house.desk.get(id).questions] == ["They are the largest", "Merged"]
    assert house.desk.vote(id, True, "", by=SECOND).state is State.APPROVED


def test_texts_between_people_name_no_subject(house: House) -> None:
    id = house.submit({"firms.csv": SAFE})
    for text in ("call 13812345678", "a" * 32, "it is 91120116MA05JKLM9P\u200b", " ", "x" * 1001):
        with pytest.raises(Malformed):
            house.desk.send_question(id, text, by=FIRST)


def test_a_file_changed_after_approval_is_broken_and_nothing_leaves(house: House) -> None:
    id = house.submit({"firms.csv": SAFE})
    house.approve(id)
    kept = house.desk.get(id).files["firms.csv"].digest
    assert kept == digest(SAFE)
    path = house.desk.settings.airlock / "files" / kept[:2] / kept
    path.write_bytes(SAFE.replace(b"120", b"119"))
    with pytest.raises(Broken, match="changed in the airlock"):
        house.desk.collect(id, by=AUTHOR)
    with pytest.raises(Broken):
        house.desk.file(id, "firms.csv", by=FIRST)
    assert house.desk.get(id).state is State.APPROVED
    assert not house.desk.settings.outbox.exists() or not list(house.desk.settings.outbox.rglob("manifest.json"))


def test_files_are_shown_to_the_author_and_to_reviewers_alone(house: House) -> None:
    id = house.submit({"firms.csv": SAFE})
    assert house.desk.file(id, "firms.csv", by=AUTHOR) == house.desk.file(id, "firms.csv", by=THIRD) == SAFE
    for actor in (COLLEAGUE, PLATFORM, Actor("li", Role.REVIEWER)):
        with pytest.raises(Refused):
            house.desk.file(id, "firms.csv", by=actor)
    with pytest.raises(Missing):
        house.desk.file(id, "../firms.csv", by=AUTHOR)
    with pytest.raises(Missing):
        house.desk.get("petition-0")


def test_what_was_withdrawn_does_not_come_back_and_the_same_can_be_asked_again(house: House) -> None:
    id = house.submit({"firms.csv": SAFE})
    house.approve(id)
    with pytest.raises(Refused, match="only its author"):
        house.desk.withdraw(id, by=COLLEAGUE)
    assert house.desk.withdraw(id, by=AUTHOR).state is State.WITHDRAWN
    with pytest.raises(Refused):
        house.desk.collect(id, by=AUTHOR)
    assert house.submit({"firms.csv": SAFE}) != id


def test_users_are_told_what_waits_for_them(house: House) -> None:
    id = house.submit({"firms.csv": SAFE})

    def yours(actor: Actor) -> list[bool]:
        return [notice.yours for notice in house.desk.notices(actor.name, (actor.role,))]

    assert (yours(AUTHOR), yours(FIRST), yours(SECOND)) == ([False], [True], [True])
    assert yours(Actor("wang", Role.REVIEWER)) == [], "a member of the project does not review it"
    house.desk.vote(id, True, "", by=FIRST)
    assert (yours(AUTHOR), yours(FIRST), yours(SECOND)) == ([False], [], [True])
    house.desk.send_question(id, "Why?", by=SECOND)
    assert (yours(AUTHOR), yours(SECOND)) == ([True], [False])
    house.desk.answer(id, "So", by=AUTHOR)
    house.desk.vote(id, True, "", by=SECOND)
    assert yours(AUTHOR) == [True], "to be collected"
    house.desk.collect(id, by=AUTHOR)
    now = house.desk.get(id).changed_at
    assert house.desk.notices("li", (Role.RESEARCHER,), since=now) == []
    assert [notice.state for notice in house.desk.notices("li", (Role.RESEARCHER,))] == [State.RECEIVED]


def test_a_context_is_read_strictly(house: House) -> None:
    told = house.context({"firms.csv": SAFE}).as_json()
    assert ParcelContext.parse(told) == house.context({"firms.csv": SAFE})
    for wrong in ({"title": ""}, {"files": []}, {"releases": "release-1"}, {"more": 1}, {"purpose": "x" * 2001}):
        with pytest.raises(Malformed):
            ParcelContext.parse(told | wrong)
    for subjects in (-1, True, "many"):
        with pytest.raises(Malformed):
            FileDescription.parse({"what": "x", "subjects": subjects}, where="file 1")


def test_a_crash_between_the_seal_and_the_ledger_is_made_good(house: House) -> None:
    id = house.submit({"firms.csv": SAFE})
    house.approve(id)
    outbox = Shelf(house.desk.settings.outbox, house.desk.shelf.ring)
    told = {"shelf": house.desk.shelf, "outbox": outbox, "key": house.desk.key, "by": AUTHOR, "today": TODAY}
    first = seal_parcel(house.desk.get(id), {"firms.csv": SAFE}, **told)
    assert house.desk.get(id).state is State.APPROVED
    assert house.desk.collect(id, by=AUTHOR).id == first.id
    assert len(outbox.list(Kind.PARCEL)) == 1


def test_an_approved_parcel_of_a_release_that_has_ended_stays(house: House) -> None:
    id = house.submit({"firms.csv": SAFE})
    house.approve(id)
    late = AirlockService(
        house.desk.settings, house.desk.ledger, house.desk.shelf, house.desk.key, lambda: date(2027, 3, 1)
    )
    with pytest.raises(Lapsed):
        late.collect(id, by=AUTHOR)
    assert late.get(id).state is State.APPROVED


def test_a_model_leaves_when_the_platform_has_made_it_champion(house: House, keys: dict[str, SigningKey]) -> None:
    shelf = house.desk.shelf
    with shelf.staging() as making:
        (making / "model.txt").write_text("tree\n")
        end = TODAY + timedelta(days=30)
        told = {"parents": (house.release,), "terms": {"model": "enterprise"}, "expires_on": end, "by": PLATFORM}
        version = shelf.put(making, Kind.VERSION, **told, key=keys["compute"])
    files = {"model.json": json.dumps({"version": version.id}).encode()}
    with pytest.raises(Refused, match="was not promoted"):
        house.submit(files)
    shelf.set_pointer("champion-enterprise", {"model": "enterprise", "version": version.id}, keys["platform"])
    id = house.submit(files)
    house.approve(id)
    seal = house.desk.collect(id, by=AUTHOR)
    assert seal.parents == (house.release, version.id)
    assert seal.expires_on == end, "it ends with the model"


def test_what_the_reviewers_did_not_see_does_not_leave(house: House) -> None:
    """As when it was judged by older rules: the petition says that nothing was found."""
    id = house.submit({"firms.csv": SAFE})
    details = dict(house.desk.ledger.about(id)[0].details)
    kept = ParcelStore(house.desk.settings.airlock).put(SMALL)
    details["files"] = {"firms.csv": details["files"]["firms.csv"] | {"digest": kept, "size": len(SMALL)}}
    house.desk.ledger.append("parcel.submitted", "petition-old", by=AUTHOR, details=details)
    house.desk.withdraw(id, by=AUTHOR)
    house.approve("petition-old")
    with pytest.raises(Refused, match="may not leave any more"):
        house.desk.collect("petition-old", by=AUTHOR)
    assert house.desk.get("petition-old").state is State.APPROVED


def test_a_parcel_that_comes_in_between_is_held_against_too(house: House) -> None:
    old, less = b"industry,n\nretail,1213\nfood,847\n", b"industry,n\nretail,1213\nfood,846\n"
    id = house.submit({"old.csv": old}, subjects=2060)
    details = house.desk.ledger.about(id)[0].details
    house.desk.withdraw(id, by=AUTHOR)
    with ThreadPoolExecutor(1) as pool, house.desk._exclusive():
        waiting = pool.submit(house.submit, {"less.csv": less}, subjects=2060)  # judged, and now at the lock
        time.sleep(1)
        house.desk.ledger.append("parcel.submitted", "petition-between", by=COLLEAGUE, details=details)
        assert not waiting.done()
    with pytest.raises(Refused, match="petition-between"):
        waiting.result(timeout=30)
