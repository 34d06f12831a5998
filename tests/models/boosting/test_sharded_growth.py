"""Rows cut into shards train one model: the same on every cluster, and that of one machine except for rounding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from credit.errors import Broken
from models.boosting.booster import model_text_of, predict_margins, train_booster
from models.boosting.recipe import Recipe
from models.boosting.sharded_folds import shard_count, subsample_by_subject
from models.boosting.sharded_growth import Shard, ShardResult, SharedSetup, root_counts, train_shard
from models.distributed.ray_cluster import Tasks, in_process
from models.distributed.worker_group import Peers, ThreadWorkerGroup, WorkerGroup
from models.metrics.discrimination import auc
from models.scoring.trees.model_text import read
from models.scoring.trees.monotone_proof import monotone_violations
from models.training.fit import fit
from tests.models import invented
from tests.models.killing import killer

NAMES = tuple(f"f{number}" for number in range(10))
SIGNS = (1, -1, *(0 for _ in NAMES[2:]))
SHARDED = Recipe(15, 0.1, 40, 20, 7, shards=3)
PAIR = replace(SHARDED, shards=2)


class Watched:
    """Threads, whose members' own answers are kept."""

    def __init__(self) -> None:
        self.answers: list[ShardResult] = []

    def run_together(self, fn, shared, parts):  # type: ignore[no-untyped-def]
        self.answers = ThreadWorkerGroup().run_together(fn, shared, parts)
        return self.answers


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    return drawn(9_001, 1)


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, len(NAMES)))
    features[:, ::3] = np.round(features[:, ::3] * 2)
    cause = features[:, 0] - features[:, 1] + features[:, 2] * features[:, 3]
    features[random.random(features.shape) < 0.1] = np.nan
    return features, (cause + random.normal(size=len(cause)) > 1.5).astype(np.int8)


def grown(rows: tuple[np.ndarray, np.ndarray], recipe: Recipe, worker_group: WorkerGroup | None = None) -> str:
    return model_text_of(train_booster(*rows, NAMES, SIGNS, recipe, worker_group))


def test_every_row_is_seen_and_each_leaf_counted(rows: tuple[np.ndarray, np.ndarray]) -> None:
    import lightgbm

    watched = Watched()
    text = grown(rows, SHARDED, watched)
    assert len(watched.answers) == 3
    for answer in watched.answers:
        assert set(root_counts(lightgbm.Booster(model_str=answer.text))) == {len(rows[1])}, "LightGBM's own count"
    forest = read(text, NAMES)  # whose counts add up
    assert {int(tree.inside[0]) for tree in forest.trees} == {len(rows[1])}
    led = lightgbm.Booster(model_str=text).predict(rows[0], pred_leaf=True)
    for number, tree in enumerate(forest.trees):
        assert np.array_equal(np.bincount(led[:, number], minlength=len(tree.leaf_count)), tree.leaf_count)


def test_it_agrees_with_one_machine() -> None:
    rows, others = drawn(40_000, 2), drawn(40_000, 3)
    long = Recipe(15, 0.1, 200, 40, 7)  # cut off early, models of two roundings differ by more, either way
    one, three = (train_booster(*rows, NAMES, SIGNS, replace(long, shards=shards)) for shards in (1, 3))
    first, other = (read(model_text_of(booster), NAMES).trees[0] for booster in (one, three))
    for name in ("split_feature", "threshold", "left", "right", "leaf_count"):
        assert np.array_equal(getattr(first, name), getattr(other, name)), "the first tree is the same: so are the bins"
    alone, together = (auc(others[1], predict_margins(booster, others[0])) for booster in (one, three))
    assert abs(alone - together) < 0.002
    assert monotone_violations(read(model_text_of(three), NAMES), SIGNS) == []


def alone(peers: Peers, model: SharedSetup, shard: Shard) -> ShardResult:
    """A member that knows of no other: what happens when the network parameters are forgotten."""
    return train_shard(Peers((peers.addresses[peers.rank],), 0), model, shard)


class Forgetful:
    def run_together(self, fn, shared, parts):  # type: ignore[no-untyped-def]
        results = ThreadWorkerGroup().run_together(alone, shared, parts)
        return [results[0]] * len(parts)


def test_workers_that_do_not_exchange_results_are_detected(rows: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(Broken, match="did not see every row"):
        train_booster(*rows, NAMES, SIGNS, SHARDED, Forgetful())


def test_many_rows_are_cut_by_the_order_and_searched_in_part() -> None:
    assert [shard_count(rows, 100) for rows in (1, 100, 101, 1000)] == [1, 1, 2, 10]
    subjects = [f"{number // 4:032x}" for number in range(8000)]
    assert subsample_by_subject(subjects, 8000).all()
    subsample = subsample_by_subject(subjects, 2000)
    assert 1600 < subsample.sum() < 2400
    assert all(len(set(four)) == 1 for four in subsample.reshape(-1, 4)), "a subject is there with all its rows or none"


@pytest.mark.servers
def test_the_same_order_gives_the_same_version_on_ray_and_here(ray_cluster: Tasks) -> None:
    sample = invented.sample(600)
    declaration = invented.declaration(training={"trials": 1, "seed": 7, "minimum_leaf": 20, "rows_a_worker": 500})
    ids = {"order": f"order-{'0' * 64}", "release": f"release-{'1' * 64}"}
    far, near = (fit(declaration, sample, tasks, **ids) for tasks in (ray_cluster, in_process()))
    assert far.scorecard["training"]["recipe"]["shards"] == 3
    assert far == near


@pytest.mark.servers
def test_a_member_killed_in_the_middle_changes_nothing(rows: tuple[np.ndarray, np.ndarray], ray_cluster: Tasks) -> None:
    wanted = grown(rows, PAIR)
    with killer("worker-group-member", 1) as killed:
        assert grown(rows, PAIR, ray_cluster.worker_group) == wanted
    assert len(killed) == 1


@pytest.mark.servers
def test_a_member_killed_each_time_ends_in_words(rows: tuple[np.ndarray, np.ndarray], ray_cluster: Tasks) -> None:
    with killer("worker-group-member", 1000) as killed, pytest.raises(Broken, match="lost a member of a worker group"):
        grown(rows, PAIR, ray_cluster.worker_group)
    assert len(killed) >= 4
    assert grown(rows, PAIR, ray_cluster.worker_group) == grown(rows, PAIR), "and nothing of it stands in the way"
    assert ray_cluster.map_tasks(len, ["abc"]) == [3]
