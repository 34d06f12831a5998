"""Cuts are round numbers with enough subjects between two; trees trained on cells and written at cuts score alike."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.boosting.booster import model_text_of, train_booster
from models.boosting.published_text import is_as_published, published_text
from models.boosting.recipe import Recipe
from models.dataset.cut_rows import cut_rows
from models.dataset.matrix import TrainingRows
from models.privacy.cuts import CutGrid, shortest_between
from models.privacy.leaf_recount import recount_leaves
from models.scoring.trees import walk
from models.scoring.trees.flat_forest import flatten
from models.scoring.trees.model_text import read


def rows_of(seed: int, n: int = 900) -> TrainingRows:
    """Rows of several kinds of column: continuous, counts, heavy zeros with a long tail, missing, constant."""
    random = np.random.default_rng(seed)
    features = np.column_stack(
        [
            random.normal(size=n) * 1e6,
            random.poisson(1.5, size=n),
            np.where(random.random(n) < 0.6, 0.0, random.lognormal(3, 2, size=n)),
            np.where(random.random(n) < 0.4, np.nan, random.normal(size=n)),
            np.full(n, 3.0),
            np.where(random.random(n) < 0.7, np.nan, 1.0),
        ]
    ).astype(np.float64)
    risk = features[:, 1] * 0.5 + np.nan_to_num(features[:, 3]) + np.isnan(features[:, 5]) - 1.5
    labels = (risk + random.logistic(size=n) > 0).astype(np.int8)
    return TrainingRows(
        features, labels, np.zeros(n, dtype=np.int16), tuple("abcdef"), (0, 1, 0, 1, 0, 0), np.arange(n) // 2
    )


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_the_shortest_number_lies_strictly_between(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    between = shortest_between(low, high)
    assert between is None or low < between < high


def test_the_shortest_number_is_short() -> None:
    assert shortest_between(2.0, 3.0) == 2.5
    assert shortest_between(1_234_567.89, 1_239_876.5) == 1_237_000
    assert shortest_between(-1.0, 1.0) == 0.0
    assert shortest_between(3.0, 3.0) is None


@given(st.integers(0, 10_000))
def test_between_two_cuts_there_are_enough_subjects(seed: int) -> None:
    rows = rows_of(seed, 400)
    grid = CutGrid.of(rows.features, rows.units, 10)
    for column, cuts in zip(rows.features.T, grid.cuts, strict=True):
        known = ~np.isnan(column)
        cells = np.searchsorted(cuts, column[known])
        sizes = [len(set(rows.units[known][cells == cell].tolist())) for cell in range(len(cuts) + 1)]
        assert len(cuts) == 0 or min(sizes) >= 10
        assert not np.isin(cuts, column).any(), "no cut is a value of a subject"


def test_a_published_text_sends_every_training_row_to_its_leaf() -> None:
    for seed in range(4):
        rows = rows_of(seed)
        cut, grid = cut_rows(rows)
        for recipe in (Recipe(8, 0.1, 40, 20, seed), Recipe(31, 0.05, 40, 5, seed, row_share=0.7, feature_share=0.6)):
            trained = model_text_of(train_booster(cut.features, cut.labels, cut.names, cut.directions, recipe))
            text = published_text(trained, cut, grid, 5)
            before, after = read(trained, rows.names), read(text, rows.names)
            leaves = walk.leaves(flatten(before), cut.features)
            assert np.array_equal(leaves, walk.leaves(flatten(after), cut.features))
            assert np.array_equal(leaves, walk.leaves(flatten(after), rows.features)), "on rows as they are, too"
            assert recount_leaves(after, rows.features, rows.labels, rows.units).agrees_with(after)
            margins = [walk.margins(flatten(each), cut.features) for each in (before, after)]
            assert np.max(np.abs(margins[0] - margins[1])) < 40 * 1e-5
            assert is_as_published(text, after, 5)
            assert not is_as_published(trained, before, 5)
            named = {float(c) for tree in after.trees for c in tree.threshold}
            assert named <= {float(c) for cuts in grid.cuts for c in cuts} | {np.inf, -1e300}
