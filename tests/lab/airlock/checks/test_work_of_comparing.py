"""Comparing a parcel with those before it takes work in proportion to their number, counted in calls, not in time."""

from __future__ import annotations

import random
import sys
from typing import Any

from lab.airlock.checks.differencing import LocatedTable
from lab.airlock.gate import judge_parcel, tables_in
from lab.airlock.parcel_context import FileDescription, ParcelContext
from lab.airlock.thresholds import load

ABOUT = FileDescription("bands", population="all firms", counted="firms", subjects=5_000_000)


def _table(seed: int) -> bytes:
    draw = random.Random(seed)
    rows = [f"b{n},{10 * draw.randrange(100, 9000)},{draw.random():.3f}" for n in range(8)]
    return "\n".join(["band,firms,mean_fine", *rows, ""]).encode()


def _calls(before: int, first: int) -> int:
    """The calls of Python functions while one parcel is judged, of tables which no cache has seen."""
    tables = [
        LocatedTable(f"p{n}", "old.csv", case)
        for n in range(before)
        for case in tables_in("old.csv", _table(first + n), ABOUT, load())
    ]
    calls = 0

    def count(_: Any, event: str, __: Any) -> None:
        nonlocal calls
        calls += event == "call"

    context = ParcelContext("Bands", "A paper", {"new.csv": ABOUT}, ("release-1",))
    sys.setprofile(count)
    try:
        judge_parcel(
            {"new.csv": _table(first - 1)}, context=context, earlier=tables, by_units=[each.case for each in tables]
        )
    finally:
        sys.setprofile(None)
    return calls


def test_twice_as_many_earlier_tables_are_twice_the_work() -> None:
    few, many = _calls(20, 1000), _calls(80, 2000)
    assert many < 4.4 * few
