"""Whatever passes isolates no subject: no pair, union or chain of three has 1 to k - 1 units; all are tried."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.tables.cells.contents import CellContents, Contribution
from models.tables.differencing.isolation import EarlierUnits
from models.tables.differencing.suppression import published
from models.tables.policy import TablePolicy, load_table_policy
from tests.models.tables.made_contents import contents_of

K = 3
UNITS = 14
POLICY = TablePolicy(**{**load_table_policy().thresholds, "units_at_least": K})  # type: ignore[arg-type]
assignments = st.lists(st.integers(-1, 3), min_size=UNITS, max_size=UNITS)
tables = st.lists(assignments, min_size=1, max_size=4)


def vectors(table: CellContents) -> list[np.ndarray]:
    """What each cell counts, unit by unit."""
    made = []
    for cell in range(table.count):
        vector = np.zeros(UNITS)
        chosen = table.cells == cell
        vector[table.units[table.members[chosen]].astype(int)] = table.contributions["count"].values[chosen]
        made.append(vector)
    return made


def released(wanted: list[list[int]]) -> list[CellContents]:
    """The tables as they are published one after another for the same project."""
    given: list[CellContents] = []
    for cells in wanted:
        whole = contents_of({unit: cell for unit, cell in enumerate(cells) if cell >= 0})
        shown = published(whole, EarlierUnits(given, whole), POLICY, lambda done, total: None)
        if shown.count:
            given.append(whole.where(shown.kept))
    return given


def least_isolated(given: list[CellContents]) -> list[int]:
    """The sizes from 1 to k - 1 of what can be had, over all pairs, unions and chains of three."""
    atoms = [vector for table in given for vector in vectors(table)]
    wholes = [sum(vectors(table), np.zeros(UNITS)) for table in given]
    unions = [
        sum(chosen, np.zeros(UNITS))
        for table in given
        for size in range(1, table.count + 1)
        for chosen in combinations(vectors(table), size)
    ]
    single = atoms + wholes
    differences = [first - second for first in single for second in single + unions]
    differences += [first - second - third for first in single for second, third in combinations(single, 2)]
    sizes = [int(np.count_nonzero(each)) for each in differences]
    return sorted(size for size in sizes if 0 < size < K)


@settings(max_examples=250, deadline=None)
@given(tables)
def test_what_passes_isolates_no_subject(wanted: list[list[int]]) -> None:
    assert least_isolated(released(wanted)) == []


@settings(max_examples=60, deadline=None)
@given(assignments, st.integers(0, UNITS - 1))
def test_a_table_without_one_subject_never_follows_the_whole(cells: list[int], left_out: int) -> None:
    without = [cell if unit != left_out else -1 for unit, cell in enumerate(cells)]
    assert least_isolated(released([cells, without])) == []


@settings(max_examples=60, deadline=None)
@given(assignments)
def test_the_same_table_again_is_given_again(cells: list[int]) -> None:
    once = released([cells])
    assert len(released([cells, cells])) == 2 * len(once)


def test_a_brute_force_that_finds_nothing_would_prove_nothing() -> None:
    first = contents_of(dict.fromkeys(range(8), 0))
    second = contents_of(dict.fromkeys(range(7), 0))
    assert least_isolated([first, second])


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_contributions_count_and_not_only_units(scale: float) -> None:
    whole = contents_of({unit: unit % 2 for unit in range(12)})
    values = np.arange(12, dtype=float) + 5
    fines = CellContents(whole.units, whole.cells, whole.members, {"sum_fine": Contribution(values)}, 2)
    changed = values * scale
    changed[3] += 1
    other = CellContents(whole.units, whole.cells, whole.members, {"sum_other": Contribution(changed)}, 2)
    shown = published(other, EarlierUnits([fines], other), POLICY, lambda done, total: None)
    assert shown.kept.tolist() == [False, True]


def test_a_mean_does_not_follow_the_sum_of_a_few_units_more() -> None:
    values = np.array([0.0] * 6 + [2.0, 3.0, 5.0, 7.0, 11.0, 13.0])
    whole = contents_of(dict.fromkeys(range(12), 0))
    total = CellContents(whole.units, whole.cells, whole.members, {"sum_fine": Contribution(values)}, 1)
    fewer = np.where(np.arange(12) == 11, 0.0, values)
    weights = np.where(np.arange(12) == 11, 0.0, 1.0)
    mean = CellContents(whole.units, whole.cells, whole.members, {"mean_fine": Contribution(fewer, weights)}, 1)
    assert published(mean, EarlierUnits([], mean), POLICY, lambda done, total: None).count == 1
    assert published(mean, EarlierUnits([total], mean), POLICY, lambda done, total: None).count == 0
