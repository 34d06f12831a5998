"""The grade of rows follows from the smallest group and from what an attack reached, and the verdict prints it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rows.attack.answers import AttackFigures
from models.rows.attack.deidentification import ACCEPTABLE, RISKY, deidentification


def figures(guess_right: float) -> AttackFigures:
    return AttackFigures(targets=100, alone=0.0, in_five=0.0, guess_right=guess_right)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=30), st.floats(0.02, 1.0))
def test_one_group_that_is_too_small_decides(sizes: list[int], at_most: float) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    result = deidentification(groups, [], at_most=at_most)
    assert result.grade == (ACCEPTABLE if 1 / min(sizes) <= at_most else RISKY)
    assert result.largest == pytest.approx(1 / min(sizes))
    assert result.mean == pytest.approx(len(sizes) / sum(sizes))
    small = sum(size for size in sizes if 1 / size > at_most)
    assert result.above == pytest.approx(small / sum(sizes))


def test_an_attack_that_guesses_more_often_than_the_groups_promise_decides_too() -> None:
    groups = np.repeat(np.arange(4), 10)
    assert deidentification(groups, [figures(0.1)], at_most=0.2).grade == ACCEPTABLE
    assert deidentification(groups, [figures(0.1), figures(0.3)], at_most=0.2).grade == RISKY


def test_no_rows_are_no_proof() -> None:
    assert deidentification(np.zeros(0), [], at_most=0.2).grade == RISKY
