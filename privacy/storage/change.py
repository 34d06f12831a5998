"""A change of a vault: files are added, rows replaced, tables written again; all of it counts at once, or none."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from privacy.storage import file_list
from privacy.storage.data_keys import DataKeys
from privacy.storage.file_list import FileList
from privacy.storage.key_set import Positions
from privacy.storage.partition import Partition, Writer

PERIOD = "_period"  # the column of the rows that are appended which says the period of each
WHOLE = "all"  # the period of a table that has one alone


@dataclass(slots=True)
class Change:
    """What a change adds and replaces. The caller has exclusive access; ``commit`` makes it count."""

    folder: Path
    keys: DataKeys
    files: FileList
    is_changed: bool = field(default=False, init=False)

    def append(self, table: str, rows: Iterable[pa.RecordBatch]) -> int:
        """Add rows, which are sorted by their column ``_period``; returns their number. Each period gets one file."""
        made: list[Partition] = []
        for period, batches in itertools.groupby(_by_period(rows), key=lambda each: each[0]):
            made.append(self._file(table, period, (batch for _, batch in batches)))
        made = [file for file in made if file.rows]
        if made:
            self._set(table, (*self.files.of(table), *made))
        return sum(file.rows for file in made)

    def write(self, table: str, rows: Iterable[pa.RecordBatch]) -> int:
        """Write a small table in place of the stored one, in one file."""
        file = self._file(table, WHOLE, rows)
        self._set(table, (file,))
        return file.rows

    def replace(self, table: str, positions: Mapping[str, Positions]) -> None:
        """Say which rows of stored files do not count any more: the id of a file -> positions in it."""
        files = [
            self._without(file, positions[file.id]) if file.id in positions else file for file in self.files.of(table)
        ]
        if any(len(each) for each in positions.values()):
            self._set(table, files)

    def compacted(self, table: str, period: str, rows: Iterable[pa.RecordBatch]) -> None:
        """Put one file in the place of all files of a period."""
        file = self._file(table, period, rows)
        others = [each for each in self.files.of(table) if each.period != period]
        self._set(table, [*others, *([file] if file.rows else [])])

    def without_period(self, table: str, period: str) -> None:
        """Take the files of a period out of the list."""
        self._set(table, [each for each in self.files.of(table) if each.period != period])

    def has(self, table: str, period: str) -> bool:
        """True when a table has files of a period."""
        return bool(self.files.of(table, [period]))

    def begin_after(self, generation: int) -> None:
        """Let the list of this change have a number above ``generation``."""
        self.files = FileList(max(self.files.generation, generation), self.files.tables)

    def commit(self) -> FileList:
        """Make the change count, if there is one."""
        return file_list.write(self.folder, self.keys, self.files) if self.is_changed else self.files

    def _set(self, table: str, files: Iterable[Partition]) -> None:
        self.files, self.is_changed = self.files.with_files(table, files), True

    def _file(self, table: str, period: str, rows: Iterable[pa.RecordBatch]) -> Partition:
        batches = iter(rows)
        if (first := next(batches, None)) is None:
            return Partition(table, period, "", 0)
        key = self.keys.key_or_new(table, period)
        with Writer(self.folder, table, period, uuid.uuid4().hex, key, first.schema) as writer:
            for batch in itertools.chain([first], batches):
                writer.write(batch)
        return writer.partition

    def _without(self, file: Partition, positions: Positions) -> Partition:
        key = self.keys.key(file.table, file.period)
        return file.with_replaced(self.folder, key, positions, uuid.uuid4().hex)


def _by_period(rows: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
    for batch in rows:
        yield from pieces(batch, PERIOD)


def pieces(batch: pa.RecordBatch, column: str) -> Iterator[tuple[Any, pa.RecordBatch]]:
    """A batch that is sorted by a column, in pieces of one value each, without that column."""
    if not batch.num_rows:
        return
    runs = pc.run_end_encode(batch.column(column))
    ends, values = runs.run_ends.to_pylist(), runs.values.to_pylist()
    rest = batch.drop_columns([column])
    for value, start, end in zip(values, [0, *ends], ends, strict=False):
        yield value, rest.slice(start, end - start)
