"""The noise hides one unit: no distinguisher does better than the loss allows, and no unit's presence shows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.noise.mechanism import noisy_counts, noisy_values

TRIES = 4000
LUCK = 6.0  # standard deviations: a distinguisher passes by chance once in 10^9 runs


@pytest.mark.attack
@pytest.mark.parametrize("epsilon", [0.5, 1.0, 3.0])
def test_no_threshold_separates_values_with_and_without_one_unit_beyond_the_loss(epsilon: float) -> None:
    with_unit = noisy_values(np.full(TRIES, 10.0), epsilon=epsilon, groups=1, bound=10.0)
    without = noisy_values(np.zeros(TRIES), epsilon=epsilon, groups=1, bound=10.0)
    for cut in np.linspace(0, 10, 21):  # between the two values, where both are seen often enough to compare
        for one, other in ((with_unit > cut, without > cut), (with_unit <= cut, without <= cut)):
            p, q = float(one.mean()), float(other.mean())
            error = math.sqrt((p * (1 - p) + math.exp(2 * epsilon) * q * (1 - q)) / TRIES)
            assert p <= math.exp(epsilon) * q + LUCK * error + 1 / TRIES


@pytest.mark.attack
def test_a_group_of_one_unit_is_not_shown() -> None:
    shown = [0 in noisy_counts({0: 1, 1: 500}, epsilon=1.0, delta=1e-7, groups=1) for _ in range(TRIES)]
    assert sum(shown) == 0  # each is shown with a probability below 1e-7


def test_large_groups_are_shown_nearly_as_they_are() -> None:
    drawn = noisy_counts({0: 1000, 7: 2000}, epsilon=1.0, delta=1e-7, groups=2)
    assert set(drawn) == {0, 7}
    assert abs(drawn[0] - 1000) < 100
    assert abs(drawn[7] - 2000) < 100


def test_more_groups_of_a_subject_and_a_smaller_loss_mean_more_noise() -> None:
    def spread(epsilon: float, groups: int) -> float:
        return float(np.std(noisy_values(np.zeros(TRIES), epsilon=epsilon, groups=groups, bound=5.0)))

    assert spread(1.0, 1) == pytest.approx(5 * math.sqrt(2), rel=0.2)
    assert spread(0.5, 1) == pytest.approx(10 * math.sqrt(2), rel=0.2)
    assert spread(1.0, 4) == pytest.approx(20 * math.sqrt(2), rel=0.2)
