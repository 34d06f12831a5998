"""One decision may be about several firms: the city names the one whose record is repaired."""

from __future__ import annotations

import pytest

from credit.errors import Malformed, Missing
from privacy.repair import RepairedAlready, repair, repair_entries, repaired_records, repaired_subjects
from tests.privacy.small_custody import CITY, TODAY, House, code, register_of

HEAD = "CODE,DOCUMENT,DAY,KNOWN,UNTIL,FINE,SEVERITY,STATE,NOTE\n"


@pytest.fixture
def with_one_decision(house: House) -> House:
    """A custody zone with one decision about three firms."""
    house.bring(registration=register_of(9))
    rows = "".join(f"{code(n)},津〔2024〕1号,2024-03-01,,,1,minor,normal,\n" for n in (1, 2, 3))
    assert house.bring(administrative_penalty=HEAD + rows).kept == 3
    return house


def repaired(house: House, document: str, **named: str) -> None:
    repair(document, catalogue=house.catalogue, vault=house.vault, ledger=house.ledger, by=CITY, on=TODAY, **named)


def subjects(house: House) -> set[str]:
    return {row["subject_code"] for row in house.vault.read("credit_repair").to_pylist()}


def test_without_the_firm_nothing_is_repaired(with_one_decision: House) -> None:
    with pytest.raises(Malformed) as refused:
        repaired(with_one_decision, "津〔2024〕1号")
    assert "3 records of 3 subjects" in str(refused.value)
    assert code(1) not in str(refused.value)
    assert "credit_repair" not in with_one_decision.vault.names()


def test_the_record_of_the_named_firm_alone_is_repaired(with_one_decision: House) -> None:
    repaired(with_one_decision, "津〔2024〕1号", subject=code(1).lower())
    assert subjects(with_one_decision) == {code(1)}
    with pytest.raises(RepairedAlready):
        repaired(with_one_decision, "津〔2024〕1号", subject=code(1))
    repaired(with_one_decision, "津[2024]1号", subject=code(2), table_name="administrative_penalty")
    assert subjects(with_one_decision) == {code(1), code(2)}, "in whatever brackets the number is written"


def test_the_ledger_keeps_the_firms_apart_and_names_none(with_one_decision: House) -> None:
    house = with_one_decision
    repaired(house, "津〔2024〕1号", subject=code(1))
    repaired(house, "津〔2024〕1号", subject=code(2))
    stored = {"catalogue": house.catalogue, "vault": house.vault}
    assert repaired_subjects("津〔2024〕1号", by=TODAY, **stored) == [code(1), code(2)]  # type: ignore[arg-type]
    assert repaired_subjects("津〔2024〕1号", by=TODAY, subject=code(2), **stored) == [code(2)]  # type: ignore[arg-type]
    names = repaired_records("津〔2024〕1号", **stored)  # type: ignore[arg-type]
    assert [len(repair_entries(house.ledger, each)) for each in names] == [1, 1]
    assert code(1) not in house.ledger.path.read_text()


@pytest.mark.parametrize("named", [{"subject": code(4)}, {"table_name": "registration"}])
def test_a_firm_or_table_without_such_a_record_is_missing(with_one_decision: House, named: dict[str, str]) -> None:
    with pytest.raises(Missing):
        repaired(with_one_decision, "津〔2024〕1号", **named)
