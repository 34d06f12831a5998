"""The tests over tables give what their papers give, and say nothing of ways that are alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.quality.pictures import cliques
from bench.quality.ranks import corrected, ranks, signed_rank

# Demšar 2006, table 6: AUC of C4.5, and of it with m, cf and both tuned, on 14 data sets.
DEMSAR = [
    (0.763, 0.768, 0.771, 0.798), (0.599, 0.591, 0.590, 0.569), (0.954, 0.971, 0.968, 0.967),
    (0.628, 0.661, 0.654, 0.657), (0.882, 0.888, 0.886, 0.898), (0.936, 0.931, 0.916, 0.931),
    (0.661, 0.668, 0.609, 0.685), (0.583, 0.583, 0.563, 0.625), (0.775, 0.838, 0.866, 0.875),
    (1.000, 1.000, 1.000, 1.000), (0.940, 0.962, 0.965, 0.962), (0.619, 0.666, 0.614, 0.669),
    (0.972, 0.981, 0.9751, 0.975), (0.957, 0.978, 0.946, 0.970),
]  # fmt: skip


def test_ranks_and_critical_difference_are_those_of_the_paper() -> None:
    ranking = ranks(np.array(DEMSAR))
    assert ranking.mean == pytest.approx((3.143, 2.000, 2.893, 1.964), abs=1e-3)
    assert ranking.critical == pytest.approx(1.25, abs=0.01)
    # The paper's chi-squared of 9.28 (p = .0258) leaves the ties out of account, which make it somewhat larger.
    assert 0.01 < ranking.p_value < 0.0258
    order = sorted(ranking.mean)
    assert cliques(order, ranking.critical) == [(order[0], order[-1])], "all four lie within the critical difference"


@settings(max_examples=30)  # each draws fifty thousand weights, twice
@given(st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=12))
def test_the_posterior_is_whole_and_turns_with_the_sides(differences: list[float]) -> None:
    here, there = signed_rank(np.array(differences)), signed_rank(-np.array(differences))
    assert here.worse + here.same + here.better == pytest.approx(1)
    assert here.better == pytest.approx(there.worse, abs=0.02)


def test_clear_differences_are_believed_and_small_ones_are_the_same() -> None:
    assert signed_rank(np.full(10, 0.05)).better > 0.99
    assert signed_rank(np.full(10, -0.05)).worse > 0.99
    assert signed_rank(np.full(10, 0.002)).same > 0.99


def test_folds_that_share_their_rows_give_a_wider_interval() -> None:
    """Nadeau and Bengio: five folds in ten repeats are not fifty trials; the variance stays above a quarter."""
    values = np.random.default_rng(1).normal(0.8, 0.02, 50)
    mean, low, high = corrected(values, train=80, test=20)
    naive = 1.96 * values.std(ddof=1) / np.sqrt(50)
    assert mean == pytest.approx(values.mean())
    assert (high - low) / 2 > 3 * naive
