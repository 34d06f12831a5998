"""A table under differential privacy: what one subject gives is bounded, then noise is drawn for groups and values.

The neighbours are all records with and without those of one subject. A subject counts in a few groups, in each with a
few rows, and with a total of a column that the request bounds; the bounds do not look at the data. The groups that
are shown are chosen by their noisy counts. What follows (means, roundings, a limit on the size) is made of noisy
values alone.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from credit.messages import Text
from models.features.sql_scopes import refuse
from models.noise.budget import Loss
from models.noise.mechanism import noisy_counts, noisy_values
from models.tables.cells.contents import Contribution, Floats
from models.tables.cells.of_rows import Cells
from models.tables.policy import TablePolicy
from models.tables.table_sql import REFUSED, Measure, TablePlan, require_bounds_of_columns

OFFERED = ("subjects", "count", "sum", "avg")


@dataclass(frozen=True, slots=True, eq=False)
class NoisyTable:
    """The cells that are shown (C,), and the noisy statistics of these by name."""

    kept: NDArray[np.bool_]
    columns: Mapping[str, list[float | None]]


def loss_of(policy: TablePolicy) -> Loss:
    """What a table costs."""
    return Loss(policy.noise_epsilon, policy.noise_delta)


def require_noise_can_be_added(plan: TablePlan, at_most: Mapping[str, float]) -> None:
    """Raise :class:`Malformed` for a statistic that is not offered with noise, and for a sum without a bound."""
    columns = {each.of for each in plan.measures if each.function in ("sum", "avg")}
    for each in plan.measures:
        if each.function not in OFFERED:
            refuse(Text.of("noise.other-statistic", name=each.name), Text.of("noise.offered"), what=REFUSED)
        if each.of in columns - set(at_most):
            refuse(Text.of("noise.no-bound", column=each.of), Text.of("noise.give-bound", column=each.of), what=REFUSED)
    require_bounds_of_columns(plan, at_most)


def noisy_table(cells: Cells, at_most: Mapping[str, float], policy: TablePolicy, key: bytes) -> NoisyTable:
    """Draw a table; costs :func:`loss_of` whatever it shows. ``at_most`` bounds a subject's total of a column within a
    group, of either sign."""
    entries = _bounded_entries(cells, policy.noise_groups_of_subject, key)
    draws = _Draws(cells, entries, at_most, policy)
    groups = np.bincount(cells.contents.cells[entries], minlength=cells.contents.count)
    counts = noisy_counts(
        {cell: int(count) for cell, count in enumerate(groups) if count},
        epsilon=draws.epsilon,
        delta=policy.noise_delta,
        groups=policy.noise_groups_of_subject,
    )
    kept = np.zeros(cells.contents.count, dtype=np.bool_)
    kept[list(counts)] = True
    units = np.array([counts[cell] for cell in np.flatnonzero(kept).tolist()], dtype=np.float64)
    columns = {each.name: _rounded(draws.statistic(each, kept, units), each, policy) for each in cells.plan.measures}
    return NoisyTable(kept, columns)


class _Draws:
    """The draws of a table, one for each total that its statistics are made of; ``epsilon`` is the share of each."""

    def __init__(
        self, cells: Cells, entries: NDArray[np.bool_], at_most: Mapping[str, float], policy: TablePolicy
    ) -> None:
        self._cells, self._entries, self._at_most, self._policy = cells, entries, at_most, policy
        self._drawn: dict[str, Floats] = {}
        totals = {name for measure in cells.plan.measures for name in self._totals(measure)}
        self.epsilon = policy.noise_epsilon / (1 + len(totals))

    def statistic(self, measure: Measure, kept: NDArray[np.bool_], units: Floats) -> Floats:
        """The noisy values of a statistic in the cells that are kept; ``units`` are their noisy numbers of subjects."""
        drawn = [self._draw(name, total, bound, kept) for name, (total, bound) in self._totals(measure).items()]
        if not drawn:
            return units
        return drawn[0] / np.maximum(drawn[1], 1.0) if measure.function == "avg" else drawn[0]

    def _totals(self, measure: Measure) -> dict[str, tuple[Callable[[], Floats], float]]:
        """The totals of a statistic by name: what each entry gives, and the most that it may give."""
        rows, contributions = float(self._policy.noise_rows_of_subject), self._cells.contents.contributions
        match measure.function:
            case "subjects":
                return {}
            case "count":
                name = f"count_{measure.column}" if measure.column else "count"
                return {f"numbers {measure.column}": (lambda: contributions[name].values, rows)}
            case "sum":
                bound = self._at_most[measure.of]
                return {f"sums {measure.column}": (lambda: contributions[f"sum_{measure.column}"].values, bound)}
        mean, bound = f"mean_{measure.column}", self._at_most[measure.of]
        return {
            f"sums {measure.column}": (lambda: contributions[mean].values, bound),
            f"numbers {measure.column}": (lambda: _weights(contributions[mean]), rows),
        }

    def _draw(self, name: str, total: Callable[[], Floats], bound: float, kept: NDArray[np.bool_]) -> Floats:
        if name not in self._drawn:
            given = np.clip(total()[self._entries], -bound, bound)
            exact = np.bincount(self._cells.contents.cells[self._entries], weights=given, minlength=len(kept))
            groups = self._policy.noise_groups_of_subject
            self._drawn[name] = noisy_values(
                exact[kept].astype(np.float64), epsilon=self.epsilon, groups=groups, bound=bound
            )
        return self._drawn[name]


def _bounded_entries(cells: Cells, groups: int, key: bytes) -> NDArray[np.bool_]:
    """Which entries (E,) count: of each subject those of at most ``groups`` groups. Which ones, a key decides by the
    subject and the group's label alone, so that no subject has a say in another's."""
    contents = cells.contents
    labels = np.array(
        [int.from_bytes(hmac.digest(key, repr(label).encode(), "sha256")[:8]) for label in cells.labels],
        dtype=np.uint64,
    )
    with np.errstate(over="ignore"):
        mixed = (contents.units[contents.members] ^ labels[contents.cells]) * np.uint64(0x9E3779B97F4A7C15)
    order = np.lexsort((mixed, contents.members))
    members = contents.members[order]
    first = np.searchsorted(members, members)  # where this subject's entries begin
    counted = np.zeros(len(order), dtype=np.bool_)
    counted[order] = np.arange(len(order)) - first < groups
    return counted


def _weights(contribution: Contribution) -> Floats:
    assert contribution.weights is not None
    return contribution.weights


def _rounded(values: Floats, measure: Measure, policy: TablePolicy) -> list[float | None]:
    if measure.is_count:
        return [float(max(0, round(value))) for value in values.tolist()]
    return [float(f"{value:.{policy.digits}g}") for value in values.tolist()]
