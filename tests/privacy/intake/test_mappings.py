"""A source unit's mapping is learnt once and used for its later files, and for no other unit's."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit.actor import Actor
from credit.errors import Malformed, Refused
from privacy.intake.mappings import learn, learnt_mappings, read_mapping
from tests.privacy.small_custody import CITY, House, code, register_of

MAPPING = """source: 虚构市监局
files: ["市监局*.csv"]
table: administrative_penalty
columns: {当事人代码: CODE, 决定书: DOCUMENT, 作出日期: DAY}
constants: {STATE: normal}
"""
FILE = f"当事人代码,决定书,作出日期\n{code(1)},D1,2024-03-01\n"


def mapping_in(house: House, text: str = MAPPING) -> Path:
    path = house.root / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mapping_is_learnt_once_and_used_for_later_files(house: House) -> None:
    house.bring(registration=register_of(9))
    path = house.root / "市监局202403.csv"
    path.write_text(FILE, encoding="utf-8")
    assert house.bring_paths([path]).kept == 0
    learnt = read_mapping(mapping_in(house), house.catalogue)
    for _ in range(2):
        learn(learnt, vault=house.vault, ledger=house.ledger, by=CITY)
    assert learnt_mappings(house.vault) == (learnt,)
    assert house.bring_paths([path]).kept == 1
    [stored] = house.vault.read("administrative_penalty").to_pylist()
    assert (stored["document_number"], stored["record_state"]) == ("D1", "normal")
    assert (house.root / "ledger.jsonl").read_text().count("mapping.learnt") == 1


def test_the_files_of_another_unit_are_not_touched(house: House) -> None:
    house.bring(registration=register_of(9))
    learn(read_mapping(mapping_in(house), house.catalogue), vault=house.vault, ledger=house.ledger, by=CITY)
    house.bring(administrative_penalty=f"CODE,DOCUMENT,DAY\n{code(2)},D2,2024-03-01\n")
    [stored] = house.vault.read("administrative_penalty").to_pylist()
    assert stored["record_state"] is None


@pytest.mark.parametrize(
    "text",
    [
        "source: [",
        "source: x\n",
        MAPPING.replace("administrative_penalty", "no_table"),
        MAPPING.replace("DOCUMENT", "NO_FIELD"),
        MAPPING.replace("{STATE: normal}", "[1]"),
        "\x00",
    ],
)
def test_a_mapping_that_is_wrong_is_refused_in_words(house: House, text: str) -> None:
    with pytest.raises(Malformed):
        read_mapping(mapping_in(house, text), house.catalogue)


def test_a_researcher_teaches_no_mapping(house: House) -> None:
    learnt = read_mapping(mapping_in(house), house.catalogue)
    with pytest.raises(Refused):
        learn(learnt, vault=house.vault, ledger=house.ledger, by=Actor.parse("researcher:li"))
