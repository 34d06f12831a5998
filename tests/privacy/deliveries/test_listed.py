"""A delivery with a list comes in whole, once, and in its order; anything else is refused before a row is stored."""

from __future__ import annotations

import copy
import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.errors import Broken, CreditError, Malformed, Refused
from credit.keys import KeyRing, SigningKey
from privacy.deliveries.holdings import holdings
from privacy.deliveries.listed import ListedDelivery, listed_delivery
from privacy.deliveries.receipt import verified_receipt
from privacy.intake.intake import intake
from privacy.intake.intake_report import IntakeReport
from tests.privacy.small_custody import CITY, TODAY, House, empty_house, register_of

UNIT = "12120000MB1234567X"
Lists = dict[str, Any]


def list_of(folder: Path, number: int, unit: str = UNIT) -> Lists:
    files = {}
    for path in sorted(folder.glob("*.csv")):
        content = path.read_bytes()
        files[path.name] = {"rows": content.count(b"\n") - 1, "sha256": hashlib.sha256(content).hexdigest()}
    return {"unit": unit, "number": number, "files": files}


def write_list(folder: Path, listed: object) -> None:
    (folder / "delivery.yaml").write_text(yaml.safe_dump(listed, allow_unicode=True), encoding="utf-8")


def delivery_in(house: House, number: int, subjects: int, unit: str = UNIT) -> Path:
    folder = house.root / f"{unit}-{number}"
    folder.mkdir()
    (folder / "registration.csv").write_text(register_of(subjects), encoding="utf-8")
    write_list(folder, list_of(folder, number, unit))
    return folder


def bring(house: House, folder: Path, *, without_earlier: bool = False) -> tuple[ListedDelivery, IntakeReport]:
    delivered = listed_delivery([folder], house.vault, without_earlier=without_earlier)
    assert delivered is not None
    report = intake(
        folder, catalogue=house.catalogue, vault=house.vault, ledger=house.ledger, by=CITY, today=TODAY,
        numbered=delivered,
    )  # fmt: skip
    return delivered, report


def test_a_receipt_counts_every_row_and_verifies_until_one_character_of_it_changes(house: House) -> None:
    delivered, report = bring(house, delivery_in(house, 1, 5))
    receipt = delivered.receipt(report, today=TODAY, key=house.key)
    content = verified_receipt(receipt, KeyRing.of(house.key))
    assert (content["unit"], content["number"], content["again"], content["missing_before"]) == (UNIT, 1, False, [])
    assert content["rows_listed"] == content["rows_read"] == 5
    assert content["kept"] + content["duplicates"] + content["quarantined"] == 5
    forged = copy.deepcopy(receipt)
    forged["payload"] = receipt["payload"].replace(
        receipt["payload"][40], "A" if receipt["payload"][40] != "A" else "B", 1
    )
    with pytest.raises(Broken):
        verified_receipt(forged, KeyRing.of(house.key))
    with pytest.raises(Broken):
        verified_receipt(receipt, KeyRing.of(SigningKey.create(house.root / "other", "custody")))


def test_the_same_delivery_again_stores_nothing_and_gets_its_receipt(house: House) -> None:
    folder = delivery_in(house, 1, 5)
    bring(house, folder)
    entries = house.ledger.verify()
    delivered, report = bring(house, folder)
    assert (delivered.place.is_again, report.kept, report.duplicates) == (True, 0, 5)
    assert house.ledger.verify() == entries
    assert house.vault.read("registration").num_rows == 5


def test_a_wrong_count_of_rows_is_reported_and_the_rows_are_stored(house: House) -> None:
    folder = delivery_in(house, 1, 5)
    listed = list_of(folder, 1)
    listed["files"]["registration.csv"]["rows"] = 7
    write_list(folder, listed)
    delivered, report = bring(house, folder)
    reported = delivered.as_json(report)
    assert (reported["rows_listed"], reported["rows_read"], report.kept) == (7, 5, 5)


changes = st.sampled_from(
    ["cut", "flip", "drop", "add", "list a digest", "list a name", "list no unit", "no yaml", "deep"]
)


@settings(max_examples=60, deadline=None)
@given(change=changes, at=st.integers(0, 10_000))
def test_a_delivery_that_differs_from_its_list_changes_nothing(change: str, at: int) -> None:
    with tempfile.TemporaryDirectory() as root:
        house = empty_house(Path(root))
        bring(house, delivery_in(house, 1, 3))
        folder = delivery_in(house, 2, 6)
        damage(folder, change, at)
        before = (house.vault.files().generation, house.ledger.verify())
        with pytest.raises((Malformed, Refused)) as refused:
            bring(house, folder)
        assert (house.vault.files().generation, house.ledger.verify()) == before
        assert ".csv" not in f"{refused.value}{refused.value.in_language('zh')}"  # a file's name may name a subject


def damage(folder: Path, change: str, at: int) -> None:
    path, listed = folder / "registration.csv", list_of(folder, 2)
    content = bytearray(path.read_bytes())
    if change == "cut":
        path.write_bytes(content[: at % len(content)])
    elif change == "flip":
        content[at % len(content)] ^= 1
        path.write_bytes(content)
    elif change == "drop":
        path.rename(folder / f"registration{at}.csv")
    elif change == "add":
        (folder / f"registration{at}.csv").write_bytes(content)
    elif change == "list a digest":
        digest = listed["files"][path.name]["sha256"]
        place = at % 64
        listed["files"][path.name]["sha256"] = (
            digest[:place] + ("0" if digest[place] != "0" else "1") + digest[place + 1 :]
        )
    elif change == "list a name":
        listed["files"]["../registration.csv"] = listed["files"].pop(path.name)
    elif change == "list no unit":
        listed["unit"] = ["12 34", "", 7, None, ["1212"], "12120000MB1234567X1"][at % 6]
    if change == "no yaml":
        (folder / "delivery.yaml").write_bytes([b"\xff\xfe\x00", b"{", b"[]", b"", os.urandom(2 << 20)][at % 5])
    elif change == "deep":
        (folder / "delivery.yaml").write_bytes(b"[" * 50_000)
    else:
        write_list(folder, listed)


@settings(max_examples=40, deadline=None)
@given(order=st.lists(st.integers(1, 7), min_size=1, max_size=9), skipping=st.booleans())
def test_each_number_of_a_unit_comes_in_once_and_never_after_a_later_one(order: list[int], skipping: bool) -> None:
    with tempfile.TemporaryDirectory() as root:
        house = empty_house(Path(root))
        folders = {number: delivery_in(house, number, number) for number in set(order)}
        entered: list[int] = []
        for number in order:
            allowed = number in entered or not entered or number == entered[-1] + 1
            allowed |= skipping and number > max(entered, default=0)
            stored = None
            with suppress(Refused):
                stored = bring(house, folders[number], without_earlier=skipping)
            assert (stored is not None) == allowed
            if stored and number not in entered:
                gap = (entered[-1] + 1, number - 1) if entered and number > entered[-1] + 1 else None
                assert stored[0].place.missing == gap
                entered.append(number)
        [unit] = holdings(house.catalogue, house.vault)["units"]
        assert unit["deliveries"] == len(entered) == len(set(entered))
        assert (unit["last_number"], unit["missing"]) == (entered[-1], entered[-1] - entered[0] + 1 - len(entered))


def test_another_delivery_under_the_same_number_is_refused(house: House) -> None:
    bring(house, delivery_in(house, 1, 5))
    other = house.root / "other"
    other.mkdir()
    (other / "registration.csv").write_text(register_of(9), encoding="utf-8")
    write_list(other, list_of(other, 1))
    with pytest.raises(Refused) as refused:
        bring(house, other)
    assert refused.value.message.id == "delivery.another-with-number"


def test_holdings_count_rows_by_table_and_units_by_level(house: House) -> None:
    for unit in (UNIT, "120104", "120104001"):
        bring(house, delivery_in(house, 1, 4, unit))
    counted = holdings(house.catalogue, house.vault)
    assert {each["table"]: each["rows"] for each in counted["tables"]}["registration"] == 4
    assert {each["unit"]: (each["level"], each["district"]) for each in counted["units"]} == {
        UNIT: ("city", ""),
        "120104": ("district", ""),
        "120104001": ("street", "120104"),
    }


@settings(max_examples=20, deadline=None)
@given(is_list=st.booleans(), way=st.sampled_from(["pipe", "link", "endless", "sparse", "folder"]))
def test_what_is_no_plain_file_is_neither_read_nor_waited_for(is_list: bool, way: str) -> None:
    with tempfile.TemporaryDirectory() as root:
        house = empty_house(Path(root))
        folder = delivery_in(house, 1, 3)
        (folder / "administrative_penalty.csv").write_text("CODE,DOCUMENT,DAY\n")
        write_list(folder, list_of(folder, 1))
        path = folder / ("delivery.yaml" if is_list else "registration.csv")
        kept = path.rename(house.root / "kept")
        if way == "pipe":
            os.mkfifo(path)
        elif way in ("link", "endless"):
            path.symlink_to(kept if way == "link" else "/dev/zero")
        elif way == "sparse":
            path.touch()
            os.truncate(path, 1 << 40)
        else:
            path.mkdir()
        with pytest.raises((Malformed, Refused)):
            bring(house, folder)


def test_several_folders_of_which_one_has_a_list_are_refused(house: House) -> None:
    folder = delivery_in(house, 1, 5)
    with pytest.raises(CreditError) as refused:
        listed_delivery([folder, house.root], house.vault, without_earlier=False)
    assert refused.value.message.id == "delivery.one-at-a-time"
    assert listed_delivery([folder / "registration.csv"], house.vault, without_earlier=False) is None
