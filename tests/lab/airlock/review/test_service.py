"""A parcel leaves when the gate passes it, two outside reviewers approve it blind, and nothing was changed since."""

from __future__ import annotations

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
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
from lab.airlock.gate import judge_parcel
from lab.airlock.parcel_context import FileDescription, ParcelContext
from lab.airlock.review.parcel_store import ParcelStore
from lab.airlock.review.sealing import seal_parcel
from lab.airlock.review.states import State, Turn
from tests.lab.airlock.kinds.models.sealed_versions import features, named, put, version_files
from tests.lab.airlock.review_zone import (
    AUTHOR,
    COLLEAGUE,
    FIRST,
    PLATFORM,
    PROJECT,
    SAFE,
    SECOND,
    SMALL,
    TODAY,
    WRITTEN,
    ReviewZone,
)


def picture() -> bytes:
    Image.new("RGB", (40, 30), "white").save(sink := io.BytesIO(), "PNG")
    return sink.getvalue()


def test_a_parcel_leaves_sealed_with_its_release_as_parent_and_an_end(zone: ReviewZone) -> None:
    files = {"firms.csv": SAFE, "figure.png": picture()}
    id = zone.submit(files)
    assert zone.airlock.get(id).turn is Turn.REVIEWERS
    zone.approve(id)
    seal = zone.airlock.collect(id, by=AUTHOR)
    opened = Shelf(zone.airlock.settings.outbox, zone.airlock.shelf.ring).open(seal.id, today=TODAY)
    assert (opened.path / "firms.csv").read_bytes() == WRITTEN, "never the submitted bytes"
    assert set(opened.seal.files) == {"firms.csv", "firms.parquet", "figure.png"}
    assert opened.seal.kind is Kind.PARCEL
    assert opened.seal.parents == (zone.release,)
    assert opened.seal.expires_on == TODAY + timedelta(days=90), "it ends with its release"
    assert opened.seal.terms["reviewers"] == ["reviewer:qian", "reviewer:zhao"]
    assert opened.seal.terms["invented"] is True
    done = zone.airlock.get(id)
    assert (done.state, done.sealed, done.turn) == (State.RECEIVED, seal.id, Turn.NONE)
    with pytest.raises(Refused, match="received"):
        zone.airlock.collect(id, by=AUTHOR)


def test_a_check_records_nothing(zone: ReviewZone) -> None:
    before = zone.airlock.ledger.head()
    assert zone.airlock.check({"firms.csv": SAFE}, project=PROJECT).outcome is Outcome.REVIEW, "no context: look"
    context = zone.context({"firms.csv": SAFE})
    assert zone.airlock.check({"firms.csv": SAFE}, project=PROJECT, context=context).passed
    assert zone.airlock.ledger.head() == before
    assert not (zone.airlock.settings.airlock / "files").exists()


def test_a_failing_parcel_is_refused_with_the_fix_and_not_stored(zone: ReviewZone) -> None:
    with pytest.raises(Refused) as refused:
        zone.submit({"firms.csv": SMALL})
    assert any("small counts" in str(finding) for finding in refused.value.findings)
    assert "Merge groups" in refused.value.remedy
    assert zone.airlock.all() == []
    assert not (zone.airlock.settings.airlock / "files").exists()
    assert [entry.verb for entry in zone.airlock.ledger.entries()][-1] == "parcel.stopped"


def test_only_a_member_submits_from_a_valid_release(zone: ReviewZone) -> None:
    files = {"firms.csv": SAFE}
    with pytest.raises(Refused, match="not a member"):
        zone.submit(files, by=Actor("zhou", Role.RESEARCHER))
    with pytest.raises(Refused, match="takes the role researcher"):
        zone.submit(files, by=Actor("li", Role.PLATFORM))
    for releases, error in (((), Malformed), ((f"release-{'0' * 64}",), Missing)):
        context = ParcelContext("t", "p", zone.context(files).files, releases)
        with pytest.raises(error):
            zone.airlock.submit(files, context, by=AUTHOR, project=PROJECT)
    late = replace(zone.airlock, today=lambda: date(2027, 3, 1))
    with pytest.raises(Lapsed):
        late.submit(files, zone.context(files), by=AUTHOR, project=PROJECT)


def test_neither_the_author_nor_a_member_of_the_project_reviews(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})
    for actor in (Actor("li", Role.REVIEWER), Actor("li", Role.PLATFORM), AUTHOR, COLLEAGUE, PLATFORM):
        with pytest.raises(Refused):
            zone.vote(id, True, "fine", by=actor)
    with pytest.raises(Refused, match="was a member of the project"):
        zone.vote(id, True, "fine", by=Actor("wang", Role.REVIEWER))
    with pytest.raises(Refused, match="made or requested it"):
        zone.airlock.file(id, "firms.csv", by=Actor("li", Role.REVIEWER))
    assert zone.airlock.get(id).state is State.SUBMITTED


def test_a_reviewer_votes_once_and_reasons_are_shown_after_both_votes(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})
    with pytest.raises(Malformed, match="reason"):
        zone.vote(id, False, " ", by=FIRST)
    zone.vote(id, False, "the groups are too fine", by=FIRST)
    with pytest.raises(Refused, match="has voted"):
        zone.vote(id, True, "", by=FIRST)
    half = zone.airlock.get(id)
    assert (half.state, half.votes) == (State.HALF_REVIEWED, ())
    assert zone.vote(id, True, "", by=SECOND).state is State.REFUSED
    votes = zone.airlock.get(id).votes
    assert [(vote.by, vote.approve, vote.reason) for vote in votes] == [
        (FIRST, False, "the groups are too fine"),
        (SECOND, True, ""),
    ]
    with pytest.raises(Refused):
        zone.airlock.collect(id, by=AUTHOR)


def test_approving_a_review_finding_needs_a_reason(zone: ReviewZone) -> None:
    id = zone.submit({"figure.png": picture()})
    assert zone.airlock.get(id).verdict.outcome is Outcome.REVIEW
    with pytest.raises(Malformed, match="reason"):
        zone.vote(id, True, "", by=FIRST)
    zone.vote(id, True, "a blank picture", by=FIRST)


def test_questions_and_answers_alternate(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})
    zone.airlock.send_question(id, "Why these three?", by=FIRST)
    assert zone.airlock.get(id).turn is Turn.AUTHOR
    with pytest.raises(Refused):
        zone.vote(id, True, "", by=SECOND)
    with pytest.raises(Refused, match="only its author"):
        zone.airlock.answer(id, "I am not the author", by=COLLEAGUE)
    zone.airlock.answer(id, "They are the largest", by=AUTHOR)
    zone.vote(id, True, "", by=FIRST)
    with pytest.raises(Refused, match="has voted"):
        zone.airlock.send_question(id, "One more thing?", by=FIRST)
    zone.airlock.send_question(id, "And the rest?", by=SECOND)
    assert zone.airlock.answer(id, "Merged", by=AUTHOR).state is State.HALF_REVIEWED
    assert [question.answer for question in zone.airlock.get(id).questions] == ["They are the largest", "Merged"]
    assert zone.vote(id, True, "", by=SECOND).state is State.APPROVED


def test_texts_with_identifiers_are_refused(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})
    for text in ("call 13812345678", "a" * 32, "it is 91120116MA05JKLM9P\u200b", " ", "x" * 1001):
        with pytest.raises(Malformed):
            zone.airlock.send_question(id, text, by=FIRST)


def test_a_file_changed_after_approval_does_not_leave(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})
    zone.approve(id)
    stored = zone.airlock.get(id).files["firms.csv"].digest
    assert stored == digest(WRITTEN)
    path = zone.airlock.settings.airlock / "files" / stored[:2] / stored
    path.write_bytes(WRITTEN.replace(b"120", b"119"))
    with pytest.raises(Broken, match="changed in the airlock"):
        zone.airlock.collect(id, by=AUTHOR)
    with pytest.raises(Broken):
        zone.airlock.file(id, "firms.csv", by=FIRST)
    assert zone.airlock.get(id).state is State.APPROVED
    assert not zone.airlock.settings.outbox.exists() or not list(zone.airlock.settings.outbox.rglob("manifest.json"))


def test_a_withdrawn_parcel_stays_withdrawn_and_can_be_submitted_again(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})
    zone.approve(id)
    with pytest.raises(Refused, match="only its author"):
        zone.airlock.withdraw(id, by=COLLEAGUE)
    assert zone.airlock.withdraw(id, by=AUTHOR).state is State.WITHDRAWN
    with pytest.raises(Refused):
        zone.airlock.collect(id, by=AUTHOR)
    assert zone.submit({"firms.csv": SAFE}) != id


def test_notices_list_what_waits_for_each_user(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})

    def yours(actor: Actor) -> list[bool]:
        return [notice.yours for notice in zone.airlock.notices(actor.name, (actor.role,))]

    assert (yours(AUTHOR), yours(FIRST), yours(SECOND)) == ([False], [True], [True])
    assert yours(Actor("wang", Role.REVIEWER)) == [], "a member of the project does not review it"
    zone.vote(id, True, "", by=FIRST)
    assert (yours(AUTHOR), yours(FIRST), yours(SECOND)) == ([False], [], [True])
    zone.airlock.send_question(id, "Why?", by=SECOND)
    assert (yours(AUTHOR), yours(SECOND)) == ([True], [False])
    zone.airlock.answer(id, "So", by=AUTHOR)
    zone.vote(id, True, "", by=SECOND)
    assert yours(AUTHOR) == [True], "to be collected"
    zone.airlock.collect(id, by=AUTHOR)
    now = zone.airlock.get(id).changed_at
    assert zone.airlock.notices("li", (Role.RESEARCHER,), since=now) == []
    assert [notice.state for notice in zone.airlock.notices("li", (Role.RESEARCHER,))] == [State.RECEIVED]


def test_a_context_is_read_strictly(zone: ReviewZone) -> None:
    data = zone.context({"firms.csv": SAFE}).as_json()
    assert ParcelContext.parse(data) == zone.context({"firms.csv": SAFE})
    for wrong in ({"title": ""}, {"files": []}, {"releases": "release-1"}, {"more": 1}, {"purpose": "x" * 2001}):
        with pytest.raises(Malformed):
            ParcelContext.parse(data | wrong)
    for subjects in (-1, True, "many"):
        with pytest.raises(Malformed):
            FileDescription.parse({"what": "x", "subjects": subjects}, where="file 1")


def test_collecting_again_after_a_crash_gives_the_same_seal(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})
    zone.approve(id)
    outbox = Shelf(zone.airlock.settings.outbox, zone.airlock.shelf.ring)
    arguments = {"shelf": zone.airlock.shelf, "outbox": outbox, "key": zone.airlock.key, "by": AUTHOR, "today": TODAY}
    judgement = judge_parcel({"firms.csv": WRITTEN}, context=zone.airlock.get(id).context)
    first = seal_parcel(zone.airlock.get(id), judgement, **arguments)
    assert zone.airlock.get(id).state is State.APPROVED
    assert zone.airlock.collect(id, by=AUTHOR).id == first.id
    assert len(outbox.list(Kind.PARCEL)) == 1


def test_an_approved_parcel_of_an_expired_release_cannot_be_collected(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})
    zone.approve(id)
    late = replace(zone.airlock, today=lambda: date(2027, 3, 1))
    with pytest.raises(Lapsed):
        late.collect(id, by=AUTHOR)
    assert late.get(id).state is State.APPROVED


def test_a_run_of_the_project_leaves_as_a_copy_that_names_it(zone: ReviewZone, keys: dict[str, SigningKey]) -> None:
    order, version = put(zone.airlock.shelf, keys, version_files(*features()), days=20)
    files = {"model.json": named(order)}
    with pytest.raises(Refused, match="not ordered by this project"):
        zone.submit(files)
    zone.airlock.ledger.append("training.asked", order, by=AUTHOR, details={"project": PROJECT})
    id = zone.submit(files)
    with pytest.raises(Malformed):  # it was never promoted, so a vote says why
        zone.vote(id, True, "", by=FIRST)
    zone.approve(id)
    seal = zone.airlock.collect(id, by=AUTHOR)
    assert (seal.parents, seal.expires_on) == ((zone.release, version), TODAY + timedelta(days=20))
    outbox = Shelf(zone.airlock.settings.outbox, zone.airlock.shelf.ring).open(seal.id)
    copy = f"copy-{digest(outbox.path / 'model.txt')}"
    assert json.loads((outbox.path / "model.json").read_bytes()) == {"version": version, "copy": copy}


def test_a_parcel_with_findings_the_reviewers_did_not_see_does_not_leave(zone: ReviewZone) -> None:
    """The petition claims a verdict without findings, as if an older version of the rules had judged it."""
    id = zone.submit({"firms.csv": SAFE})
    details = dict(zone.airlock.ledger.about(id)[0].details)
    stored = ParcelStore(zone.airlock.settings.airlock).put(SMALL)
    details["files"] = {"firms.csv": details["files"]["firms.csv"] | {"digest": stored, "size": len(SMALL)}}
    zone.airlock.ledger.append("parcel.submitted", "petition-old", by=AUTHOR, details=details)
    zone.airlock.withdraw(id, by=AUTHOR)
    zone.approve("petition-old")
    with pytest.raises(Refused, match="may not leave any more"):
        zone.airlock.collect("petition-old", by=AUTHOR)
    assert zone.airlock.get("petition-old").state is State.APPROVED


def test_a_parcel_submitted_meanwhile_is_compared_too(zone: ReviewZone) -> None:
    old, less = b"industry,n\nretail,1213\nfood,847\n", b"industry,n\nretail,1213\nfood,846\n"
    id = zone.submit({"old.csv": old}, subjects=2060)
    details = zone.airlock.ledger.about(id)[0].details
    zone.airlock.withdraw(id, by=AUTHOR)
    with ThreadPoolExecutor(1) as pool, zone.airlock._store.exclusive():
        waiting = pool.submit(zone.submit, {"less.csv": less}, subjects=2060)
        time.sleep(1)
        zone.airlock.ledger.append("parcel.submitted", "petition-between", by=COLLEAGUE, details=details)
        assert not waiting.done()
    with pytest.raises(Refused, match="petition-between"):
        waiting.result(timeout=30)
