"""A file over which the engine gives up is named in quarantine, leaves nothing else, and stops no other file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from credit.catalogue import Check
from privacy.quarantine.listing import waiting_rows
from tests.privacy.small_custody import House, code, register_of

HEAD = "CODE,DOCUMENT,DAY,KNOWN,UNTIL,FINE,SEVERITY,STATE,NOTE\n"


def penalty(number: int, note: str) -> str:
    return f"{code(number)},D{number},2024-03-01,,,1,minor,normal,{note}\n"


@pytest.fixture
def counting(house: House) -> House:
    """A custody zone whose catalogue has a check that the engine cannot compute for every note."""
    house.bring(registration=register_of(9))
    table = house.catalogue.table("administrative_penalty")
    check = Check("the note counts too much", "CAST(note AS INTEGER) > 9")
    tables = dict(house.catalogue.tables) | {table.name: replace(table, checks=(*table.checks, check))}
    return replace(house, catalogue=replace(house.catalogue, tables=tables))


def test_the_other_files_are_stored_and_the_file_waits(counting: House) -> None:
    report = counting.bring(
        administrative_penalty_1=HEAD + penalty(1, "1"),
        administrative_penalty_2=HEAD + penalty(2, "2") + penalty(3, "many") + "x\n",
        administrative_penalty_3=HEAD + penalty(4, "4"),
    )
    assert (report.rows_in, report.kept, report.quarantined) == (3, 2, 1)
    [row] = waiting_rows(counting.vault)
    assert (row["file"], row["line"]) == ("administrative_penalty_2.csv", 0)
    assert "could not be computed" in row["reason"]
    assert "many" not in row["reason"]


def test_a_file_alone_is_reported_too(counting: House) -> None:
    report = counting.bring(administrative_penalty=HEAD + penalty(1, "many"))
    assert (report.rows_in, report.kept, report.quarantined) == (1, 0, 1)


@pytest.mark.parametrize(("kind", "given"), [("number", "9" * 400), ("integer", "9223372036854775807")])
def test_a_number_beyond_those_of_the_engine_is_a_fault_of_its_row(house: House, kind: str, given: str) -> None:
    table = house.catalogue.table("administrative_penalty")
    fields = tuple(
        replace(field, type=kind, unit=None, maximum=None, scale=1e4) if field.name == "FINE" else field
        for field in table.fields
    )
    tables = dict(house.catalogue.tables) | {table.name: replace(table, fields=fields)}
    house.bring(registration=register_of(9))
    report = replace(house, catalogue=replace(house.catalogue, tables=tables)).bring(
        administrative_penalty=HEAD + penalty(1, "") + penalty(2, "").replace(",1,minor", f",{given},minor")
    )
    assert (report.kept, report.quarantined) == (1, 1)
    assert [row["line"] for row in waiting_rows(house.vault)] == [3]
