"""Releases for two audiences cannot be joined; this lab uses none that is for others, and its own stay as they were."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.errors import Malformed, Refused
from credit.releases import newest_release, releases_of_purpose
from credit.seal import Seal
from credit.subjects import PseudonymKey
from tests.privacy.small_custody import House, code, register_of

OWN = PseudonymKey("research", b"research".ljust(32, b"-"))
AUDIENCES = st.from_regex(r"[a-z0-9][a-z0-9-]{1,39}", fullmatch=True)
pytestmark = pytest.mark.attack


def subjects_of(house: House, seal: Seal) -> set[str]:
    files = sorted((house.shelf.open(seal.id).path / "registration").glob("*.parquet"))
    return {row["subject"] for path in files for row in pq.read_table(path).to_pylist()}


def test_two_audiences_cannot_be_joined(house: House) -> None:
    house.bring(registration=register_of(40))
    own, first, second = house.release(), house.release(audience="partner-lab"), house.release(audience="university")
    released = [subjects_of(house, seal) for seal in (own, first, second)]
    assert [len(subjects) for subjects in released] == [40, 40, 40]
    assert len(set.union(*released)) == 120
    assert released[0] == {OWN.hex_of(code(number)) for number in range(40)}, "as every release before"
    assert (first.terms["purpose"], first.terms["audience"]) == ("research@partner-lab", "partner-lab")
    assert "audience" not in own.terms


def test_this_lab_uses_none_that_is_for_another_audience(house: House) -> None:
    house.bring(registration=register_of(40))
    house.release(audience="partner-lab")
    assert newest_release(house.shelf, "research") is None
    own = house.release()
    assert [seal.id for seal in releases_of_purpose(house.shelf, "research")] == [own.id]


def test_what_is_not_anonymous_has_no_other_audience(house: House) -> None:
    house.bring(registration=register_of(40))
    with pytest.raises(Refused, match="scoring has no other audience"):
        house.release("scoring", audience="partner-lab")


@given(AUDIENCES, AUDIENCES)
def test_a_key_is_of_its_audience_alone(first: str, second: str) -> None:
    pseudonyms = {OWN.hex_of("91"), OWN.for_audience(first).hex_of("91"), OWN.for_audience(second).hex_of("91")}
    assert len(pseudonyms) == 2 + (first != second)
    assert OWN.for_audience(first).secret != OWN.secret, "who learns it cannot make the lab's own pseudonyms"


@pytest.mark.parametrize("name", ["", "a", "A-Lab", "a/b", "a\x1fb", "a" * 41, "-a", "lab "])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(Malformed):
        OWN.for_audience(name)
