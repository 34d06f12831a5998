"""One encrypted file of a table and period: Parquet modular encryption, AES-256-GCM in every module (AES_GCM_V1).

Its rows are sorted by ``_bucket``, the first byte of the digest of the subject's code, so that a reader of some buckets
decrypts their row groups alone. Rows that were replaced later are in a second small file of their positions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from credit.errors import Broken, Missing
from privacy.storage.data_keys import file_key

BUCKET = "_bucket"
FILE, POSITION = "_partition", "_position"
"""Columns that a reader may request besides those of the file: its id and the place of the row in it."""
Buckets = tuple[int, int]  # from this byte up to, and without, that one
ROWS = 125_000  # of a row group, which is also what a reader has in memory of a file


@dataclass(frozen=True, slots=True)
class Partition:
    """A file of a table, its number of rows, and the file of the positions of replaced rows (empty: there are none)."""

    table: str
    period: str
    id: str
    rows: int
    replaced: str = ""
    replaced_rows: int = 0

    @property
    def valid_rows(self) -> int:
        """The number of rows that were not replaced."""
        return self.rows - self.replaced_rows

    def path(self, folder: Path) -> Path:
        """Its place in the vault's folder."""
        return _path(folder, self.table, self.period, self.id)

    def replaced_path(self, folder: Path) -> Path:
        """The place of the positions of its replaced rows."""
        return _path(folder, self.table, self.period, self.replaced)

    def schema(self, folder: Path, data_key: bytes) -> pa.Schema:
        """The columns of the file."""
        return _opened(folder, self, self.id, data_key).schema_arrow

    def batches(
        self, folder: Path, data_key: bytes, columns: Sequence[str], buckets: Buckets | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The valid rows, with the columns of these that the file has, in the order of ``columns``.

        Raises :class:`Missing` when the file is not there, and :class:`Broken` for a changed byte or another key.
        """
        file = _opened(folder, self, self.id, data_key)
        present = set(file.schema_arrow.names)
        stored = [name for name in columns if name in present]
        read = [*stored, *([BUCKET] if buckets and BUCKET in present and BUCKET not in stored else [])]
        replaced = self._positions(folder, data_key)
        for group, start in _groups(file, buckets):
            try:
                whole = file.read_row_group(group, columns=read, use_threads=False)
            except (pa.ArrowException, OSError) as error:
                raise Broken("vault.file-damaged", name=self.table, period=self.period) from error
            rows = file.metadata.row_group(group).num_rows
            keep = np.ones(rows, dtype=bool)
            keep[replaced[np.searchsorted(replaced, start) : np.searchsorted(replaced, start + rows)] - start] = False
            if buckets and BUCKET in present:
                given = whole.column(BUCKET).to_numpy()
                keep &= (given >= buckets[0]) & (given < buckets[1])
            chosen = [whole.column(name) for name in stored]
            names = list(stored)
            for name, values in (
                (FILE, pa.repeat(pa.scalar(self.id), rows)),
                (POSITION, np.arange(start, start + rows)),
            ):
                if name in columns:
                    names.append(name)
                    chosen.append(pa.chunked_array([values]))
            table = pa.table(chosen, names=names) if chosen else pa.table({"": pa.nulls(rows)})
            yield from (table if keep.all() else table.filter(pa.array(keep))).to_batches()

    def with_replaced(self, folder: Path, data_key: bytes, positions: pa.Array, id: str) -> Partition:
        """The same file with these positions replaced too; they are written under ``id``."""
        replaced = np.union1d(self._positions(folder, data_key), np.asarray(positions, dtype=np.int64))
        with Writer(folder, self.table, self.period, id, data_key, pa.schema([(POSITION, pa.int64())])) as writer:
            writer.write(pa.record_batch({POSITION: pa.array(replaced)}))
        return replace(self, replaced=id, replaced_rows=len(replaced))

    def _positions(self, folder: Path, data_key: bytes) -> Any:
        if not self.replaced:
            return np.empty(0, dtype=np.int64)
        file = _opened(folder, self, self.replaced, data_key)
        try:
            return file.read(use_threads=False).column(POSITION).to_numpy()
        except (pa.ArrowException, OSError) as error:
            raise Broken("vault.file-damaged", name=self.table, period=self.period) from error


class Writer:
    """Writes one encrypted file, which is on disk when the writer is closed."""

    def __init__(self, folder: Path, table: str, period: str, id: str, data_key: bytes, schema: pa.Schema) -> None:
        self.partition = Partition(table, period, id, 0)
        path = self.partition.path(folder)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._stream = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        key = file_key(data_key, _place(table, period, id))
        self._writer = pq.ParquetWriter(
            self._stream,
            schema,
            compression="zstd",
            use_dictionary=[
                name for name in schema.names if not pa.types.is_fixed_size_binary(schema.field(name).type)
            ],
            encryption_properties=pe.create_encryption_properties(key, aad_prefix=_place(table, period, id).encode()),
        )
        self._waiting: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        self._waiting.append(batch)
        self.partition = replace(self.partition, rows=self.partition.rows + batch.num_rows)
        if sum(each.num_rows for each in self._waiting) >= ROWS:
            self._flush(ROWS)

    def close(self) -> None:
        """Write what waits, and make the file durable."""
        self._flush(1)
        self._writer.close()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def _flush(self, least: int) -> None:
        """Write row groups of ``ROWS`` rows, and at last one of what is left."""
        waiting = pa.Table.from_batches(self._waiting) if self._waiting else None
        while waiting is not None and waiting.num_rows >= least:
            self._writer.write_table(waiting.slice(0, ROWS), row_group_size=ROWS)
            waiting = waiting.slice(ROWS)
        self._waiting = waiting.to_batches() if waiting is not None and waiting.num_rows else []

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None:
            self.close()
            return
        with suppress(Exception):  # the error of the block is the one to know; the file is in no list, and is deleted
            self._writer.close()
        with suppress(OSError):
            self._stream.close()


def _path(folder: Path, table: str, period: str, id: str) -> Path:
    return folder / table / period / f"{id}.parquet"


def _place(table: str, period: str, id: str) -> str:
    return f"{table}/{period}/{id}"


def _opened(folder: Path, partition: Partition, id: str, data_key: bytes) -> Any:
    table, period = partition.table, partition.period
    place = _place(table, period, id)
    keys = pe.create_decryption_properties(file_key(data_key, place), aad_prefix=place.encode())
    try:
        return pq.ParquetFile(_path(folder, table, period, id), decryption_properties=keys)
    except FileNotFoundError as error:
        raise Missing("vault.file-missing", name=table, period=period) from error
    except (pa.ArrowException, OSError) as error:
        raise Broken("vault.file-damaged", name=table, period=period) from error


def _groups(file: Any, buckets: Buckets | None) -> Iterator[tuple[int, int]]:
    """The row groups that can have rows of these buckets: their number, and the position of their first row."""
    start = 0
    column = file.schema_arrow.names.index(BUCKET) if BUCKET in file.schema_arrow.names else None
    for group in range(file.metadata.num_row_groups):
        metadata = file.metadata.row_group(group)
        statistics = metadata.column(column).statistics if buckets and column is not None else None
        if buckets is None or statistics is None or not (statistics.max < buckets[0] or statistics.min >= buckets[1]):
            yield group, start
        start += metadata.num_rows
