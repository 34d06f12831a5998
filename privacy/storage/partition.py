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
from privacy.storage.key_set import IDENTITY, KeySet, Positions

BUCKET = "_bucket"
KEY, CONTENT = "_key", "_content"
"""Columns of every table of the catalogue: 16 bytes each of the digest of a row's key and of all that it says."""
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
        self,
        folder: Path,
        data_key: bytes,
        columns: Sequence[str],
        buckets: Buckets | None = None,
        positions: Positions | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """The valid rows, with the columns of these that the file has, in the order of ``columns``.

        With ``positions``, which are sorted, the rows there alone: row groups without one are not read. Raises
        :class:`Missing` when the file is not there, and :class:`Broken` for a changed byte or another key.
        """
        file = _opened(folder, self, self.id, data_key)
        present = set(file.schema_arrow.names)
        stored = [name for name in columns if name in present]
        read = [*stored, *([BUCKET] if buckets and BUCKET in present and BUCKET not in stored else [])]
        replaced = self._positions(folder, data_key)
        for group, start in _groups(file, buckets):
            rows = file.metadata.row_group(group).num_rows
            keep = np.ones(rows, dtype=bool) if positions is None else _marked(positions, start, rows)
            keep &= ~_marked(replaced, start, rows)
            if not keep.any():
                continue
            try:
                whole = file.read_row_group(group, columns=read, use_threads=False)
            except (pa.ArrowException, OSError) as error:
                raise Broken("vault.file-damaged", name=self.table, period=self.period) from error
            if buckets and BUCKET in present:
                given = whole.column(BUCKET).to_numpy()
                keep &= (given >= buckets[0]) & (given < buckets[1])
            table = whole.select(stored) if stored else pa.table({"": pa.nulls(rows)})
            if POSITION in columns:
                table = table.append_column(POSITION, pa.array(np.arange(start, start + rows)))
            table = table if keep.all() else table.filter(pa.array(keep))
            if FILE in columns:
                table = table.append_column(FILE, pa.repeat(pa.scalar(self.id), len(table)))
            yield from table.to_batches()

    def positions_of(self, folder: Path, data_key: bytes, keys: KeySet) -> Positions:
        """The positions of the valid rows whose key is one of these, for which the column of keys alone is read."""
        positions = [np.empty(0, dtype=np.int64)]
        for batch in self.batches(folder, data_key, [KEY, POSITION]):
            positions.append(batch.column(POSITION).to_numpy()[keys.mask(batch.column(KEY))])
        return np.concatenate(positions)

    def with_replaced(self, folder: Path, data_key: bytes, positions: Positions, id: str) -> Partition:
        """The same file with these positions replaced too; they are written under ``id``."""
        replaced = np.union1d(self._positions(folder, data_key), positions)
        with Writer(folder, self.table, self.period, id, data_key, pa.schema([(POSITION, pa.int64())])) as writer:
            writer.write(pa.record_batch({POSITION: pa.array(replaced)}))
        return replace(self, replaced=id, replaced_rows=len(replaced))

    def _positions(self, folder: Path, data_key: bytes) -> Positions:
        if not self.replaced:
            return np.empty(0, dtype=np.int64)
        file = _opened(folder, self, self.replaced, data_key)
        try:
            positions: Positions = file.read(use_threads=False).column(POSITION).to_numpy()
            return positions
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
        self._schema = _with_identities(schema)
        self._writer = pq.ParquetWriter(
            self._stream,
            self._schema,
            compression="zstd",
            use_dictionary=[each.name for each in self._schema if each.type != IDENTITY],
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
            self._writer.write_table(waiting.slice(0, ROWS).cast(self._schema), row_group_size=ROWS)
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


def _with_identities(schema: pa.Schema) -> pa.Schema:
    """The same columns, those that identify a row with 16 bytes each: they need neither lengths nor a dictionary."""
    return pa.schema([pa.field(each.name, IDENTITY) if each.name in (KEY, CONTENT) else each for each in schema])


def _marked(positions: Positions, start: int, rows: int) -> Any:
    """Which of ``rows`` rows from position ``start`` on are among these positions, which are sorted."""
    marked = np.zeros(rows, dtype=bool)
    marked[positions[np.searchsorted(positions, start) : np.searchsorted(positions, start + rows)] - start] = True
    return marked


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
