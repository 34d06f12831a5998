"""No part of the evidence describes few subjects, or few of either outcome, and nothing is lost by merging."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.metrics import calibration
from models.privacy.floors import load_floors
from models.privacy.merged_parts import OTHERS, is_large_enough, merge_counts, merge_groups, merge_neighbours
from models.training.fit import VersionContent
from models.validation.evidence import roc_steps

FLOORS = load_floors()
SIZES = st.integers(1, 600)


def drawn(seed: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ordered parts, labels of a rate that is itself random, the subjects of rows, and scores."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=n)
    labels = (random.random(n) < random.choice([0.01, 0.1, 0.6])).astype(np.int8)
    units = random.integers(0, max(1, n // 3), size=n)
    return random.integers(0, 30, size=n), labels, units, scores


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), SIZES)
def test_merged_parts_keep_their_order_and_are_large_enough_or_alone(seed: int, n: int) -> None:
    parts, labels, units, _ = drawn(seed, n)
    merged = merge_neighbours(parts, labels, units, FLOORS)
    for part in np.unique(merged):
        inside = merged == part
        assert len(np.unique(merged)) == 1 or is_large_enough(labels[inside], units[inside], FLOORS)
    order = np.argsort(parts, kind="stable")
    assert (np.diff(merged[order]) >= 0).all()
    assert set(merged.tolist()) == set(range(int(merged.max()) + 1))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), SIZES)
def test_groups_that_are_too_small_are_others(seed: int, n: int) -> None:
    parts, labels, units, _ = drawn(seed, n)
    groups = {"district": np.array([f"d{part % 7}" for part in parts], dtype=np.str_)}
    merged = merge_groups(groups, labels, units, FLOORS)["district"]
    names = np.unique(merged)
    for name in names:
        inside = merged == name
        assert len(names) == 1 or is_large_enough(labels[inside], units[inside], FLOORS)
    kept = merged != OTHERS
    assert (merged[kept] == groups["district"][kept]).all()


@given(st.lists(st.integers(0, 40), min_size=1, max_size=51))
def test_counts_are_none_or_many_and_their_sum_is_kept(counts: list[int]) -> None:
    merged = merge_counts(np.array(counts), 20)
    assert sum(merged) == sum(counts)
    assert sum(counts) < 20 or all(count == 0 or count >= 20 for count in merged)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(50, 600))
def test_a_step_of_the_curve_has_enough_of_either_outcome(seed: int, n: int) -> None:
    _, labels, units, scores = drawn(seed, n)
    curve = np.array(roc_steps(labels, scores, units, FLOORS))
    assert curve[0].tolist() == [0.0, 0.0]
    steps = np.diff(curve, axis=0) * [max(1, (labels == 0).sum()), max(1, (labels == 1).sum())]
    assert len(curve) <= 100
    assert len(steps) == 1 or (steps.round() >= FLOORS.evidence_defaulted).all()


def test_the_evidence_of_a_version_has_no_small_part(fitted: VersionContent) -> None:
    evidence = fitted.evidence
    for part in evidence["calibration"]["bins"]:
        bad = round(part["observed"] * part["rows"])
        assert FLOORS.evidence_defaulted <= bad <= part["rows"] - FLOORS.evidence_defaulted
    for groups in evidence["segments"].values():
        assert len(groups) == 1 or all(each["positives"] >= FLOORS.evidence_defaulted for each in groups.values())
    for grade in evidence["grades"].values():
        assert (grade["observed"] is None) == (grade["rows"] == 0)
    counts = [each["observed"] * each["rows"] for each in evidence["calibration"]["bins"]]
    counts += [each["positives"] for groups in evidence["segments"].values() for each in groups.values()]
    assert all(abs(count / FLOORS.evidence_base - round(count / FLOORS.evidence_base)) < 0.01 for count in counts)
    assert evidence["leaves"]["smallest"] >= FLOORS.leaf_subjects
    assert evidence["membership"]["shadows"] >= 16


def test_equal_parts_are_equal() -> None:
    parts = calibration.equal_parts(np.random.default_rng(1).random(101))
    assert sorted(np.bincount(parts).tolist()) == [10] * 9 + [11]
