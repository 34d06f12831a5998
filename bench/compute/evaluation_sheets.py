"""The public evaluation of 710,000 enterprises on two cores: measures by SQL, and all numbers of every sheet.

``BENCH_SUBJECTS`` sets a smaller register; the time is scaled to 710,000, and the line says how many were really run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.progress import track

from bench.compute.multiplied_release import city, release_of
from bench.record import record
from models.evaluation.buckets import observed_bucket
from models.evaluation.shipped import evaluation_of
from models.features.duckdb_engine import Limits
from models.scoring.evaluation.points import measure_points

SUBJECTS, WORKERS = 710_000, 2
RUN = int(os.environ.get("BENCH_SUBJECTS", 1_105_000))  # in the register; 64 % of them live on the day


def sheets_of_bucket(task: tuple[str, Mapping[str, Any], date, int]) -> int:
    """All numbers of the sheets of one bucket: values, points of measures and indicators, grades; how many subjects."""
    release, terms, day, bucket = task
    evaluation = evaluation_of("enterprise")
    made = observed_bucket(evaluation, Path(release), terms, day, Limits(), bucket)
    for place, measure in enumerate(evaluation.measures):  # what a sheet has beside what is sealed
        measure_points(measure, made.features[:, place])
    return len(made.keys)


def evaluation_sheets_710k_seconds() -> None:
    """Seconds for all sheets, once both processes have begun."""
    _, _, _, terms, day = city()
    release, buckets = release_of(RUN)
    tasks = [(str(release), terms, day, bucket) for bucket in range(buckets)]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        list(pool.map(sheets_of_bucket, tasks[:WORKERS]))
        start = time.perf_counter()
        count = sum(track(pool.map(sheets_of_bucket, tasks), "sheets", total=len(tasks)))
        took = time.perf_counter() - start
    details = {"run_subjects": count, "run_seconds": round(took, 3), "workers": WORKERS}
    data = "invented city, multiplied rows"
    record("evaluation_sheets_710k_seconds", took / count * SUBJECTS, "s", goal=120, data=data, more=details)
