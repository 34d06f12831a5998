"""Columns that are another one at another scale (缩放的列): per mille, per cent, times seven and three more.

Rows are matched by their keys, or by their order where the keys have other names. Where most rows of two columns lie on
one line and a few do not, those differ in what the rest has in common: a few subjects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from credit.messages import Text
from lab.airlock.checks.column_roles import ColumnRole
from lab.airlock.checks.differencing import LocatedTable
from lab.airlock.checks.measures import Measure
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.checks.table_alignment import aligned_keys, normalized
from lab.airlock.grid import GridColumn
from lab.airlock.issue import PLACES_LISTED, Issue, fail, review
from lab.airlock.thresholds import Thresholds

COLUMNS, ROWS_OF_LINES, ROWS_AT_LEAST = 12, 10, 4
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class ScaledPair:
    """Two columns on one line except for some rows: the places of these, and by how many subjects each differs there.

    ``subjects`` is None where neither column counts subjects; ``certain`` says that the line is no chance.
    """

    rows: list[int]
    subjects: list[float] | None
    certain: bool


def scaled_columns(new: LocatedTable, old: LocatedTable, t: Thresholds) -> Iterator[Issue]:
    """Report columns of which most rows lie on one line and some do not, by the keys of the rows or by their order."""
    for rows in _matchings(new.case, old.case):
        issues = list(_issues(new, old, rows, t)) if len(rows) >= ROWS_AT_LEAST else []
        if issues:
            yield from issues
            return


def _issues(new: LocatedTable, old: LocatedTable, rows: list[tuple[int, int]], t: Thresholds) -> Iterator[Issue]:
    least = t["count_at_least"]
    for own in _numbers(new.case):
        for theirs in _numbers(old.case):
            pair = _on_a_line(own, theirs, rows, new.case, old.case)
            if pair is None:
                continue
            rounded = any(Measure.of_column(each).rounded(t["rounding_base"]) for each in (own, theirs) if each.whole)
            few = pair.subjects is not None and any(0.5 <= each < least - 0.5 for each in pair.subjects)
            certain = pair.certain and few and not rounded
            why = Text.of("airlock.differencing-few", table=old.where, least=least) if certain else Text.of(
                "airlock.differencing-scaled", table=old.where
            )  # fmt: skip
            yield (fail if certain else review)(
                why, Text.of("airlock.differencing-fix", table=old.where, base=t["rounding_base"]),
                this=new.where, against=old.where, columns=[own.display_name, theirs.display_name],
                cells=[f"row {row + 1}, {own.display_name}" for row in pair.rows[:PLACES_LISTED]],
                how_many=len(pair.rows),
            )  # fmt: skip


def _matchings(new: TableCase, old: TableCase) -> Iterator[list[tuple[int, int]]]:
    """Rows of both tables with the same keys, each once; then rows by their order, in tables of one length."""
    keys = list(aligned_keys(new, old))
    places = [_unique(case, [pair[n] for pair in keys]) for n, case in enumerate((new, old))]
    yield [(row, places[1][key]) for key, row in places[0].items() if key in places[1]]
    if new.grid.rows == old.grid.rows:
        yield [(row, row) for row in range(new.grid.rows)]


def _unique(case: TableCase, keys: Sequence[GridColumn]) -> dict[tuple[str, ...], int]:
    rows: dict[tuple[str, ...], list[int]] = {}
    for row in range(case.grid.rows):
        if row not in case.totals:
            rows.setdefault(tuple(normalized(column.texts[row]) for column in keys), []).append(row)
    return {key: each[0] for key, each in rows.items() if len(each) == 1}


def _numbers(case: TableCase) -> list[GridColumn]:
    columns = [each for each in case.grid.columns if each.numeric and case.roles[each.number] is not ColumnRole.KEY]
    return columns[:COLUMNS]


def _on_a_line(
    own: GridColumn, theirs: GridColumn, rows: list[tuple[int, int]], new: TableCase, old: TableCase
) -> ScaledPair | None:
    values = [(row, own.numbers[row], theirs.numbers[other]) for row, other in rows]
    known = [(row, u, v) for row, u, v in values if u is not None and v is not None]
    if len(known) < ROWS_AT_LEAST:
        return None
    u, v = (np.array([each[n] for each in known], dtype=np.float64) for n in (1, 2))
    best = _best_line(u, v, 0.5 * 10.0**-own.decimals, 0.5 * 10.0**-theirs.decimals)
    if best is None:
        return None
    slope, shift, on_it = best
    points = len({(a, b) for a, b in zip(u[on_it], v[on_it], strict=True)})
    if on_it.all() or points < 3 or 2 * int(on_it.sum()) < len(known):
        return None
    off = np.flatnonzero(~on_it)
    subjects: list[float] | None = None
    if old.roles[theirs.number] is ColumnRole.COUNT:
        subjects = np.abs(v - slope * u - shift)[off].tolist()
    elif new.roles[own.number] is ColumnRole.COUNT:
        subjects = np.abs(u - (v - shift) / slope)[off].tolist()
    certain = points >= ROWS_AT_LEAST and 3 * int(on_it.sum()) >= 2 * len(known)
    return ScaledPair([known[int(place)][0] for place in off], subjects, certain)


def _best_line(u: Vector, v: Vector, half_u: float, half_v: float) -> tuple[float, float, NDArray[np.bool_]] | None:
    """Slope and shift of the line through two of the first rows on which most rows lie, and which rows those are."""
    best: tuple[float, float, NDArray[np.bool_]] | None = None
    for i, j in combinations(range(min(len(u), ROWS_OF_LINES)), 2):
        if u[i] == u[j] or v[i] == v[j]:
            continue
        slope = float((v[i] - v[j]) / (u[i] - u[j]))
        shift = float(v[i] - slope * u[i])
        far = np.maximum(np.abs(u - u[i]), np.abs(u - u[j])) / abs(u[i] - u[j])
        slack = (half_v + abs(slope) * half_u) * (1 + far) if half_u < 0.5 or half_v < 0.5 else 1e-6 * (1 + np.abs(v))
        on_it: NDArray[np.bool_] = np.abs(v - slope * u - shift) <= slack
        if best is None or on_it.sum() > best[2].sum():
            best = slope, shift, on_it
    return best
