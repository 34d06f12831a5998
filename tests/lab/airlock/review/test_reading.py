"""A vote is open to a reviewer to whom each file was shown to its end, as the file is now, and to no other."""

from __future__ import annotations

import pytest

from credit.errors import Missing, Refused
from lab.airlock.review.reading import reading_token
from lab.airlock.review.states import State
from tests.lab.airlock.review_zone import AUTHOR, FIRST, SAFE, SECOND, WRITTEN, ReviewZone

pytestmark = pytest.mark.attack

FILES = {"firms.csv": SAFE, "places.csv": b"place,n\nHeping,120\nNankai,85\n"}


def token(zone: ReviewZone, id: str, file: str, reviewer: str) -> str:
    return reading_token(zone.airlock.get(id), file, reviewer, zone.airlock.key)


def test_a_vote_opens_when_the_last_file_was_read_to_its_end(zone: ReviewZone) -> None:
    id = zone.submit(FILES, subjects=0, counted="")
    for file, unread in (("firms.csv", ["places.csv"]), ("places.csv", [])):
        for approve in (True, False):
            with pytest.raises(Refused, match="every file"):
                zone.airlock.vote(id, approve, "fine", by=FIRST)
        petition = zone.airlock.mark_read(id, file, token(zone, id, file, FIRST.name), by=FIRST)
        assert petition.unread(FIRST.name) == unread
        assert petition.state is State.SUBMITTED, "reading moves no parcel"
    assert zone.airlock.vote(id, True, "fine", by=FIRST).state is State.HALF_REVIEWED
    with pytest.raises(Refused, match="every file"):
        zone.airlock.vote(id, True, "fine", by=SECOND)


def test_the_end_of_one_page_opens_no_other_file_and_no_other_reviewer_s_vote(zone: ReviewZone) -> None:
    id, other = zone.submit(FILES, subjects=0), zone.submit({"firms.csv": SAFE})
    own = token(zone, id, "firms.csv", FIRST.name)
    for parcel, file, end, by in (
        (id, "places.csv", own, FIRST),
        (id, "firms.csv", own, SECOND),
        (other, "firms.csv", own, FIRST),
        (id, "firms.csv", "", FIRST),
        (id, "firms.csv", own[:-1], FIRST),
        (id, "firms.csv", own + "é", FIRST),
        (id, "firms.csv", zone.airlock.get(id).files["firms.csv"].digest, FIRST),
    ):
        with pytest.raises(Refused):
            zone.airlock.mark_read(parcel, file, end, by=by)
    with pytest.raises(Refused):
        zone.airlock.mark_read(id, "firms.csv", token(zone, id, "firms.csv", AUTHOR.name), by=AUTHOR)
    with pytest.raises(Missing):
        zone.airlock.mark_read(id, "none.csv", own, by=FIRST)
    assert zone.airlock.get(id).read == frozenset()


def test_reading_twice_is_one_entry_and_a_changed_file_is_unread(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE})
    for _ in range(2):
        petition = zone.airlock.mark_read(id, "firms.csv", token(zone, id, "firms.csv", FIRST.name), by=FIRST)
    (entry,) = [each for each in zone.airlock.ledger.about(id) if each.verb == "parcel.read"]
    assert (entry.by, entry.details["file"]) == (FIRST, "firms.csv")
    ((_, _, digest),) = petition.read
    assert digest == petition.files["firms.csv"].digest != WRITTEN
    zone.airlock.ledger.append("parcel.read", id, by=SECOND, details={"file": "firms.csv", "digest": "0" * 64})
    assert zone.airlock.get(id).unread(SECOND.name) == ["firms.csv"], "another file than is stored was read"
