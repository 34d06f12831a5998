"""Read a Parquet file. Moments of a time zone become those of China; lists and structures are refused by name.

``processes/parquet_process.py`` reads the file in a process of its own, with limits on memory and time. The format does
not check that a text is one: a row with damaged bytes in a text stands apart, with its bytes.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from credit.messages import Text
from privacy.files.block import BadLine, Block, bad_file, no_rows
from privacy.files.encodings import NOT_TEXT_REASON
from privacy.files.header import name_for_report

CHINA = 8 * 3600  # seconds ahead of UTC, all year round
MEGABYTES, SECONDS = 2048, 1800  # that one file may take
_SCRIPT = Path(__file__).parent / "processes" / "parquet_process.py"
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_WRONG = (pa.ArrowException, OSError, ValueError, MemoryError, TypeError, KeyError)


def parquet_blocks(path: Path) -> Iterator[Block]:
    """The blocks of a Parquet file; 1 is the number of its first row. Raises nothing."""
    first, total = 1, 0
    command = [sys.executable, "-I", str(_SCRIPT), str(path.resolve()), str(MEGABYTES), str(SECONDS)]
    environment = {"ARROW_DEFAULT_MEMORY_POOL": "system"}  # others reserve more than they use
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as process:
        assert process.stdout is not None
        try:
            with pa.ipc.open_stream(process.stdout) as stream:
                total, names = int(stream.schema.metadata[b"rows"]), _names(stream.schema.names)
                refused = [name for name, kind in zip(names, stream.schema.types, strict=True) if _is_nested(kind)]
                for batch in stream:
                    table = pa.Table.from_batches([batch]).rename_columns(names)
                    if not len(table):
                        continue
                    block = _refused(table, first, refused) if refused else _read(table, first)
                    first += len(table)
                    yield block
            broken = process.wait() != 0  # a stream that ends between two batches is no error of its own
        except _WRONG:
            broken = True
        finally:
            process.stdout.close()
            process.wait()
    if not broken:
        if first == 1:
            yield no_rows(names, {})
    elif first == 1:
        yield bad_file("intake.reason.not-parquet")
    else:
        reason = Text.of("intake.reason.parquet-breaks-off", rows=max(0, total - first + 1))
        yield Block(pa.table({}), np.zeros(0, np.int64), (BadLine(first, reason, ""),))


def _read(table: pa.Table, first: int) -> Block:
    columns = [_as_text(column) for column in table.columns]
    rows = pa.Table.from_arrays(columns, names=table.column_names)
    lines = np.arange(first, first + len(table), dtype=np.int64)
    try:
        rows.validate(full=True)
    except pa.ArrowInvalid:
        return _without_damaged(rows, lines)
    return Block(rows, lines)


def _without_damaged(rows: pa.Table, lines: npt.NDArray[np.int64]) -> Block:
    """The rows of which every cell is text, and the others as lines that cannot be read."""
    cells = [column.cast(pa.binary()).to_pylist() for column in rows.columns]
    damaged = {at for column in cells for at, cell in enumerate(column) if not _is_text(cell)}
    keep = np.array([at not in damaged for at in range(len(rows))], bool)
    content = ((at, b",".join(column[at] for column in cells).hex()) for at in sorted(damaged))
    bad = tuple(BadLine(int(lines[at]), NOT_TEXT_REASON, row) for at, row in content)
    return Block(rows.filter(pa.array(keep)), lines[keep], bad)


def _is_text(cell: bytes) -> bool:
    try:
        cell.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _refused(table: pa.Table, first: int, names: list[str]) -> Block:
    """Every row as one that cannot be read, with the columns that are the reason."""
    shown = ", ".join(dict.fromkeys(name_for_report(name) for name in names))
    reason = Text.of("intake.reason.nested-columns", names=shown)
    rows = (str(row) for row in table.to_pylist())
    bad = tuple(BadLine(first + at, reason, row) for at, row in enumerate(rows))
    return Block(pa.table({}), np.zeros(0, np.int64), bad)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(column.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        moments = column.cast(pa.int64())
        ahead = CHINA * _UNITS[kind.unit] if kind.tz else 0
        column = pc.add(moments, ahead).cast(pa.timestamp(kind.unit))
    if pa.types.is_boolean(kind):
        column = pc.if_else(column, "true", "false")
    text = pc.cast(column, pa.string(), safe=False)
    return pc.fill_null(text, "")


def _is_nested(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_nested(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _names(given: list[str]) -> list[str]:
    """The names of the columns; one that stands twice gets its number."""
    names: list[str] = []
    for number, name in enumerate(given, 1):
        plain = name.strip() or f"column {number}"
        while plain in names:
            plain = f"{plain} ({number})"
        names.append(plain)
    return names
