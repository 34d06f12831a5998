"""More records than the invented city of 20,000 has: its scoring release, each bucket copied under other keys.

A copy's keys begin with the byte of the subject they are copied from, so each bucket holds what a bucket would.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from rich.progress import track

from bench.flows.demo_steps import OUT, SIZES, walk
from credit.releases import releases_of_purpose
from credit.versions import require_champion
from infra.home import Home
from models.features.buckets import release_terms
from models.features.views import bucket_file
from models.order.sealed_order import read_sealed_order

City = tuple[str, str, dict[str, Any], dict[str, Any], date]


@cache
def city() -> City:
    """Folders of the champion and of the newest scoring release; the order, the terms and the day."""
    walk(SIZES[0])
    home = Home((OUT / f"road-{SIZES[0]}" / "home").resolve())
    version = require_champion(home.shelf, "enterprise")
    release = home.shelf.open(releases_of_purpose(home.shelf, "scoring")[-1].id)
    order = read_sealed_order(home.shelf.open(version.seal.parents[0]))
    terms = release_terms(release, "scoring")
    return str(version.path), str(release.path), order.as_json(), terms, date.fromisoformat(terms["as_of"])


def records(bucket: int) -> int:
    """Rows of a bucket of the city, in the tables the order reads."""
    return sum(_count(path) for _, path in _files(bucket))


def subjects(bucket: int) -> int:
    """Subjects of a bucket of the city's register."""
    _, release, order, _, _ = city()
    return _count(bucket_file(Path(release), order["population"], bucket))


def write(folder: Path, number: int, copies: list[tuple[int, int]]) -> int:
    """Bucket ``number`` of every table in ``folder``: the rows of these (bucket of the city, copy); how many."""
    selects: dict[str, list[str]] = {}
    for bucket, copy in copies:
        key = f"left(subject, 2) || right(md5(subject || '{copy}'), 30)"
        for table, path in _files(bucket):
            counts = f"SELECT * REPLACE ({key} AS subject) FROM read_parquet('{path}')"
            selects.setdefault(table, []).append(counts)
    rows = 0
    for table in city()[2]["tables"]:
        target = bucket_file(folder, table, number)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if table in selects:
            copied = f"COPY ({' UNION ALL '.join(selects[table])}) TO '{target}' (FORMAT parquet)"
            rows += int(duckdb.execute(copied).fetchall()[0][0])
    return rows


def release_of(count: int) -> tuple[Path, int]:
    """A folder with at least ``count`` subjects in the register, and its number of buckets. It is written once."""
    folder, each = OUT / f"multiplied-{count}", [subjects(bucket) for bucket in range(city()[3]["buckets"])]
    copies: list[tuple[int, int]] = []
    while sum(each[bucket] for bucket, _ in copies) < count:
        copies.append((len(copies) % len(each), len(copies) // len(each)))
    stamp, counts = folder / "made.json", json.dumps([city()[1], len(copies)])
    if not stamp.is_file() or stamp.read_text() != counts:
        for number, one in enumerate(track(copies, f"a release of {count:,} subjects")):
            write(folder, number, [one])
        stamp.write_text(counts)
    return folder.resolve(), len(copies)


def _files(bucket: int) -> Iterator[tuple[str, Path]]:
    _, release, order, _, _ = city()
    for table in order["tables"]:
        path = bucket_file(Path(release), table, bucket)
        if path.is_file():
            yield table, path


def _count(path: Path) -> int:
    return int(duckdb.execute(f"SELECT count(*) FROM read_parquet('{path}')").fetchall()[0][0])
