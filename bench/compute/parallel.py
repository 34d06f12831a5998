"""What several workers are worth: the rows of one model spread over them, and the trials of one search.

Two cores here, so two workers against one process that has both. Pairs of one run, medians. A cluster that stands
already is what a worker has; the time to start it is reported beside the figures.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from bench.record import record
from models.boosting.booster import lightgbm_params, predict_margins, train_booster
from models.boosting.recipe import Recipe
from models.boosting.search import search
from models.dataset.matrix import TrainingRows
from models.distributed.ray_cluster import Tasks, cluster, in_process
from models.metrics.discrimination import auc
from models.order.spec import Training

ROWS, TEST_ROWS, FEATURES = 200_000, 50_000, 60
ROUNDS, LEAVES, PAIRS = 60, 31, 5
TRIALS, FOLDS, SEARCHED = 20, 3, 10_000
DATA = "drawn rows with missing values"
Floats = NDArray[np.float64]


@cache
def drawn() -> tuple[Floats, NDArray[np.int8]]:
    """Features and labels of all rows, those held out last."""
    random = np.random.default_rng(0)
    x = random.normal(size=(ROWS + TEST_ROWS, FEATURES))
    x[:, ::3] = np.round(x[:, ::3] * 2)
    cause = x[:, 0] + x[:, 1] * x[:, 2] + np.sin(x[:, 3] * 2) + x[:, 4:20].sum(axis=1) * 0.3
    x[random.random(x.shape) < 0.1] = np.nan
    return x, (cause + random.normal(size=len(x)) > 2).astype(np.int8)


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of one call, and what it gave."""
    start = time.perf_counter()
    made = act()
    return time.perf_counter() - start, made


@cache
def grown() -> dict[str, tuple[float, Any]]:
    """Median seconds and the booster: LightGBM with two threads, and two shards on two workers."""
    x, y = drawn()
    features, labels = x[:ROWS], y[:ROWS]
    names, signs = [f"f{number}" for number in range(FEATURES)], [1] + [0] * (FEATURES - 1)
    recipe = Recipe(LEAVES, 0.1, ROUNDS, 40, 7)
    parameters = lightgbm_params(signs, recipe)

    def plain() -> Any:
        data = lightgbm.Dataset(features, labels, feature_name=names, params={"verbosity": -1, "max_bin": 127})
        return lightgbm.train(parameters | {"num_threads": 2}, data, ROUNDS)

    acts: dict[str, Callable[[], Any]] = {"plain": plain}
    with cluster(cpus=2) as tasks:
        for name, shards in (("one thread", 1), ("2 workers", 2)):
            each = Recipe(LEAVES, 0.1, ROUNDS, 40, 7, shards)
            acts[name] = lambda each=each: train_booster(features, labels, names, signs, each, tasks.worker_group)  # type: ignore[misc]
        acts["2 workers"]()  # so that they have LightGBM imported, as workers that have searched before
        took: dict[str, list[float]] = {name: [] for name in acts}
        made: dict[str, Any] = {}
        for _ in range(PAIRS):
            for name, act in acts.items():
                seconds, made[name] = timed(act)
                took[name].append(seconds)
    ratios = [ours / theirs for ours, theirs in zip(took["2 workers"], took["plain"], strict=True)]
    timings = {name: (statistics.median(each), made[name]) for name, each in took.items()}
    return timings | {"ratio": (statistics.median(ratios), None)}


def data_parallel_time_ratio() -> None:
    """Seconds of two workers with a shard each, to those of LightGBM alone with two threads, in all."""
    results = grown()
    details = {
        name.replace(" ", "_") + "_s": round(results[name][0], 2) for name in ("plain", "one thread", "2 workers")
    }
    more = details | {"rows": ROWS, "features": FEATURES, "rounds": ROUNDS, "pairs": PAIRS}
    against = "LightGBM alone, two threads"
    record("data_parallel_time_ratio", results["ratio"][0], "x", data=DATA, against=against, more=more)


def data_parallel_auc_diff() -> None:
    """AUC of two shards less that of LightGBM alone, on rows neither has seen."""
    x, y = drawn()
    plain, ours = (auc(y[ROWS:], predict_margins(grown()[name][1], x[ROWS:])) for name in ("plain", "2 workers"))
    more = {"plain": round(plain, 6), "two_shards": round(ours, 6), "rows": TEST_ROWS}
    against = "LightGBM alone, two threads"
    record("data_parallel_auc_diff", ours - plain, "AUC", data=DATA, goal=0.002, against=against, more=more)


@cache
def searched() -> tuple[TrainingRows, Training]:
    """What is searched: 20 trials by 3 folds, and never an early end."""
    x, y = drawn()
    fold = (np.arange(SEARCHED) % FOLDS).astype(np.int16)
    names, signs = tuple(f"f{number}" for number in range(FEATURES)), (1, *(0 for _ in range(FEATURES - 1)))
    return TrainingRows(x[:SEARCHED], y[:SEARCHED], fold, names, signs), Training(TRIALS, patience=TRIALS)


def tune_speedup_2_workers() -> None:
    """One search as tasks on two workers, to the same one after another in this process."""
    rows, training = searched()

    def run(tasks: Tasks) -> Callable[[], Any]:
        return lambda: search(rows, training, tasks)

    start = time.perf_counter()
    with cluster(cpus=2) as tasks:
        begun = time.perf_counter() - start
        tasks.map_tasks(len, ["a", "b"])
        pairs = [(timed(run(tasks)), timed(run(in_process()))) for _ in range(PAIRS)]
    if any(far != near for (_, far), (_, near) in pairs):
        raise AssertionError("the search found something else on workers")
    ratio = statistics.median(near / far for (far, _), (near, _) in pairs)
    far, near = (statistics.median(pair[place][0] for pair in pairs) for place in (0, 1))
    more = {"workers_s": round(far, 2), "sequence_s": round(near, 2), "cluster_start_s": round(begun, 2)}
    more |= {"trials": TRIALS, "folds": FOLDS, "rows": SEARCHED, "pairs": PAIRS}
    record("tune_speedup_2_workers", ratio, "x", data=DATA, against="the same in sequence", more=more)


def tune_pruning_speedup() -> None:
    """One search with its rule of giving up, to the same without, both in this process; and what it costs in AUC."""
    rows, training = searched()
    acts = [lambda: search(rows, training, in_process()), lambda: search(rows, training, in_process(), prune=False)]
    acts[0]()  # so that both have what they import
    pairs = [[timed(act) for act in acts] for _ in range(PAIRS)]
    ratio = statistics.median(whole / pruned for (pruned, _), (whole, _) in pairs)
    best = [max(each["auc"] for each in choice.compared) for _, choice in pairs[0]]
    given_up = {each["trial"] for each in pairs[0][0][1].compared if each["pruned"]}
    more = {"best_auc": best[0], "best_auc_without": best[1], "given_up": len(given_up), "trials": TRIALS}
    record("tune_pruning_speedup", ratio, "x", data=DATA, against="the same, every trial grown whole", more=more)
