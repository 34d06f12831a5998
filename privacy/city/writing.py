"""Write raw files in the form in which departments send them: one CSV per table, some rows in an older layout."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from credit.catalogue import Table
from privacy.city.dirt import DirtyTable

_OPTIONS = pacsv.WriteOptions(include_header=False, quoting_style="none")
UNKNOWN = "内部流水号"  # a column that no catalogue has
UNREADABLE = b"\xff\xff"  # the beginning of no character, in UTF-8 and in GB18030: a line that was damaged on its way


class Files:
    """The open CSV files of one city; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, BinaryIO] = {}
        self.rows: dict[str, int] = {}

    def __enter__(self) -> Files:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        for stream in self._open.values():
            stream.close()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files that were written."""
        return tuple(sorted(self._open))

    def add(self, table: Table, dirty_table: DirtyTable, older: pa.Table | None = None) -> None:
        """Append rows to ``<table>.csv``, with damaged lines in the middle; other layouts go to files of their own."""
        self.rows.setdefault(table.name, 0)
        rows, half = dirty_table.rows, dirty_table.rows.num_rows // 2
        stream = self._stream(f"{table.name}.csv", rows.column_names)
        pacsv.write_csv(rows.slice(0, half), stream, _OPTIONS)
        if dirty_table.other_encoding.num_rows:
            lines = _bytes(dirty_table.other_encoding).removesuffix(b"\n").split(b"\n")
            stream.write(b"".join(line + UNREADABLE + b"\n" for line in lines))
        pacsv.write_csv(rows.slice(half), stream, _OPTIONS)
        self.rows[table.name] += rows.num_rows + dirty_table.other_encoding.num_rows
        if dirty_table.unknown_column.num_rows:
            more = dirty_table.unknown_column
            numbers = pa.array([f"NB{k:04d}" for k in range(more.num_rows)])
            self._extra(table, f"{table.name}_returned.csv", more.append_column(UNKNOWN, numbers))
        if older is not None and older.num_rows:
            self._extra(table, f"{table.name}_2015.csv", older)

    def _extra(self, table: Table, name: str, rows: pa.Table) -> None:
        pacsv.write_csv(rows, self._stream(name, rows.column_names), _OPTIONS)
        self.rows[table.name] += rows.num_rows

    def _stream(self, name: str, header: list[str]) -> BinaryIO:
        if name not in self._open:
            self._open[name] = (self._folder / name).open("wb", buffering=1 << 20)
            self._open[name].write((",".join(header) + "\n").encode("utf-8"))
        return self._open[name]


def in_layout(table: Table, rows: pa.Table, layout: str) -> pa.Table:
    """The rows with the headers of an older layout, without the fields that the layout does not have."""
    renamed = {source: field for source, field in table.layouts[layout].items() if not source.startswith("=")}
    older = rows.select(list(renamed.values())).rename_columns(list(renamed))
    for source, field in renamed.items():
        if table.field(field).column == "legacy_state":
            zeros = pc.cast(pa.array([0] * rows.num_rows), pa.string())
            older = older.set_column(older.column_names.index(source), source, zeros)
    return older


def _bytes(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pacsv.write_csv(rows, sink, _OPTIONS)
    return bytes(sink.getvalue())
