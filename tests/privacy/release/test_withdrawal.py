"""A withdrawal removes only the repaired record and equals a new release; until then the subject is suppressed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.actor import Actor
from credit.errors import Broken, Lapsed, Refused
from credit.keys import KeyRing
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from credit.suppression import Notice
from privacy.release.policy import Policy
from privacy.release.withdrawal import suppress_subjects, withdraw
from privacy.repair import repair, repaired_subjects
from tests.privacy.release.test_release import HEAD, rows_of
from tests.privacy.small_custody import CITY, PLATFORM, TODAY, House, code, empty_house, register_of

SMALL = replace(Policy.load(), bucket_subjects=12)  # so that forty subjects are several buckets
KEY = PseudonymKey("scoring", b"scoring".ljust(32, b"-"))
DAY = date(2026, 10, 20)


def penalty(number: int, document: str, fine: int = 5, note: str = "", known: str = "2024-03-20") -> str:
    return f"{code(number)},{document},2024-03-15,{known},,{fine},general,normal,{note}\n"


def custody_with_data(house: House, more: str = "") -> Seal:
    """Forty firms with a penalty each, and a scoring release of them."""
    house.bring(
        registration=register_of(40),
        administrative_penalty=HEAD + "".join(penalty(n, f"D{n}", n % 7) for n in range(40)) + more,
    )
    return house.release("scoring", as_of=DAY, policy=SMALL)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Seal]:
    """A custody zone with data, which is copied and never changed, and its release."""
    house = empty_house(tmp_path_factory.mktemp("first"))
    return house, custody_with_data(house)


def copied(first: House, root: Path) -> House:
    """A copy of a custody zone with its own vault, shelf and ledger."""
    shutil.copytree(first.root, root, dirs_exist_ok=True)
    ring = KeyRing.of(first.key)
    vault, shelf = replace(first.vault, folder=root / "vault"), Shelf(root / "shelf", ring)
    return replace(first, root=root, vault=vault, shelf=shelf, ledger=Ledger(root / "ledger.jsonl", first.key, ring))


@pytest.fixture
def settled(first: tuple[House, Seal], tmp_path: Path) -> tuple[House, Seal]:
    """A copy of the custody zone for one test, and its release."""
    return copied(first[0], tmp_path), first[1]


def repaired(house: House, document: str, by: Actor = CITY) -> None:
    repair(document, catalogue=house.catalogue, vault=house.vault, ledger=house.ledger, by=by, on=TODAY, today=TODAY)


def of(house: House, by: Actor = CITY) -> dict[str, Any]:
    options: dict[str, Any] = {"vault": house.vault, "policy": SMALL, "shelf": house.shelf, "key": house.key}
    return options | {"pseudonym_key": KEY, "ledger": house.ledger, "by": by, "today": TODAY}


def withdrawn(house: House, base: Seal, **more: Any) -> Seal:
    options = of(house) | {"catalogue": house.catalogue} | more
    return withdraw(base=house.shelf.open(base.id, deep=False), **options)


def key_of(number: int) -> str:
    return KEY.hex_of(code(number))


@settings(max_examples=4, suppress_health_check=list(HealthCheck))
@given(removed=st.sets(st.integers(0, 39), min_size=1, max_size=4))
def test_the_files_are_those_of_a_release_made_from_the_start(
    tmp_path_factory: pytest.TempPathFactory, first: tuple[House, Seal], removed: set[int]
) -> None:
    house, base = copied(first[0], tmp_path_factory.mktemp("house")), first[1]
    assert base.terms["buckets"] > 1
    for number in removed:
        repaired(house, f"D{number}")
    seal = withdrawn(house, base)
    whole = house.release("scoring", as_of=TODAY, policy=SMALL)
    assert seal.files == whole.files
    assert seal.terms["tables"] == whole.terms["tables"]
    changed = {name for name in seal.files if seal.files[name] != base.files[name]}
    buckets = {int(key_of(number)[:2], 16) * base.terms["buckets"] // 256 for number in removed}
    assert changed == {f"administrative_penalty/bucket-{bucket:03d}.parquet" for bucket in buckets}
    house.shelf.open(seal.id)
    house.shelf.open(base.id)


def test_its_terms(settled: tuple[House, Seal]) -> None:
    house, base = settled
    repaired(house, "D7")
    seal = withdrawn(house, base)
    assert (seal.parents, seal.expires_on) == ((base.id,), base.expires_on)
    terms = {name: seal.terms[name] for name in ("amends", "as_of", "repaired_by", "notice")}
    assert terms == {"amends": base.id, "as_of": "2026-10-20", "repaired_by": "2026-11-01", "notice": 1}
    assert seal.terms["left_out"]["administrative_penalty"] == {"withdrawn": 1}
    assert seal.terms["verdict"]["outcome"] == "pass"
    [entry] = house.ledger.about(seal.id)
    assert (entry.verb, entry.details["withdrawn"]) == ("release.amended", {"administrative_penalty": 1})
    assert code(7) not in (house.root / "ledger.jsonl").read_text()
    assert withdrawn(house, seal).id == seal.id, "there is nothing more to withdraw"
    repaired(house, "D8")
    assert withdrawn(house, seal).parents == (base.id,), "an amendment amends the release that was made in full"


def test_of_two_records_that_leave_alike_one_stays(house: House) -> None:
    base = custody_with_data(house, penalty(7, "TWIN", 0))
    repaired(house, "D7")
    assert len([row for row in rows_of(house, withdrawn(house, base)) if row["subject"] == key_of(7)]) == 1


def test_nothing_new_comes_in(settled: tuple[House, Seal]) -> None:
    house, base = settled
    house.bring(administrative_penalty=HEAD + penalty(7, "LATE") + penalty(7, "D7", 9, "corrected", "2024-03-21"))
    repaired(house, "D8")
    repaired(house, "LATE")
    kept = rows_of(house, withdrawn(house, base))
    assert key_of(8) not in {row["subject"] for row in kept}
    assert [row for row in kept if row["subject"] == key_of(7)] == [], "its row stands no more, and the new one waits"


def test_a_repaired_subject_is_suppressed_until_a_release_covers_the_notice(settled: tuple[House, Seal]) -> None:
    house, base = settled
    repaired(house, "D7")
    codes = repaired_subjects("D7", catalogue=house.catalogue, vault=house.vault, by=TODAY)
    assert codes == [code(7)]
    suppress_subjects(codes, **of(house))
    notice = Notice.read(house.shelf, "scoring")
    assert notice.suppresses(key_of(7), 0)
    assert not notice.suppresses(key_of(8), 0)
    assert withdrawn(house, base).terms["notice"] == notice.number == 1
    assert Notice.read(house.shelf, "scoring") == notice, "who was named for this already is not named again"
    assert house.release("scoring").terms["notice"] == 1
    assert "notice" not in house.release("scoring", as_of=DAY).terms, "of that day the record was not repaired"


def test_stopped_on_the_way_it_withholds_and_goes_on(settled: tuple[House, Seal]) -> None:
    house, base = settled
    repaired(house, "D7")

    def stop(doing: str, done: int, total: int) -> None:
        if doing == "sealing the release":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        withdrawn(house, base, progress=stop)
    assert [seal.id for seal in house.shelf.list(Kind.RELEASE)] == [base.id]
    assert Notice.read(house.shelf, "scoring").suppresses(key_of(7), 0)
    assert withdrawn(house, base).terms["notice"] == 1


def test_a_repair_that_touches_nothing_in_it_lifts_its_notice_all_the_same(house: House) -> None:
    house.bring(registration=register_of(40), administrative_penalty=HEAD + penalty(7, "D7", known="2026-10-30"))
    base = house.release("scoring", as_of=DAY, policy=SMALL)
    repaired(house, "D7")
    suppress_subjects([code(7)], **of(house))
    seal = withdrawn(house, base)
    assert seal.files == base.files
    assert seal.terms["notice"] == 1


@pytest.mark.attack
@pytest.mark.parametrize("which", ["the record's", "another", "another table's"])
def test_a_release_that_was_changed_is_not_amended(settled: tuple[House, Seal], which: str) -> None:
    house, base = settled
    repaired(house, "D7")
    buckets, place = base.terms["buckets"], house.shelf.open(base.id).path
    changed = (int(key_of(7)[:2], 16) * buckets // 256 + (which == "another")) % buckets
    path = place / ("registration" if "table" in which else "administrative_penalty") / f"bucket-{changed:03d}.parquet"
    path.write_bytes((path.parent / f"bucket-{(changed + 2) % buckets:03d}.parquet").read_bytes())
    with pytest.raises(Broken, match="changed"):
        withdrawn(house, base)
    assert [seal.id for seal in house.shelf.list(Kind.RELEASE)] == [base.id]
    assert Notice.read(house.shelf, "scoring").number <= 1


@pytest.mark.attack
@pytest.mark.parametrize("role", ["bank", "researcher", "reviewer", "service", "platform"])
def test_only_the_city_repairs(settled: tuple[House, Seal], role: str) -> None:
    house, base = settled
    with pytest.raises(Refused, match="may not repair a record"):
        repaired(house, "D7", Actor.parse(f"{role}:mallory"))
    if role != "platform":
        with pytest.raises(Refused, match="may not withhold a subject"):
            suppress_subjects([code(7)], **of(house, Actor.parse(f"{role}:mallory")))
    assert Notice.read(house.shelf, "scoring").number == 0
    assert withdrawn(house, base).id == base.id


def test_what_cannot_be_amended_is_refused(settled: tuple[House, Seal]) -> None:
    house, base = settled
    research = house.release("research")
    with pytest.raises(Refused, match="research"):
        withdrawn(house, research)
    for options, error, words in (
        ({"pseudonym_key": PseudonymKey("inquiry", b"-" * 32)}, Refused, "has changed"),
        ({"catalogue": replace(house.catalogue, version="0" * 64)}, Refused, "has changed"),
        ({"today": base.expires_on}, Lapsed, "lapsed"),
    ):
        with pytest.raises(error, match=words):
            withdrawn(house, base, **options)


def test_names_are_forgotten_when_every_release_of_before_has_ended(settled: tuple[House, Seal]) -> None:
    house, _ = settled
    suppress_subjects([code(7)], **of(house))
    later = TODAY + timedelta(days=SMALL.of("scoring").expires_after_days + 1)
    suppress_subjects([code(8)], **of(house) | {"today": later, "by": PLATFORM})
    notice = Notice.read(house.shelf, "scoring")
    assert (notice.number, set(notice.subjects)) == (2, {key_of(8)})
