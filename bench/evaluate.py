"""The monthly evaluation of 710,000 enterprises on two cores, from what it takes for some buckets of the invented city.

Every bucket stands alone, so what it takes grows with their number: two processes work through buckets of the city's
own size, and the wall time is scaled to 710,000 subjects. Each line says how much was really run.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from bench.record import record
from bench.road import OUT, SIZES, walk
from credit.seal import Kind
from infra.home import Home
from models.answers import answer_bucket, part_path, read_part
from models.engine import Limits
from models.living import living_bucket
from models.order import open_order
from models.sample import plain_terms
from models.scorer import Scorer

SUBJECTS, WORKERS, TIMES = 710_000, 2, 8
ROWS = 20_000  # scored at a time by each process


@cache
def city() -> tuple[str, str, dict[str, Any], dict[str, Any], date]:
    """Folders of the champion and of the newest scoring release; the order, the terms and the day."""
    walk(SIZES[0])
    home = Home((OUT / f"road-{SIZES[0]}" / "home").resolve())
    pointer = home.shelf.pointer("champion-enterprise", {"platform"})
    assert pointer is not None
    version = home.shelf.open(pointer["version"])
    releases = [seal for seal in home.shelf.list(Kind.RELEASE) if seal.terms["purpose"] == "scoring"]
    release = home.shelf.open(releases[-1].id)
    order = open_order(home.shelf.open(version.seal.parents[0]))
    terms = plain_terms(release, "scoring")
    return str(version.path), str(release.path), order.as_json(), terms, date.fromisoformat(terms["as_of"])


def features_once(_: int) -> int:
    """Features of one bucket; how many subjects."""
    _, release, order, terms, day = city_told
    return len(living_bucket(order, release, terms, day, Limits(), 0).subjects)


def scores_once(_: int) -> int:
    """Probability, points, grade, rules and reasons of ROWS rows; how many."""
    _scorer().score(_rows())
    return ROWS


def whole_once(number: int) -> int:
    """A whole bucket, as the evaluation does it; how many subjects."""
    version, release, order, terms, day = city_told
    with tempfile.TemporaryDirectory() as folder:
        return answer_bucket(order, (version, release, folder), terms, day, Limits(), 0)


city_told: Any = None


def begin(told: Any) -> None:
    """What each process knows."""
    global city_told
    city_told = told


def evaluate_features_710k_seconds() -> None:
    """Feature SQL over as-of views."""
    _scaled("evaluate_features_710k_seconds", features_once, goal=120)


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
    _scaled("evaluate_score_710k_seconds", scores_once, goal=60, against="LightGBM, 2 threads", more=more)


def evaluate_peak_rss_mib() -> None:
    """The most memory that a process at work on whole buckets took, times the processes."""
    _wall(whole_once)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    record("evaluate_peak_rss_mib", most * WORKERS, "MiB", goal=4096, more={"a_process": round(most, 1)})


@cache
def _scorer() -> Scorer:
    return Scorer.load(Path(city_told[0]))


@cache
def _rows() -> np.ndarray[Any, Any]:
    version, release, order, terms, day = city_told
    with tempfile.TemporaryDirectory() as folder:
        answer_bucket(order, (version, release, folder), terms, day, Limits(), 0)
        features = read_part(part_path(Path(folder), 0)).features
    return np.asarray(np.resize(features, (ROWS, features.shape[1])))


def _wall(act: Callable[[int], int]) -> tuple[float, int]:
    """Seconds of the second round, when each process has begun, and how many subjects it worked through."""
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"), initializer=begin, initargs=(city(),)) as pool:
        list(pool.map(act, range(WORKERS * 2)))
        start = time.perf_counter()
        count = sum(pool.map(act, range(TIMES)))
        return time.perf_counter() - start, count


def _scaled(figure: str, act: Callable[[int], int], *, more: dict[str, Any] | None = None, **told: Any) -> None:
    took, count = _wall(act)
    said = {
        "run_subjects": count,
        "run_seconds": round(took, 3),
        "workers": WORKERS,
        "features": len(city()[2]["features"]),
    }
    record(figure, took / count * SUBJECTS, "s", more=said | (more or {}), **told)
