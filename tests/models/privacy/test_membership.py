"""The attack finds the members of a model that remembers each row, and no one where nothing is learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.boosting.recipe import Recipe
from models.dataset.matrix import TrainingRows
from models.distributed.ray_cluster import in_process
from models.privacy.floors import load_floors
from models.privacy.leaf_recount import recount_leaves
from models.scoring.trees.model_text import read
from models.training.fit import train_with_full_leaves
from models.validation.membership import likelihood_ratios, measure_membership
from tests.models.privacy.test_cuts import rows_of

FLOORS = replace(load_floors(), membership_subjects=300)


def noise(n: int = 600) -> TrainingRows:
    random = np.random.default_rng(5)
    labels = (random.random(n) < 0.3).astype(np.int8)
    features = random.normal(size=(n, 6))
    return TrainingRows(features, labels, np.zeros(n, np.int16), tuple("abcdef"), (0,) * 6, np.arange(n))


def test_members_of_a_model_that_learns_by_heart_are_recognised() -> None:
    heart, stump = Recipe(63, 0.5, 60, 1, 3, l2=0.0), Recipe(2, 0.01, 2, 100, 3)
    measured = measure_membership(noise(), heart, in_process(), FLOORS)
    assert measured["tpr_at_1_percent"] > 0.2
    assert measured["defaulted"]["tpr_at_1_percent"] > 0.2
    blind = measure_membership(noise(), stump, in_process(), FLOORS)
    assert blind["tpr_at_1_percent"] < 0.03
    assert abs(blind["auc"] - 0.5) < 0.03


def test_a_subject_is_in_a_model_with_all_its_rows_and_the_figures_repeat() -> None:
    rows = rows_of(2, 400)
    recipe = Recipe(8, 0.1, 10, 20, 1)
    steps: list[tuple[int, int]] = []
    one = measure_membership(rows, recipe, in_process(), FLOORS, lambda done, total: steps.append((done, total)))
    assert one == measure_membership(rows, recipe, in_process(), FLOORS)
    assert (one["shadows"], one["subjects"], one["rows"]) == (16, 200, 400)
    assert steps[-1] == (17, 17)


def test_the_ratio_is_that_of_two_gaussians() -> None:
    """Against the formula of the paper, written out for one row."""
    inside = np.array([[1], [1], [1], [0], [0], [0], [1]], dtype=np.bool_)
    scores = np.array([[2.0], [3.0], [4.0], [0.0], [1.0], [2.0], [2.5]])
    ratio = likelihood_ratios(scores, inside, 6)[0]
    spread_in = spread_out = 1.0  # both have the variance (1 + 0 + 1) / 2
    expected = -((2.5 - 3.0) ** 2) / (2 * spread_in) + (2.5 - 1.0) ** 2 / (2 * spread_out)
    assert abs(ratio - expected) < 1e-12


def test_leaves_are_full_of_subjects_and_not_of_rows() -> None:
    """Where each subject has ten rows, leaves of ten rows would describe one."""
    one = rows_of(4, 200)
    features, labels, fold = (np.repeat(each, 10, axis=0) for each in (one.features, one.labels, one.fold))
    rows = replace(one, features=features, labels=labels, fold=fold, subjects=np.arange(2000) // 10)
    _, text = train_with_full_leaves(rows, Recipe(8, 0.1, 10, 10, 1), minimum=10, subjects=1)
    forest = read(text, rows.names)
    assert recount_leaves(forest, rows.features, rows.labels, rows.units).smallest < 10, "the case is one"
    _, text = train_with_full_leaves(rows, Recipe(8, 0.1, 10, 10, 1), minimum=10, subjects=10)
    counted = recount_leaves(read(text, rows.names), rows.features, rows.labels, rows.units)
    assert counted.smallest >= 10
    assert all((bad <= all_).all() for bad, all_ in zip(counted.defaulted, counted.subjects, strict=True))
