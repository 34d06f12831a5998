"""Differencing (差分攻击): two harmless tables that, subtracted from each other, speak of a few subjects, or of one.

A table is held against every other of its parcel and against all that its project carried out before or asks for now.
Columns are matched by what they hold, not only by what they are called; rows by their keys, in whatever order; shares
are turned back into counts. Whatever differs by 1 to ``count_at_least - 1`` subjects fails, with both places named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from lab.airlock.checks.column_roles import Part
from lab.airlock.checks.measures import Measure, measures_of
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.checks.table_alignment import matched, rows_of, summed
from lab.airlock.checks.trouble import PLACES, Trouble, fail, review
from lab.airlock.files.grid import Column
from lab.airlock.thresholds import Thresholds

KEYS = 4  # more keys than so many are not combined
_FIX = "Use the same population and groups as {0}, or round the counts of both to multiples of {1}, or leave one out"


@dataclass(frozen=True)
class Placed:
    """A table and where it stands: ``parcel`` is a petition's id, or ``this parcel``."""

    parcel: str
    file: str
    case: TableCase

    @property
    def where(self) -> str:
        """The place in words."""
        label = f" ({self.case.grid.label})" if self.case.grid.label else ""
        return f"{self.file}{label} of {self.parcel}"


def differences(new: Placed, old: Placed, t: Thresholds) -> Iterator[Trouble]:
    """What subtracting ``old`` from ``new`` would tell."""
    known = old.case.about.subjects or _all(old.case) or new.case.about.subjects or _all(new.case)
    mine, theirs = measures_of(new.case, known), measures_of(old.case, known)
    keys = list(matched(new.case, old.case))[:KEYS]
    for one, other, sure in _pairs(mine, theirs):
        near = _near(new.case, old.case, keys, one, other, t)
        if not near.cells:
            continue
        exact = near.exact and (sure or 2 * near.equal >= near.compared)
        if not exact and not sure and 2 * near.equal < near.compared:
            continue  # other columns, other numbers: that some are near is chance
        yield _trouble(near.cells, exact, one, other, new, old, t)
    if not keys:
        yield from _alike(mine, theirs, new, old, t)


@dataclass
class Near:
    """The cells that differ by too few, how many were compared and were equal, and whether the numbers are exact."""

    cells: list[str]
    compared: int
    equal: int
    exact: bool


def _near(
    new: TableCase, old: TableCase, keys: Sequence[tuple[Column, Column]], one: Measure, other: Measure, t: Thresholds
) -> Near:
    """Compare by all the keys two tables share, by fewer of them (margins), and in all (totals)."""
    least, base = t["count_at_least"], t["rounding_base"]
    exact = one.exact and other.exact and not (one.rounded(base) or other.rounded(base))
    near = Near([], 0, 0, exact)
    for size in range(len(keys), -1, -1):
        for chosen in combinations(keys, size):
            ours = summed(new, [mine for mine, _ in chosen], one)
            theirs = summed(old, [theirs for _, theirs in chosen], other)
            for key in ours.keys() & theirs.keys():
                a, b = ours[key], theirs[key]
                if a is None or b is None:
                    continue
                near.compared, near.equal = near.compared + 1, near.equal + (round(a) == round(b))
                if 0.5 <= abs(a - b) < least - 0.5:
                    rows = rows_of(new, [mine for mine, _ in chosen], key)
                    near.cells.append(f"{rows}, {one.shown}" if size else f"total, {one.shown}")
    if keys and near.cells and all(cell.startswith("total") for cell in near.cells) and not near.equal:
        near.exact = False  # only the totals are near: nobody knows yet which group the few are in
    if not keys and new.grid.rows > 1:
        near.exact = False
    return near


def _pairs(mine: Sequence[Measure], theirs: Sequence[Measure]) -> Iterator[tuple[Measure, Measure, bool]]:
    """Measures to be held against each other, and whether they are surely of the same: by name, or renamed."""
    for one in mine:
        for other in theirs:
            if one.name == other.name or (one.counts and other.counts and not _both(one, other, mine, theirs)):
                yield one, other, True
            elif one.derived or other.derived or not _both(one, other, mine, theirs):
                yield one, other, False


def _both(one: Measure, other: Measure, mine: Sequence[Measure], theirs: Sequence[Measure]) -> bool:
    """True when either has a namesake of its own on the other side: then these two are of different things."""
    return any(one.name == each.name for each in theirs) or any(other.name == each.name for each in mine)


def _alike(
    mine: Sequence[Measure], theirs: Sequence[Measure], new: Placed, old: Placed, t: Thresholds
) -> Iterator[Trouble]:
    """Keys that were written otherwise: most of the numbers are equal, and the rest differ by a few."""
    for one in mine:
        for other in theirs:
            a, b = one.counted(), other.counted()
            equal = _intersection(a, b)
            rest = [_without(a, equal), _without(b, equal)]
            if len(equal) < 2 or 2 * len(equal) < max(len(a), len(b)) or one.rounded(t["rounding_base"]):
                continue
            near = [x for x, y in zip(*rest, strict=False) if 0 < abs(x - y) < t["count_at_least"]]
            if near:
                cells = [f"row {one.row_of(value) + 1}, {one.shown}" for value in near]
                yield _trouble(cells, True, one, other, new, old, t)


def _trouble(
    cells: list[str], exact: bool, one: Measure, other: Measure, new: Placed, old: Placed, t: Thresholds
) -> Trouble:
    fix = _FIX.format(old.where, t["rounding_base"])
    evidence = {
        "this": new.where,
        "against": old.where,
        "columns": [one.shown, other.shown],
        "cells": cells[:PLACES],
        "how_many": len(cells),
    }
    if exact:
        why = f"subtracted from {old.where} it speaks of fewer than {t['count_at_least']} subjects"
        return fail(why, fix, **evidence)
    why = f"it differs from {old.where} by a few subjects, as far as rounding lets it be seen"
    return review(why, fix, **evidence)


def _all(case: TableCase) -> int:
    """All subjects of a table, by its largest count column; 0 when there is none."""
    sums = [
        sum(n for row, n in enumerate(column.numbers) if n is not None and row not in case.totals)
        for column in case.of(Part.COUNT)
    ]
    return int(max(sums, default=0))


def _intersection(a: list[int], b: list[int]) -> list[int]:
    left, both = list(b), []
    for value in a:
        if value in left:
            left.remove(value)
            both.append(value)
    return both


def _without(values: list[int], taken: list[int]) -> list[int]:
    left = list(values)
    for value in taken:
        left.remove(value)
    return sorted(left)
