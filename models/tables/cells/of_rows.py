"""Rows into cells: the groups of a table, what each unit contributes to each, and the value of each statistic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.tables.cells.contents import CellContents, Contribution, Floats
from models.tables.cells.read_rows import TableRows
from models.tables.cells.rounding import KeyedRounding, fingerprint
from models.tables.cells.unit_numbers import numbered_units
from models.tables.table_sql import Measure, TablePlan


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The C cells of a table: their labels, their contents, and the rows of each in the order of the cells."""

    plan: TablePlan
    labels: list[tuple[str | None, ...]]
    contents: CellContents
    rows: TableRows
    cell_of_row: NDArray[np.int64]


def cells_of(plan: TablePlan, rows: TableRows, key: bytes) -> Cells:
    """The cells that these rows fall into, ordered by their labels; ``key`` makes unit numbers of pseudonyms."""
    columns = list(rows.groups.values())
    numbers: dict[tuple[str | None, ...], int] = {}
    labels = list(zip(*columns, strict=True)) if columns else [()] * len(rows)
    for label in sorted(set(labels), key=_order):
        numbers[label] = len(numbers)
    cell_of_row = np.array([numbers[label] for label in labels], dtype=np.int64)
    units, unit_of_row = numbered_units(rows.subjects, key)
    entries, place = np.unique(cell_of_row * max(1, len(units)) + unit_of_row, return_inverse=True)
    cells, members = np.divmod(entries, max(1, len(units)))
    contributions = _contributions(plan.measures, rows, place, len(entries))
    contents = CellContents(units, cells, members, contributions, len(numbers))
    return Cells(plan, list(numbers), contents, rows, cell_of_row)


def values_of(cells: Cells, kept: NDArray[np.bool_], rounding: KeyedRounding) -> dict[str, list[float | None]]:
    """Each statistic of the cells that are kept, rounded by the key; None where a cell has no value of the column."""
    made: dict[str, list[float | None]] = {}
    for measure in cells.plan.measures:
        own: list[float | None] = []
        for cell in np.flatnonzero(kept):
            value = _statistic(measure, cells, int(cell))
            provenance = _fingerprint(measure, cells.contents, int(cell))
            own.append(None if value is None else rounding.rounded(value, provenance, is_count=measure.is_count))
        made[measure.name] = own
    return made


def quantiles_by_too_few(cells: Cells, least: int) -> NDArray[np.bool_]:
    """The cells (C,) in which fewer than ``least`` units lie on one side of a quantile of the request."""
    broken = np.zeros(cells.contents.count, dtype=np.bool_)
    for measure in cells.plan.measures:
        if measure.function in ("median", "quantile"):
            weights = _mean(cells.contents, measure).weights
            assert weights is not None
            units = np.bincount(cells.contents.cells, weights=weights > 0, minlength=cells.contents.count)
            broken |= (units > 0) & (units * min(measure.share, 1 - measure.share) < least)
    return broken


def _contributions(
    measures: Iterable[Measure], rows: TableRows, place: NDArray[np.int64], count: int
) -> dict[str, Contribution]:
    """What the requested statistics give away, unit by unit."""

    def added(values: Floats) -> Floats:
        return np.bincount(place, weights=values, minlength=count).astype(np.float64)

    made: dict[str, Contribution] = {}
    for each in measures:
        if each.function == "subjects":
            made["subjects"] = Contribution(np.ones(count))
            continue
        if not each.column:
            made["count"] = Contribution(added(np.ones(len(rows))))
            continue
        values = rows.values[each.column]
        known = np.nan_to_num(values)
        numbers = added(np.isfinite(values).astype(np.float64))
        if each.function == "count":
            made[f"count_{each.column}"] = Contribution(numbers)
        elif each.function == "sum":
            made[f"sum_{each.column}"] = Contribution(added(known))
        else:
            made[f"mean_{each.column}"] = Contribution(added(known), numbers)
            if each.function.startswith(("variance", "stddev")):
                made[f"squares_{each.column}"] = Contribution(added(known**2), numbers)
    for name in [name.removeprefix("sum_") for name in made if name.startswith("sum_")]:
        if (mean := made.get(f"mean_{name}")) is not None and mean.weights is not None:
            made.setdefault(f"count_{name}", Contribution(mean.weights))  # a sum and a mean give the number
    return made


def _statistic(measure: Measure, cells: Cells, cell: int) -> float | None:
    own = cells.cell_of_row == cell
    if measure.function == "subjects":
        return float(cells.contents.sizes[cell])
    if not measure.column:
        return float(own.sum())
    values = cells.rows.values[measure.column][own]
    values = np.sort(values[np.isfinite(values)])  # one order, so one sum
    if measure.function == "count":
        return float(len(values))
    sample = measure.function in ("variance", "stddev")
    if len(values) < (2 if sample else 1):
        return None
    match measure.function:
        case "sum":
            return float(values.sum())
        case "avg":
            return float(values.mean())
        case "median" | "quantile":
            return float(np.quantile(values, measure.share))
        case "variance" | "variance_pop":
            return float(values.var(ddof=int(sample)))
        case _:
            return float(values.std(ddof=int(sample)))


def _fingerprint(measure: Measure, contents: CellContents, cell: int) -> bytes:
    own = contents.cells == cell
    name = _CONTRIBUTION.get(measure.function, "mean")
    each = contents.contributions[f"{name}_{measure.column}" if measure.column else name]
    present = each.present[own]
    values = each.values[own] if each.weights is None else np.stack([each.values[own], each.weights[own]], axis=1)
    kind = f"{measure.function} {measure.share:g}"
    return fingerprint(kind, contents.units[contents.members[own]][present], values[present])


_CONTRIBUTION = {"count": "count", "subjects": "subjects", "sum": "sum"}


def _mean(contents: CellContents, measure: Measure) -> Contribution:
    return contents.contributions[f"mean_{measure.column}"]


def _order(label: tuple[str | None, ...]) -> tuple[tuple[bool, str], ...]:
    return tuple((text is not None, text or "") for text in label)
