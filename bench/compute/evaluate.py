"""The monthly evaluation of 710,000 enterprises on two cores: every one of them, in a release of multiplied rows.

Every bucket stands alone: two processes work through them, and the wall time is reported as measured.
``BENCH_SUBJECTS`` sets
a smaller register; the time is scaled to 710,000, and each line says how many were really run.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from rich.progress import track

from bench.compute.multiplied_release import City, city, release_of
from bench.record import record
from models.features.duckdb_engine import Limits
from models.features.population import population_bucket
from models.scoring.scorer import Scorer
from models.snapshots.batch_scores import score_bucket
from models.snapshots.bucket_files import bucket_answers_path, read_bucket_answers

SUBJECTS, WORKERS = 710_000, 2
# Subjects in the register of what is really run; of the invented city 64 % live on the day, and those are evaluated.
RUN = int(os.environ.get("BENCH_SUBJECTS", 1_105_000))
ROWS = 20_000  # scored at a time by each process


def features_once(number: int) -> int:
    """Features of one bucket; how many subjects."""
    _, release, order, terms, day = city_data
    return len(population_bucket(order, release, terms, day, Limits(), number).subjects)


def scores_once(number: int) -> int:
    """Probability, points, grade, rules and reasons of ROWS rows; how many."""
    _scorer().score(_rows())
    return ROWS


def whole_once(number: int) -> int:
    """A whole bucket, as the evaluation does it; how many subjects."""
    version, release, order, terms, day = city_data
    with tempfile.TemporaryDirectory() as folder:
        return score_bucket(order, (version, release, folder), terms, day, Limits(), number)


city_data: Any = None


def begin(city: Any) -> None:
    """What each process knows."""
    global city_data
    city_data = city


def evaluate_features_710k_seconds() -> None:
    """Feature SQL over as-of views."""
    _scaled("evaluate_features_710k_seconds", features_once, _city()[1], goal=120)


def evaluate_score_710k_seconds() -> None:
    """Scores with reasons, beside LightGBM's own ``predict`` and ``pred_contrib`` on a measured part."""
    version = Path(city()[0])
    begin(city())
    booster = lightgbm.Booster(model_str=(version / "model.txt").read_text())
    some = _rows()[:500]
    start = time.perf_counter()
    booster.predict(some, num_threads=WORKERS)
    booster.predict(some, pred_contrib=True, num_threads=WORKERS)
    peer = (time.perf_counter() - start) / len(some) * SUBJECTS
    more = {"peer_seconds": round(peer, 1), "trees": booster.num_trees()}
    works = -(-RUN // ROWS)
    _scaled("evaluate_score_710k_seconds", scores_once, works, goal=60, against="LightGBM, 2 threads", more=more)


def evaluate_peak_rss_mib() -> None:
    """The most memory that a process at work on whole buckets took, times the processes."""
    _, count = _wall(whole_once, _city()[1], "evaluate_peak_rss_mib")
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    record(
        "evaluate_peak_rss_mib",
        most * WORKERS,
        "MiB",
        goal=4096,
        more={"a_process": round(most, 1), "run_subjects": count},
    )


@cache
def _scorer() -> Scorer:
    return Scorer.load(Path(city_data[0]))


@cache
def _rows() -> np.ndarray[Any, Any]:
    version, release, order, terms, day = city_data
    with tempfile.TemporaryDirectory() as folder:
        score_bucket(order, (version, release, folder), terms, day, Limits(), 0)
        features = read_bucket_answers(bucket_answers_path(Path(folder), 0)).features
    return np.asarray(np.resize(features, (ROWS, features.shape[1])))


@cache
def _city() -> tuple[City, int]:
    """The city with a release of RUN subjects, and how many buckets that has."""
    version, _, order, terms, day = city()
    release, buckets = release_of(RUN)
    return (version, str(release), order, terms, day), buckets


def _wall(act: Callable[[int], int], works: int, what: str) -> tuple[float, int]:
    """Seconds for all works, when each process has begun, and how many subjects they were."""
    initial = (_city()[0],)
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"), initializer=begin, initargs=initial) as pool:
        list(pool.map(act, range(WORKERS * 2)))
        start = time.perf_counter()
        count = sum(track(pool.map(act, range(works)), what, total=works))
        return time.perf_counter() - start, count


def _scaled(
    figure: str, act: Callable[[int], int], works: int, *, more: dict[str, Any] | None = None, **settings: Any
) -> None:
    took, count = _wall(act, works, figure)
    details = {
        "run_subjects": count,
        "run_seconds": round(took, 3),
        "workers": WORKERS,
        "features": len(city()[2]["features"]),
    }
    data = "invented city, multiplied rows"
    record(figure, took / count * SUBJECTS, "s", data=data, more=details | (more or {}), **settings)
