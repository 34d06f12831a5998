"""The search finds the same recipe wherever and in whatever order it runs, within its space, and gives up in time."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from models.boosting.booster import model_text_of, train_booster
from models.boosting.recipe import Recipe
from models.boosting.sampler import WARM_STARTS
from models.boosting.search import Trial, search, select_recipe
from models.dataset.matrix import TrainingRows
from models.dataset.sample import Sample
from models.distributed.ray_cluster import Progress, Tasks, in_process
from models.distributed.worker_group import ThreadWorkerGroup, WorkerGroup
from models.order.search_space import SearchSpace
from models.order.spec import Training, training_of
from tests.models import invented

SMALL = SearchSpace((3, 6), (0.05, 0.15), (8, 24), (30, 60), (0.5, 5.0), (0.5, 1.0), (0.5, 1.0), (0.6, 1.0))
TRAINING = Training(trials=10, seed=7, minimum_leaf=30, space=SMALL)


class Shuffled:
    """Tasks that run in a random order."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    @property
    def worker_group(self) -> WorkerGroup:
        return ThreadWorkerGroup()

    def map_tasks(
        self, fn: Callable[..., Any], args: Sequence[Any], *, shared: Any = None, progress: Progress | None = None
    ) -> list[Any]:
        places = list(range(len(args)))
        self._random.shuffle(places)
        done = {place: fn(shared, args[place]) for place in places}
        return [done[place] for place in range(len(args))]


@pytest.fixture(scope="module")
def rows() -> TrainingRows:
    return rows_of(invented.sample(700))


def rows_of(sample: Sample) -> TrainingRows:
    keep = ~sample.out_of_time
    return TrainingRows(
        sample.features[keep], sample.labels[keep], sample.fold[keep], sample.names, invented.DIRECTIONS
    )


def test_the_order_of_tasks_does_not_change_the_result(rows: TrainingRows) -> None:
    result = search(rows, TRAINING, in_process())
    assert search(rows, TRAINING, Shuffled(1)) == search(rows, TRAINING, Shuffled(2)) == result
    assert search(rows, replace(TRAINING, seed=8), in_process()) != result


@pytest.mark.servers
def test_two_workers_find_the_same(rows: TrainingRows, ray_cluster: Tasks) -> None:
    assert search(rows, TRAINING, ray_cluster) == search(rows, TRAINING, in_process())


def test_every_trial_reports_a_recipe_within_its_space(rows: TrainingRows) -> None:
    compared = search(rows, TRAINING, in_process()).compared
    assert {each["trial"] for each in compared} == set(range(1, 11))
    for each in compared:
        assert SMALL.leaves[0] <= each["leaves"] <= SMALL.leaves[1]
        for name in ("rate", "minimum_leaf", "l2", "feature_share", "split_share", "row_share"):
            assert getattr(SMALL, name)[0] <= each[name] <= getattr(SMALL, name)[1], name
        assert each["rounds"] <= SMALL.rounds[1]


def test_bounds_that_are_equal_fix_what_they_bound(rows: TrainingRows) -> None:
    fixed = SearchSpace((5, 5), (0.1, 0.1), (12, 12), (30, 30), (1.0, 1.0), (1.0, 1.0), (1.0, 1.0), (1.0, 1.0))
    compared = search(rows, replace(TRAINING, trials=4, space=fixed), in_process()).compared
    assert {(each["leaves"], each["rate"], each["l2"], each["feature_share"]) for each in compared} == {(5, 0.1, 1, 1)}
    assert {each["rounds"] for each in compared} == {3, 6, 12}


def test_giving_up_saves_rounds_and_the_first_generation_is_never_given_up(rows: TrainingRows) -> None:
    with_it, without = (search(rows, TRAINING, in_process(), prune=each).compared for each in (True, False))
    assert sum(each["pruned"] for each in with_it) > 0
    assert not any(each["pruned"] for each in without)
    assert not any(each["pruned"] for each in with_it if each["trial"] <= 4)
    assert len(with_it) < len(without) == 3 * 10, "stops that were not grown to"


def test_without_a_better_one_it_ends_early(rows: TrainingRows) -> None:
    compared = search(rows, replace(TRAINING, trials=40, patience=1), in_process()).compared
    assert max(each["trial"] for each in compared) < 40


def test_progress_counts_to_the_end(rows: TrainingRows) -> None:
    steps: list[tuple[int, int]] = []
    search(rows, TRAINING, in_process(), lambda done, total: steps.append((done, total)))
    assert steps == [(done, 30) for done in range(1, 31)]


@given(
    aucs=st.lists(st.lists(st.floats(0.5, 0.9), min_size=3, max_size=3), min_size=1, max_size=8),
    leaves=st.lists(st.integers(2, 31), min_size=8, max_size=8),
)
@hypothesis(max_examples=50)
def test_the_selected_recipe_is_within_an_error_of_the_best_and_no_larger(
    aucs: list[list[float]], leaves: list[int]
) -> None:
    tried = [
        Trial(Recipe(size, 0.1, 1, 40, 7), tuple((value,) for value in folds))
        for size, folds in zip(leaves, aucs, strict=False)
    ]
    choice = select_recipe(tried)
    best = max(tried, key=lambda trial: np.mean(trial.curves))
    selected = next(trial for trial in tried if trial.recipe == choice.recipe)
    assert selected.recipe.leaves <= best.recipe.leaves
    shortfall = min(
        np.mean(np.array(best.curves) - np.array(trial.curves)) for trial in tried if trial.recipe == choice.recipe
    )
    assert shortfall <= np.ptp(aucs) / 2 + 1e-12, "a paired error over three folds is below half the range"


def test_what_is_known_to_do_well_is_tried_first(rows: TrainingRows) -> None:
    """So no search ends below it, out of fold."""
    wide = SearchSpace((2, 31), (0.03, 0.2), (20, 400), (30, 60), (0.3, 30.0))
    compared = search(rows, replace(TRAINING, trials=4, space=wide), in_process()).compared
    tried = {(each["leaves"], each["rate"], each["l2"], each["split_share"], each["row_share"]) for each in compared}
    assert tried == {(k["leaves"], k["rate"], k["l2"], k["split_share"], k["row_share"]) for k in WARM_STARTS}


@given(
    aucs=st.lists(st.lists(st.floats(0.5, 0.9), min_size=4, max_size=4), min_size=2, max_size=8),
    members=st.integers(2, 5),
)
@hypothesis(max_examples=50)
def test_an_average_is_of_different_trials_each_as_good_as_the_best(aucs: list[list[float]], members: int) -> None:
    tried = [
        Trial(Recipe(6, 0.1, 8, 40, seed), tuple((value - 0.1, value) for value in folds))
        for seed, folds in enumerate(aucs)
    ]
    selected = select_recipe(tried, members=members).recipe.members
    assert 1 <= len(selected) <= members
    assert len({recipe.seed for recipe in selected}) == len(selected), "each of a trial of its own"
    best = max(aucs, key=lambda folds: np.mean(folds))
    assert np.mean(aucs[selected[0].seed]) == np.mean(best), "the best is among them, and first"
    for recipe in selected:
        shortfalls = np.array(best) - np.array(aucs[recipe.seed])
        assert np.mean(shortfalls) <= np.std(shortfalls, ddof=1) / 2 + 1e-12


@pytest.mark.parametrize("share", ["feature_share", "split_share", "row_share"])
def test_a_share_is_drawn_alike_each_time(rows: TrainingRows, share: str) -> None:
    """And another seed draws others: what is proved is that chance is at work, and is the seed's."""
    recipe = replace(Recipe(6, 0.1, 30, 30, 7), **{share: 0.5})
    one, again, other = (
        model_text_of(train_booster(rows.features, rows.labels, rows.names, rows.directions, each))
        for each in (recipe, recipe, replace(recipe, seed=8))
    )
    assert one == again != other


@pytest.mark.parametrize(
    ("space", "expected"),
    [({}, (70, 280)), ({"minimum_leaf": [10, 90]}, (70, 90)), ({"minimum_leaf": [10, 20]}, (70, 70))],
)
def test_a_leaf_never_holds_less_than_the_order_requests(space: dict[str, Any], expected: tuple[int, int]) -> None:
    assert training_of({"training": {"minimum_leaf": 70, "space": space}}).space.minimum_leaf == expected
