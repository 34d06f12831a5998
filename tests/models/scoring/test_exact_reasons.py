"""Trees say of a row what LightGBM says: margins to the bit, contributions within 1e-9, for every kind of tree."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.scoring.trees import walk
from models.scoring.trees.array_pointers import addresses
from models.scoring.trees.flat_forest import flatten
from models.scoring.trees.model_text import Forest, Tree, read, without_settings
from models.scoring.treeshap.exact_reasons import SINGLE_ROWS, TreeShap

ROOT = Path(__file__).parents[3]
CATEGORIES = 70  # more than two words of a set of categories
Floats = NDArray[np.float64]


def drawn(random: np.random.Generator, rows: int, features: int, categorical: bool) -> Floats:
    """Rows of every sort of column: continuous, of few values, mostly zero, mostly missing, categories."""
    x = random.normal(size=(rows, features))
    x[:, ::3] = np.round(x[:, ::3] * 2)
    x[:, 1::4] *= random.random((rows, len(range(1, features, 4)))) < 0.4
    x[random.random(x.shape) < 0.15] = np.nan
    if categorical:
        x[:, 0] = random.integers(0, CATEGORIES, rows)
    return x


def grown(seed: int, rows: int, features: int, rounds: int, categorical: bool, **parameters: Any) -> tuple[Any, Forest]:
    """A booster and our reading of its text."""
    random = np.random.default_rng(seed)
    x = drawn(random, rows, features, categorical)
    known = np.nan_to_num(x)
    cause = known[:, 0] % 3 + known[:, 1 % features] * known[:, -1] + random.normal(size=rows)
    options = {"objective": "binary", "verbosity": -1, "num_threads": 1, "seed": 1, "min_data_in_leaf": 3, **parameters}
    if categorical:
        options |= {"min_data_per_group": 3, "cat_smooth": 1.0, "max_cat_threshold": 60}
    names = [f"f{number}" for number in range(features)]
    known_as = {"feature_name": names, "categorical_feature": [0] if categorical else []}
    data = lightgbm.Dataset(x, cause > np.median(cause), params={"verbosity": -1}, **known_as)
    booster = lightgbm.train(options, data, rounds)
    return booster, read(without_settings(booster.model_to_string()), names, foreign=True)


def probe_rows(forest: Forest, rows: int, seed: int, categorical: bool) -> Floats:
    """Rows that try it: on thresholds and a step beside, missing, infinite, zero and nearly, categories never seen."""
    random = np.random.default_rng(seed)
    x = drawn(random, rows, len(forest.features), categorical)
    strange = np.array(
        [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-36, -1e-35, 1.0000000180025095e-35, 2.0**31, -0.5, 1e300]
    )
    x = np.where(random.random(x.shape) < 0.2, random.choice(strange, x.shape), x)
    for tree in forest.trees[:50]:
        for feature, threshold, how in zip(tree.split_feature, tree.threshold, tree.decision, strict=True):
            candidates = [threshold, np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf)]
            if not how & 1:
                x[random.integers(rows), feature] = candidates[random.integers(3)]
    if categorical:
        few = random.random(rows) < 0.5
        x[few, 0] = random.choice([CATEGORIES + 3, 1e6, -1, -0.5, np.nan, 31.9, 32, 64, np.inf, -np.inf], few.sum())
    return x


def hold(booster: Any, forest: Forest, x: Floats) -> None:
    """The law itself."""
    trees = flatten(forest)
    assert np.array_equal(walk.margins(trees, x), booster.predict(x, raw_score=True, num_threads=1))
    leaves = np.asarray(booster.predict(x, pred_leaf=True, num_threads=1)).reshape(len(x), -1)
    assert np.array_equal(walk.leaves(trees, x), leaves)
    contributions = np.asarray(booster.predict(x, pred_contrib=True, num_threads=1))
    np.testing.assert_allclose(walk.expected_margin(trees), contributions[:, -1], rtol=1e-9, atol=1e-12)
    reasons = TreeShap.of(trees, len(forest.features))
    margins, together = reasons.margins_and_contributions(x)
    assert np.array_equal(margins, walk.margins(trees, x))
    np.testing.assert_allclose(together, contributions[:, :-1], rtol=1e-9, atol=1e-11)
    for row in range(min(len(x), 2 * SINGLE_ROWS)):
        alone = reasons.margins_and_contributions(x[row : row + 1])
        assert alone[0][0] == margins[row]
        assert np.array_equal(alone[1][0], together[row])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**31),
    features=st.integers(1, 12),
    leaves=st.integers(2, 40),
    rounds=st.integers(1, 8),
    rows=st.integers(1, 30),
    categorical=st.booleans(),
    more=st.sampled_from(
        [
            {},
            {"use_missing": False},
            {"zero_as_missing": True},
            {"max_depth": 2},
            {"feature_fraction": 0.3},
            {"min_gain_to_split": 3.0},
            {"extra_trees": True, "min_data_in_leaf": 1},
        ]
    ),
)
def test_any_forest_has_the_contributions_of_lightgbm(
    seed: int, features: int, leaves: int, rounds: int, rows: int, categorical: bool, more: dict[str, Any]
) -> None:
    booster, forest = grown(seed, 300, features, rounds, categorical, num_leaves=leaves, **more)
    hold(booster, forest, probe_rows(forest, rows, seed + 1, categorical))


@pytest.mark.parametrize(
    ("rows", "features", "rounds", "more"),
    [
        (4000, 20, 5, {"num_leaves": 255}),  # wide
        (4000, 2, 5, {"num_leaves": 200, "max_bin": 1023}),  # each feature split many times on a path
        (3000, 40, 3, {"num_leaves": 120, "extra_trees": True, "feature_fraction_bynode": 0.05}),  # deep and unlike
        (2000, 6, 20, {"num_leaves": 31, "monotone_constraints": [1, -1, 0, 1, 0, 0]}),
        (60, 4, 3, {"min_data_in_leaf": 60}),  # nothing to split: one leaf
    ],
)
@pytest.mark.parametrize("categorical", [False, True])
def test_large_and_strange_forests_too(
    rows: int, features: int, rounds: int, more: dict[str, Any], categorical: bool
) -> None:
    if categorical and "monotone_constraints" in more:
        more = {**more, "monotone_constraints": [0, -1, 0, 1, 0, 0]}
    booster, forest = grown(5, rows, features, rounds, categorical, **more)
    hold(booster, forest, probe_rows(forest, 60, 6, categorical))


def test_a_path_of_more_features_than_a_rule_of_eight_nodes_holds() -> None:
    booster, forest = grown(3, 4000, 60, 4, False, num_leaves=255, feature_fraction_bynode=0.1, min_data_in_leaf=1)
    assert int(flatten(forest).path_features.max()) > 16
    hold(booster, forest, probe_rows(forest, 20, 4, False))


def test_what_is_compiled_is_kept_for_the_next_process() -> None:
    booster, forest = grown(1, 300, 4, 2, False)
    TreeShap.of(flatten(forest), 4).contributions(np.zeros((1, 4)))
    code = (
        "import sys, numpy as np; from models.scoring.treeshap import exact_reasons, shap_kernel;"
        "from models.scoring.trees.flat_forest import flatten;"
        "from models.scoring.trees.model_text import read;"
        "trees = flatten(read(sys.stdin.read(), ['f0', 'f1', 'f2', 'f3']));"
        "exact_reasons.TreeShap.of(trees, 4).contributions(np.zeros((1, 4)));"
        "stats = shap_kernel.kernel_one_row.stats;"
        "print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))"
    )
    command, text = [sys.executable, "-c", code], without_settings(booster.model_to_string())
    done = subprocess.run(command, input=text, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0"]


def test_a_chain_of_many_features_is_finite_and_sums() -> None:
    """A path may ask 255 features: products of so many factors neither overflow nor divide by nothing."""
    splits, random = 255, np.random.default_rng(8)
    rows = 2**30 - np.arange(splits) * 1000
    tree = Tree(
        split_feature=np.arange(splits), threshold=np.zeros(splits), decision=np.full(splits, 8),
        left=np.array([*range(1, splits), ~0]), right=~np.arange(1, splits + 1),
        leaf_value=random.normal(size=splits + 1), leaf_count=np.array([rows[-1] - 1000, *[1000] * splits]),
        inside=rows, bounds=np.zeros(1, dtype=np.int64), words=np.zeros(0, dtype=np.int64),
    )  # fmt: skip
    trees = flatten(Forest(tuple(f"f{n}" for n in range(splits)), (0,) * splits, (tree,)))
    reasons = TreeShap.of(trees, splits)
    x = random.normal(size=(20, splits)) - 2
    contributions = reasons.contributions(x)
    np.testing.assert_allclose(
        contributions.sum(axis=1) + walk.expected_margin(trees), walk.margins(trees, x), atol=1e-9
    )
    assert np.array_equal(reasons.contributions(x[:1])[0], contributions[0])


def test_memory_read_by_its_address_has_the_expected_type() -> None:
    """Compiled code takes each array's kind on trust: here it is looked at."""
    _, forest = grown(3, 500, 6, 5, True)
    reasons = TreeShap.of(flatten(forest), 6)
    kinds = ["u8", "u8", "f8", "u1", "f8", "f8", "u1", "u8", "u8", "u4", "u4"]
    assert [array.dtype.str[1:] for array in reasons.trees] == kinds
    assert {array.dtype.str[1:] for array in reasons.layout} == {"u8", "f8"}
    assert reasons.layout.value.dtype == np.float64
    for rules in (reasons.alone, reasons.together):
        assert [array.dtype.str[1:] for array in rules] == ["u8", "f8", "u8"]
    with pytest.raises(TypeError, match="gaps"):
        addresses([np.zeros(4)[::2]])


def test_reasons_that_were_sent_elsewhere_have_addresses_of_their_own() -> None:
    _, forest = grown(4, 500, 6, 5, True)
    rows = drawn(np.random.default_rng(5), 20, 6, True)
    reasons = TreeShap.of(flatten(forest), 6)
    sent = pickle.loads(pickle.dumps(reasons))
    contributions = reasons.contributions(rows)
    assert not np.array_equal(sent.packed[0], reasons.packed[0])
    del reasons
    gc.collect()
    assert np.array_equal(sent.contributions(rows), contributions)
    assert np.array_equal(np.vstack([sent.contributions(row[None]) for row in rows]), contributions)
