"""A department that sends its own file again, corrected, ends the waiting of its corrected rows alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from credit.catalogue import Check
from privacy.quarantine import store
from privacy.quarantine.listing import waiting_rows
from tests.privacy.small_custody import House, code, register_of

HEAD = "CODE,DOCUMENT,DAY,KNOWN,UNTIL,FINE,SEVERITY,STATE,NOTE\n"
WRONG = code(1)[:-1] + ("0" if code(1)[-1] != "0" else "1")


def penalty(firm: str, document: str, fine: str = "1", note: str = "", known: str = "2024-03-02") -> str:
    return f"{firm},{document},2024-03-01,{known},,{fine},minor,normal,{note}\n"


@pytest.fixture
def registered(house: House) -> House:
    house.bring(registration=register_of(9))
    return house


def states(house: House) -> dict[int, str]:
    return {row["line"]: row["state"] for row in store.read(house.vault).to_pylist()}


def test_a_good_row_of_the_same_record_ends_the_waiting(registered: House) -> None:
    registered.bring(administrative_penalty=HEAD + penalty(code(1), "D1", "x") + penalty(code(2), "D2", "y"))
    report = registered.bring(administrative_penalty_again=HEAD + penalty(code(1), "D1", "3", "better"))
    assert report.kept == 1
    assert states(registered) == {2: store.CORRECTED, 3: store.WAITING}


def test_where_the_code_was_wrong_all_else_has_to_be_the_same(registered: House) -> None:
    registered.bring(administrative_penalty=HEAD + penalty(WRONG, "D1", note="a") + penalty(WRONG, "D2", note="b"))
    again = penalty(code(1), "D1", note="a", known="2024-04-02") + penalty(code(1), "D2", note="another")
    assert registered.bring(administrative_penalty_again=HEAD + again).kept == 2
    assert states(registered) == {2: store.CORRECTED, 3: store.WAITING}


def test_what_is_not_certain_goes_on_waiting(registered: House) -> None:
    """Of two firms of one decision one had a wrong code: two new rows that fit both leave it waiting."""
    registered.bring(administrative_penalty=HEAD + penalty(WRONG, "D1"))
    assert (
        registered.bring(administrative_penalty_again=HEAD + penalty(code(2), "D1") + penalty(code(3), "D1")).kept == 2
    )
    assert states(registered) == {2: store.WAITING}


def test_the_same_file_again_ends_nothing(registered: House) -> None:
    """A row that stands twice in one file waits; the same file again is no correction of it."""
    twice = HEAD + 2 * penalty(code(1), "D1")
    assert registered.bring(administrative_penalty=twice).quarantined == 1
    assert not registered.bring(administrative_penalty=twice).changed
    assert states(registered) == {3: store.WAITING}


def test_a_row_that_is_rejected_again_waits_once(registered: House) -> None:
    registered.bring(administrative_penalty=HEAD + penalty(code(1), "D1", "x"))
    registered.bring(administrative_penalty_again=HEAD + penalty(code(2), "D2") + penalty(code(1), "D1", "x"))
    assert [row["file"] for row in waiting_rows(registered.vault)] == ["administrative_penalty_again.csv"]
    assert sorted(states(registered).values()) == [store.RETURNED, store.WAITING]
    report = registered.bring(administrative_penalty_again=HEAD + penalty(code(2), "D2") + penalty(code(1), "D1", "x"))
    assert not report.changed


def test_a_whole_file_waits_until_it_can_be_read(registered: House) -> None:
    house, table = registered, registered.catalogue.table("administrative_penalty")
    counting = replace(table, checks=(*table.checks, Check("too much", "CAST(note AS INTEGER) > 9")))
    catalogue = replace(house.catalogue, tables=dict(house.catalogue.tables) | {table.name: counting})
    file = HEAD + penalty(code(1), "D1", note="many")
    assert replace(house, catalogue=catalogue).bring(administrative_penalty=file).kept == 0
    assert states(house) == {0: store.WAITING}
    assert house.bring(administrative_penalty=file).kept == 1
    assert states(house) == {0: store.CORRECTED}
