"""The proof of directions finds every breach that scoring shows, and passes what LightGBM grew under constraints."""

from __future__ import annotations

import numpy as np
import pytest

from models.boosting.booster import model_text_of, train_booster
from models.boosting.recipe import Recipe
from models.dataset.sample import Sample
from models.scoring.trees.model_text import read
from models.scoring.trees.monotone_proof import leaf_boxes, monotone_violations
from tests.models import invented


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    """Three features with a hump in each, so that an unconstrained model goes against any direction."""
    random = np.random.default_rng(0)
    features = random.normal(size=(4000, 3))
    features[random.random(features.shape) < 0.1] = np.nan
    humps = np.sin(2 * np.nan_to_num(features)).sum(axis=1) + np.nan_to_num(features[:, 0] * features[:, 1])
    return features, (humps + random.normal(size=4000) > 0).astype(np.int8)


@pytest.mark.parametrize("leaves", [4, 15, 31])
def test_what_was_grown_monotone_is_proved(rows: tuple[np.ndarray, np.ndarray], leaves: int) -> None:
    names, directions = ("a", "b", "c"), (1, -1, 0)
    text = model_text_of(train_booster(*rows, names, directions, Recipe(leaves, 0.1, 60, 20, 1)))
    assert monotone_violations(read(text, names), directions) == []


def test_missing_values_in_counts_do_not_break_the_direction() -> None:
    """LightGBM's intermediate method breaks on rows like these: small counts, one often missing at a middling risk."""
    names, directions = tuple("abcdefgh"), (1, 1, -1, 1, 1, -1, 1, 1)
    for seed in range(5):
        random = np.random.default_rng(seed)
        features = random.poisson(0.4, size=(8000, 8)).astype(np.float64)
        missing = random.random(8000) < 0.4
        risk = features @ np.array([0.5, 0.4, -0.5, 0.3, 0.4, -0.3, 0.6, 0.8])
        risk -= np.where(missing, 0.8 * features[:, 7] - 1, 0)
        features[missing, 7] = np.nan
        labels = (risk + random.logistic(size=8000) > 3).astype(np.int8)
        text = model_text_of(train_booster(features, labels, names, directions, Recipe(15, 0.08, 100, 40, 7)))
        assert monotone_violations(read(text, names), directions) == []


def test_a_breach_is_detected_where_scores_show_it(rows: tuple[np.ndarray, np.ndarray]) -> None:
    names, free = ("a", "b", "c"), (0, 0, 0)
    text = model_text_of(train_booster(*rows, names, free, Recipe(8, 0.1, 20, 20, 1)))
    forest = read(text, names)
    assert monotone_violations(forest, free) == []
    violations = monotone_violations(forest, (1, 0, 0))
    assert violations
    assert {name for _, name in violations} == {"a"}
    for number in {tree for tree, _ in violations}:  # a point, and the same with a larger `a`, scored lower
        tree = forest.trees[number]
        space = leaf_boxes(tree, 3)
        grid = np.linspace(-4, 4, 200)
        probes = np.random.default_rng(2).normal(size=(200, 3)) * 2
        drops = 0
        for probe in probes:
            line = np.tile(probe, (200, 1))
            line[:, 0] = grid
            inside = (line[:, None] > space.low[None]) & (line[:, None] <= space.high[None])
            value = tree.leaf_value[inside.all(axis=2).argmax(axis=1)]
            drops += bool(np.any(np.diff(value) < 0))
        assert drops


def test_the_boxes_of_a_tree_part_the_space(rows: tuple[np.ndarray, np.ndarray]) -> None:
    names = ("a", "b", "c")
    forest = read(model_text_of(train_booster(*rows, names, (0, 0, 0), Recipe(15, 0.1, 5, 20, 1))), names)
    points = rows[0][:500]
    for tree in forest.trees:
        space = leaf_boxes(tree, 3)
        known = (points[:, None] > space.low[None]) & (points[:, None] <= space.high[None])
        inside = np.where(np.isnan(points)[:, None], space.missing[None], known).all(axis=2)
        assert (inside.sum(axis=1) == 1).all()


def test_the_fitted_version_keeps_its_directions(sample: Sample) -> None:
    text = model_text_of(
        train_booster(sample.features, sample.labels, invented.FEATURES, invented.DIRECTIONS, Recipe(24, 0.1, 99, 9, 1))
    )
    assert monotone_violations(read(text, invented.FEATURES), invented.DIRECTIONS) == []
