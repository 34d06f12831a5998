"""The rows of a table of a release as a stream, divided into buckets on disk: one pass over the vault, memory flat.

A bucket is a range of the first byte of a subject's key, which is spread over all rows of the vault. So the rows are
written to one part a bucket as they come, and each part is sorted and written as a file of the release afterwards.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from privacy.duckdb_engine import Engine
from privacy.storage.change import pieces

AT_ONCE = 125_000  # rows
_OWN = ["_bucket", "_why"]  # columns of the stream that are no columns of the release


@contextmanager
def divided(run: Engine, query: str, folder: Path, buckets: Collection[int]) -> Iterator[Counter[str]]:
    """The parts ``<bucket>.part`` of the rows of a query, while the block runs; of ``buckets`` alone.

    The query has ``_why``, the reason for which a row is left out, and ``_bucket``, which is NULL for a row that is
    left out without one. The value counts the rows by reason, and under ``""`` those that are not left out, in all
    buckets.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield _divide(run.batches(query, AT_ONCE), folder, buckets)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def part(folder: Path, bucket: int) -> Path:
    """The file of one part."""
    return folder / f"{bucket}.part"


@contextmanager
def registered_part(run: Engine, name: str, path: Path) -> Iterator[None]:
    """The rows of a part as a relation, for one query."""
    with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as stream:
        run.register(name, stream)
        try:
            yield
        finally:
            run.unregister(name)


def _divide(reader: pa.RecordBatchReader, folder: Path, buckets: Collection[int]) -> Counter[str]:
    schema = pa.schema([each for each in reader.schema if each.name not in _OWN])
    counts = Counter[str]()
    with ExitStack() as opened:
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        parts: dict[int, Any] = {
            bucket: opened.enter_context(pa.ipc.new_stream(str(part(folder, bucket)), schema, options=options))
            for bucket in buckets
        }
        for batch in reader:
            counts.update({each["values"]: each["counts"] for each in _reasons(batch)})
            batch = batch.filter(pc.and_(pc.is_null(batch.column("_why")), pc.is_valid(batch.column("_bucket"))))
            counts[""] += batch.num_rows
            order = pc.sort_indices(batch.column("_bucket"))
            for bucket, rows in pieces(batch.drop_columns(["_why"]).take(order), "_bucket"):
                if bucket in parts:
                    parts[bucket].write_batch(rows)
    return counts


def _reasons(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    reasons: list[dict[str, Any]] = pc.value_counts(batch.column("_why").drop_null()).to_pylist()
    return reasons
