"""A parcel's context leaves with it: it is data that agrees with the files, and the seal says no more."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.errors import CreditError, Malformed, Refused
from credit.gate import Outcome
from credit.keys import SigningKey
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from lab.airlock.checks.context_checks import SourcePopulation
from lab.airlock.gate import judge_parcel
from lab.airlock.parcel_context import FileDescription, ParcelContext
from lab.airlock.review.compared_parcels import ComparedPeople
from lab.airlock.review.judging import ZoneGate, subjects_of
from lab.airlock.review.parcel_store import ParcelStore
from tests.lab.airlock.gate_runs import judge, open_findings
from tests.lab.airlock.review_zone import AUTHOR, PROJECT, SAFE, TODAY, ReviewZone

pytestmark = pytest.mark.attack

TABLE = "industry,retailers\nretail,120\nfood,85\n"


def test_columns_that_count_are_columns_of_the_file() -> None:
    assert not open_findings(judge({"t.csv": TABLE}, counts=("retailers",)), "description")
    hidden = ("defaulters", "unknown")
    judgement = judge({"t.csv": TABLE}, counts=("retailers", *hidden))
    (finding,) = open_findings(judgement, "description")
    assert (finding.outcome, finding.evidence["how_many"]) == (Outcome.FAIL, 2)
    assert "defaulters" not in json.dumps(judgement.verdict.as_json(), default=dict), "not even told again"
    assert judge({"t.md": "A text of words."}, counts=("n",)).verdict.outcome is Outcome.FAIL


def test_subjects_are_no_more_than_the_sources_describe_and_no_fewer_than_a_cell_counts() -> None:
    def outcome_of(subjects: int, population: SourcePopulation | None) -> Outcome:
        context = ParcelContext("t", "p", {"t.csv": FileDescription("x", subjects=subjects)}, ("release-1",))
        verdict = judge_parcel({"t.csv": TABLE.replace("retailers", "n").encode()}, context=context,
                               population=population).verdict  # fmt: skip
        return max((e.outcome for e in verdict.findings if e.check == "description"), key=list(Outcome).index)

    known, unknown = SourcePopulation(205), SourcePopulation(None)
    assert [outcome_of(205, known), outcome_of(206, known), outcome_of(119, known)] == [
        Outcome.PASS,
        Outcome.FAIL,
        Outcome.REVIEW,
    ]
    assert outcome_of(206, unknown) is Outcome.REVIEW, "a source that does not say it bounds nothing"
    assert outcome_of(206, None) is Outcome.PASS, "in a notebook, where sources cannot be looked up"


@pytest.mark.parametrize(
    "change",
    [
        {"title": "t" * 121},
        {"purpose": "p" * 1001},
        {"releases": tuple(f"release-{n}" for n in range(41))},
        {"files": {"t.csv": {"what": "x" * 501}}},
        {"files": {"t.csv": {"what": "x", "subjects": 2_000_000_001}}},
        {"files": {"t.csv": {"what": "x", "counts": [str(n) for n in range(101)]}}},
        {"files": {"t.csv": {"what": "x", "counts": ["n", "n"]}}},
        {"files": {"t.csv": {"what": "x", "note": "y"}}},
        {"note": "y"},
    ],
)
def test_every_field_is_bounded_and_no_other_is_accepted(change: dict[str, object]) -> None:
    fine = {"title": "t", "purpose": "p", "files": {"t.csv": {"what": "x"}}, "releases": ["release-1"]}
    ParcelContext.parse(fine)
    with pytest.raises(Malformed):
        ParcelContext.parse(fine | change)


@given(st.characters(categories=["Cs"]), st.sampled_from(["title", "purpose", "what", "counts", "name"]))
def test_half_of_a_character_is_refused_in_every_field(half: str, field: str) -> None:
    about: dict[str, object] = {"what": "x"} | ({"what": half} if field == "what" else {})
    about |= {"counts": [half]} if field == "counts" else {}
    data = {"title": "t", "purpose": "p", "releases": ["release-1"]}
    data |= {"files": {half if field == "name" else "t.csv": about}} | ({field: half} if field in data else {})
    with pytest.raises(Malformed):
        ParcelContext.parse(data)


@given(st.text(max_size=40), st.sampled_from(["title", "purpose", "what", "population", "counted"]))
def test_a_text_of_the_context_has_one_spelling_or_keeps_the_parcel_inside(text: str, field: str) -> None:
    about = FileDescription("x", subjects=205)
    context = ParcelContext("t", "p", {"t.csv": about}, ("release-1",))
    try:
        if field in ("title", "purpose"):
            context = replace(context, **{field: text})
        else:
            context = replace(context, files={"t.csv": replace(about, **{field: text})})
        spelled = context.in_one_spelling()
    except CreditError:
        return
    assert spelled.in_one_spelling() == spelled
    verdict = judge_parcel({"t.csv": TABLE.encode()}, context=context).verdict
    odd = [char for each in spelled.texts() for char in each if not (char.isascii() and char.isprintable())]
    if any(not ("\u4e00" <= char <= "\u9fff") for char in odd) and verdict.outcome is not Outcome.FAIL:
        assert all(char in "¥€£§〇、。《》〈〉「」『』【】〔〕“”‘’–—·×÷±≤≥≠≈∑√∞°‰→←↑↓αβγδεζηθλμπρσςτφχψωΓΔΘΛΠΣΦΨΩ"
                   or unicodedata.name(char).startswith("LATIN")
                   for char in odd if not "\u4e00" <= char <= "\u9fff")  # fmt: skip


@given(st.text(st.sampled_from("./\\%~ A_\n\x00\u200b") | st.characters(codec="ascii"), min_size=1, max_size=20))
def test_a_source_is_named_as_a_seal_is_and_as_nothing_else(name: str) -> None:
    """No path and no message stands where the id of a seal belongs, also where no shelf is there to look it up."""
    try:
        context = ParcelContext("t", "p", {}, (name,))
    except Malformed:
        return
    assert re.fullmatch("[a-z0-9-]+", context.releases[0])


def test_the_seal_describes_the_petition_and_nothing_else(zone: ReviewZone) -> None:
    id = zone.submit({"firms.csv": SAFE}, counts=("n",))
    zone.approve(id)
    petition = zone.airlock.get(id)
    seal = zone.airlock.collect(id, by=AUTHOR)
    sealed = Shelf(zone.airlock.settings.outbox, zone.airlock.shelf.ring).open(seal.id, deep=False).seal
    assert sealed.kind is Kind.PARCEL
    assert set(sealed.terms) == {
        "petition", "project", "author", "reviewers", "context", "kinds", "thresholds", "invented",
    }  # fmt: skip
    assert sealed.terms["context"] == petition.context.as_json()
    assert sealed.terms["kinds"] == petition.leaving == {"firms.csv": "table", "firms.parquet": "parquet"}
    assert set(sealed.files) == set(petition.leaving)


def test_a_source_states_how_many_subjects_it_has(zone: ReviewZone, keys: dict[str, SigningKey]) -> None:
    def source(kind: Kind, terms: dict[str, object]) -> Seal:
        zone_of = "compute" if kind is Kind.ROWS else "custody"
        with zone.airlock.shelf.staging() as folder:
            (folder / "tables.txt").write_text("none")
            return zone.airlock.shelf.put(
                folder, kind, parents=(), terms={"purpose": "research", "invented": True, **terms},
                expires_on=TODAY + timedelta(days=9), by=Actor("custody", Role.PLATFORM), key=keys[zone_of],
            )  # fmt: skip

    release = source(Kind.RELEASE, {"tables": {"registration": {"rows": 204}, "penalties": {"rows": 9000}}})
    practice = source(Kind.PRACTICE, {"practice": {"subjects": 5000, "seed": 1}})
    rows = source(Kind.ROWS, {"rows": 700, "project": PROJECT})
    assert [subjects_of(each) for each in (release, practice, rows)] == [204, 5000, 700]
    silent = source(Kind.RELEASE, {"tables": {"penalties": {"rows": 9000}}})
    assert subjects_of(silent) is None, "it does not say"
    people = ComparedPeople(PROJECT, AUTHOR.name, frozenset(), frozenset())
    gate = ZoneGate(ParcelStore(zone.folder), zone.airlock.shelf, TODAY, frozenset(), people)
    assert gate.population((release.id, practice.id)) == SourcePopulation(5000)
    assert gate.population((release.id, silent.id)) == SourcePopulation(None), "one of them does not say"
    unbounded = replace(zone.context({"t.csv": b""}, subjects=205), releases=(silent.id,))
    petition = zone.airlock.submit({"t.csv": TABLE.encode()}, unbounded, by=AUTHOR, project=PROJECT)
    assert any("nothing bounds the 205 subjects" in each.why for each in petition.verdict.findings)
    zone.airlock.withdraw(petition.id, by=AUTHOR)
    context = replace(zone.context({"t.csv": b""}, subjects=205), releases=(release.id,))
    with pytest.raises(Refused, match="205 subjects are stated"):
        zone.airlock.submit({"t.csv": TABLE.encode()}, context, by=AUTHOR, project=PROJECT)
