"""How feature SQL grows with the records: 0.2, 2 and 20 million, buckets one after another in one process.

Multiplied rows (``bench.compute.multiplied_release``). A release cuts as many buckets as keep each within its
policy's bounds, so more
records are more buckets; a second line lets one bucket hold everything, and shows what the bounds are for. A bucket is
written, computed and thrown away, so what is on the disk and in memory is one bucket whatever the size.
``BENCH_RECORDS`` names other sizes.
"""

from __future__ import annotations

import math
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.progress import track

from bench.compute import multiplied_release
from bench.compute.multiplied_release import city
from bench.record import record
from models.features.duckdb_engine import Limits
from models.features.population import population_bucket

SIZES = tuple(int(size) for size in os.environ.get("BENCH_RECORDS", "200000 2000000 20000000").split())
WHOLE = 2_000_000  # the most that one bucket is made to hold


def features_per_million_records_seconds() -> None:
    """A line a size, and how the largest compares with the smallest (power 1 = as the records)."""
    _sizes("features_per_million_records_seconds", SIZES, whole=False)
    _sizes("features_one_bucket_per_million_records_seconds", [size for size in SIZES if size <= WHOLE], whole=True)


def _sizes(figure: str, sizes: Any, *, whole: bool) -> None:
    seconds = {}
    for size in sizes:
        took, records, subjects, buckets = _measured(size, whole=whole)
        seconds[records] = took
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        more: dict[str, float] = {
            "records": records,
            "subjects": subjects,
            "buckets": buckets,
            "features": len(city()[2]["features"]),
        }
        more |= {"run_seconds": round(took, 3), "peak_rss_mib": round(peak)}
        record(figure, took / records * 1e6, "s", data="invented city, multiplied rows", more=more)
    if len(seconds) > 1:
        (few, short), *_, (many, long) = sorted(seconds.items())
        power = math.log(long / short) / math.log(many / few)
        record(f"{figure}_growth", power, "power", data="invented city, multiplied rows")


def _measured(size: int, *, whole: bool) -> tuple[float, int, int, int]:
    """Seconds, records, subjects and buckets of about ``size`` records; the writing of the rows is not counted."""
    _, release, order, terms, day = city()
    seconds, records, subjects, buckets = 0.0, 0, 0, 0
    population_bucket(order, release, terms, day, Limits(), 0)  # warm: the SQL checked, the libraries loaded
    with tempfile.TemporaryDirectory() as folder:
        for copies in track(list(_buckets(size, whole=whole)), f"{size:,} records"):
            records += multiplied_release.write(Path(folder), 0, copies)
            start = time.perf_counter()
            subjects += len(population_bucket(order, folder, terms, day, Limits(), 0).subjects)
            seconds += time.perf_counter() - start
            buckets += 1
    return seconds, records, subjects, buckets


def _buckets(size: int, *, whole: bool) -> Iterator[list[tuple[int, int]]]:
    """Which (bucket of the city, copy) each bucket holds, until there are about ``size`` records."""
    count = city()[3]["buckets"]
    each = [multiplied_release.records(bucket) for bucket in range(count)]
    copies: list[tuple[int, int]] = []
    while sum(each[bucket] for bucket, _ in copies) < size:
        copies.append((len(copies) % count, len(copies) // count))
    yield from [copies] if whole else ([one] for one in copies)
