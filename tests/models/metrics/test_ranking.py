"""Figures of ranking are what their papers say on cases that can be reckoned by hand, and bounded on all others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from models.metrics import segments
from models.metrics.ranking import h_measure, lift, partial_auc

PERFECT = (np.array([0, 0, 0, 1]), np.array([0.1, 0.2, 0.3, 0.9]))
CHANCE = (np.array([0, 1, 0, 1]), np.zeros(4))


def test_a_perfect_ranking_is_one_and_chance_is_nothing() -> None:
    assert partial_auc(*PERFECT) == pytest.approx(1)
    assert h_measure(*PERFECT) == pytest.approx(1)
    assert partial_auc(*CHANCE) == pytest.approx(0.5)
    assert h_measure(*CHANCE) == pytest.approx(0, abs=1e-9)
    assert lift(*CHANCE) == pytest.approx(1)
    assert lift(PERFECT[0], PERFECT[1], 0.25) == pytest.approx(4)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 300), st.floats(0, 2))
def test_partial_area_is_that_of_scikit_learn(seed: int, rows: int, strength: float) -> None:
    random = np.random.default_rng(seed)
    labels = np.r_[0, 1, random.integers(0, 2, rows)]
    scores = np.round(random.normal(size=rows + 2) + strength * labels, 1)
    assert partial_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores, max_fpr=0.2))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 300), st.floats(0, 3))
def test_the_h_measure_is_the_least_cost_over_thresholds(seed: int, rows: int, strength: float) -> None:
    random = np.random.default_rng(seed)
    labels = np.r_[0, 1, random.integers(0, 2, rows)]
    scores = np.round(random.normal(size=rows + 2) + strength * labels, 1)
    measured = h_measure(labels, scores)
    assert -1e-9 <= measured <= 1
    share, cost = labels.mean(), np.linspace(0.0005, 0.9995, 1000)
    cuts = [-np.inf, *np.unique(scores)]
    paid = [
        cost * (1 - share) * np.mean(scores[labels == 0] > cut)
        + (1 - cost) * share * np.mean(scores[labels == 1] <= cut)
        for cut in cuts
    ]
    constant = np.minimum(cost * (1 - share), (1 - cost) * share)
    weight = cost * (1 - cost)
    assert measured == pytest.approx(1 - np.sum(np.min(paid, axis=0) * weight) / np.sum(constant * weight), abs=2e-3)


def test_segments_add_up_and_a_group_scored_wrongly_is_visible() -> None:
    random = np.random.default_rng(2)
    rows = 6000
    probability = random.uniform(0.02, 0.3, rows)
    group = random.choice(["a", "b", "c"], rows, p=[0.6, 0.39, 0.01])
    truth = np.where(group == "b", probability * 2, probability)
    labels = (random.random(rows) < truth).astype(int)
    measured = segments.measure(labels, probability, probability, {"district": group.tolist()})["district"]
    assert set(measured) == {"a", "b", "others"}
    assert sum(each["rows"] for each in measured.values()) == rows
    assert sum(each["positives"] for each in measured.values()) == labels.sum()
    assert measured["a"]["ratio_low"] < 1 < measured["a"]["ratio_high"]
    assert measured["b"]["ratio_low"] > 1.5


def test_the_interval_of_a_ratio_is_the_exact_one_nearly() -> None:
    labels = np.r_[np.ones(10), np.zeros(990)]
    measured = segments.measure(labels, np.full(1000, 0.01), np.arange(1000.0), {"kind": ["x"] * 1000})["kind"]["x"]
    assert measured["ratio_low"] == pytest.approx(0.4795, rel=0.02)  # Poisson, exact: 4.795 and 18.39 for 10
    assert measured["ratio_high"] == pytest.approx(1.839, rel=0.02)
