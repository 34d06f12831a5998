"""Differencing (差分攻击): two safe tables whose difference describes a few subjects, or one.

Each table is compared with the other tables of its parcel and with all tables that its project has carried out or has
pending. Columns are matched by their values as well as their names, rows by their keys in any order, and shares are
converted to counts. A difference of 1 to ``count_at_least - 1`` subjects fails, and the issue names both places.
Source: Hundepool et al., Statistical Disclosure Control (2012), chapter 5 (disclosure by differencing).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from credit.messages import Text
from lab.airlock.checks.column_roles import ColumnRole
from lab.airlock.checks.measures import Measure, measures_of
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.checks.table_alignment import aligned_keys, describe_rows, sum_by_key
from lab.airlock.grid import GridColumn
from lab.airlock.issue import PLACES_LISTED, Issue, fail, review
from lab.airlock.thresholds import Thresholds

KEYS = 4  # at most so many key columns are combined


@dataclass(frozen=True)
class LocatedTable:
    """A table with its parcel and file; ``parcel`` is a petition's id, or ``this parcel``."""

    parcel: str
    file: str
    case: TableCase

    @property
    def where(self) -> str:
        """File, part of the file and parcel, for messages."""
        label = f" ({self.case.grid.label})" if self.case.grid.label else ""
        return f"{self.file}{label} of {self.parcel}"


def differences(new: LocatedTable, old: LocatedTable, t: Thresholds) -> Iterator[Issue]:
    """Yield an issue for each pair of measures whose difference describes fewer than ``count_at_least`` subjects."""
    total_subjects = (
        old.case.about.subjects or _total_subjects(old.case) or new.case.about.subjects or _total_subjects(new.case)
    )
    new_measures, old_measures = measures_of(new.case, total_subjects), measures_of(old.case, total_subjects)
    keys = list(aligned_keys(new.case, old.case))[:KEYS]
    for new_measure, old_measure, same_measure in _comparable_measures(new_measures, old_measures):
        comparison = _compare(new.case, old.case, keys, new_measure, old_measure, t)
        if not comparison.close_cells:
            continue
        exact = comparison.exact and (same_measure or 2 * comparison.equal >= comparison.compared)
        if not exact and not same_measure and 2 * comparison.equal < comparison.compared:
            continue  # different columns with different numbers: a few close values are chance
        yield _issue(comparison.close_cells, exact, new_measure, old_measure, new, old, t)
    if not keys:
        yield from _match_without_keys(new_measures, old_measures, new, old, t)


@dataclass
class MeasureComparison:
    """Cells whose difference is too small, the numbers of cells compared and equal, and whether counts are exact."""

    close_cells: list[str]
    compared: int
    equal: int
    exact: bool


def _compare(
    new: TableCase,
    old: TableCase,
    keys: Sequence[tuple[GridColumn, GridColumn]],
    new_measure: Measure,
    old_measure: Measure,
    t: Thresholds,
) -> MeasureComparison:
    """Compare two measures by all common keys, by fewer of them (margins), and in total."""
    threshold, base = t["count_at_least"], t["rounding_base"]
    exact = new_measure.exact and old_measure.exact and not (new_measure.rounded(base) or old_measure.rounded(base))
    comparison = MeasureComparison([], 0, 0, exact)
    for size in range(len(keys), -1, -1):
        for chosen in combinations(keys, size):
            new_sums = sum_by_key(new, [new_key for new_key, _ in chosen], new_measure)
            old_sums = sum_by_key(old, [old_key for _, old_key in chosen], old_measure)
            for key in new_sums.keys() & old_sums.keys():
                new_sum, old_sum = new_sums[key], old_sums[key]
                if new_sum is None or old_sum is None:
                    continue
                comparison.compared += 1
                comparison.equal += round(new_sum) == round(old_sum)
                if 0.5 <= abs(new_sum - old_sum) < threshold - 0.5:
                    rows = describe_rows(new, [new_key for new_key, _ in chosen], key)
                    comparison.close_cells.append(
                        f"{rows}, {new_measure.display_name}" if size else f"total, {new_measure.display_name}"
                    )
    only_totals = comparison.close_cells and all(cell.startswith("total") for cell in comparison.close_cells)
    if keys and only_totals and not comparison.equal:
        comparison.exact = False  # only the totals are close: the group of the few subjects stays unknown
    if not keys and new.grid.rows > 1:
        comparison.exact = False
    return comparison


def _comparable_measures(
    new_measures: Sequence[Measure], old_measures: Sequence[Measure]
) -> Iterator[tuple[Measure, Measure, bool]]:
    """Pairs of measures to compare, and whether they certainly measure the same: by name, or as renamed counts."""
    for new_measure in new_measures:
        for old_measure in old_measures:
            both_count = new_measure.counts_subjects and old_measure.counts_subjects
            either_derived = new_measure.derived or old_measure.derived
            unnamed = not _has_namesake(new_measure, old_measure, new_measures, old_measures)
            if new_measure.name == old_measure.name or (both_count and unnamed):
                yield new_measure, old_measure, True
            elif either_derived or unnamed:
                yield new_measure, old_measure, False


def _has_namesake(
    new_measure: Measure, old_measure: Measure, new_measures: Sequence[Measure], old_measures: Sequence[Measure]
) -> bool:
    """True when either has a namesake in the other table, so that these two measure different things."""
    return any(new_measure.name == each.name for each in old_measures) or any(
        old_measure.name == each.name for each in new_measures
    )


def _match_without_keys(
    new_measures: Sequence[Measure],
    old_measures: Sequence[Measure],
    new: LocatedTable,
    old: LocatedTable,
    t: Thresholds,
) -> Iterator[Issue]:
    """Compare tables whose keys are named differently: most numbers are equal, and the rest differ by a few."""
    for new_measure in new_measures:
        for old_measure in old_measures:
            new_values, old_values = new_measure.whole_numbers(), old_measure.whole_numbers()
            equal = _common_values(new_values, old_values)
            rest = [_remaining_values(new_values, equal), _remaining_values(old_values, equal)]
            if len(equal) < 2 or 2 * len(equal) < max(len(new_values), len(old_values)):
                continue
            close_values = [x for x, y in zip(*rest, strict=False) if 0 < abs(x - y) < t["count_at_least"]]
            if close_values:
                cells = [f"row {new_measure.row_of(value) + 1}, {new_measure.display_name}" for value in close_values]
                exact = not (new_measure.rounded(t["rounding_base"]) or old_measure.rounded(t["rounding_base"]))
                yield _issue(cells, exact, new_measure, old_measure, new, old, t)


def _issue(
    cells: list[str],
    exact: bool,
    new_measure: Measure,
    old_measure: Measure,
    new: LocatedTable,
    old: LocatedTable,
    t: Thresholds,
) -> Issue:
    fix = Text.of("airlock.differencing-fix", table=old.where, base=t["rounding_base"])
    evidence = {
        "this": new.where,
        "against": old.where,
        "columns": [new_measure.display_name, old_measure.display_name],
        "cells": cells[:PLACES_LISTED],
        "how_many": len(cells),
    }
    if exact:
        why = Text.of("airlock.differencing-few", table=old.where, least=t["count_at_least"])
        return fail(why, fix, **evidence)
    why = Text.of("airlock.differencing-close", table=old.where)
    return review(why, fix, **evidence)


def _total_subjects(case: TableCase) -> int:
    """The number of subjects in a table, by its largest count column; 0 without a count column."""
    sums = [
        sum(n for row, n in enumerate(column.numbers) if n is not None and row not in case.totals)
        for column in case.columns_of(ColumnRole.COUNT)
    ]
    return int(max(sums, default=0))


def _common_values(a: list[int], b: list[int]) -> list[int]:
    remaining, shared_keys = list(b), []
    for value in a:
        if value in remaining:
            remaining.remove(value)
            shared_keys.append(value)
    return shared_keys


def _remaining_values(values: list[int], removed: list[int]) -> list[int]:
    remaining = list(values)
    for value in removed:
        remaining.remove(value)
    return sorted(remaining)
