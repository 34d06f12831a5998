"""Reading tables (表格读取) from delimited text, JSON, Parquet, and from inside a text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from credit.messages import Text
from lab.airlock.grid import Grid, is_hidden, number_of
from lab.airlock.issue import Issue, fail
from lab.airlock.thresholds import Thresholds

DELIMITERS = (",", "\t", ";", "|")
_SMALLER = Text.of("airlock.table-fix")
DEPTH = 20  # of nested JSON


def read_delimited(text: str, thresholds: Thresholds) -> Grid | Issue:
    """Delimited text as a grid, or the issue with it. Text without a delimiter is a table of one column."""
    lines = text.splitlines()
    if len(lines) > 20 * thresholds["rows_at_most"]:
        return fail(Text.of("airlock.lines", lines=len(lines)), _SMALLER, lines=len(lines))
    sample = "\n".join(lines[:50])
    best = max(DELIMITERS, key=lambda each: _column_count(sample, each))
    delimiter = best if _column_count(sample, best) > 1 else ","
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True) if row]
    except csv.Error:
        return fail(Text.of("airlock.not-delimited"), Text.of("airlock.write-csv"))
    widths = {len(row) for row in rows}
    if not rows or len(widths) > 1:
        return fail(Text.of("airlock.ragged"), Text.of("airlock.write-csv"))
    header, body = rows[0], rows[1:]
    if all(number_of(cell) is not None for cell in header):  # there is no header: the first row is data
        header, body = [f"column {n + 1}" for n in range(len(header))], rows
    return Grid.of(*_merge_header_rows(header, body))


def _merge_header_rows(header: list[str], body: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Merge the header rows of a pandas table with several: rows of words above the first row with numbers."""
    above = 0
    while above < min(3, len(body) - 1) and not any(number_of(cell) is not None for cell in body[above]):
        words = [cell for cell in body[above][1:] if not is_hidden(cell)]
        if not words and not (above and body[above][0]):
            break
        above += 1
    if not above or not any(number_of(cell) is not None for row in body[above:] for cell in row[1:]):
        return header, body
    return [" ".join(filter(None, names)) for names in zip(header, *body[:above], strict=True)], body[above:]


def _column_count(sample: str, delimiter: str) -> int:
    """The number of columns by this delimiter in every line of a sample; 0 when the lines differ."""
    try:
        widths = {len(row) for row in csv.reader(io.StringIO(sample), delimiter=delimiter) if row}
    except csv.Error:
        return 0
    return widths.pop() if len(widths) == 1 else 0


def read_parquet(content: bytes, thresholds: Thresholds) -> tuple[Grid, bytes] | Issue:
    """A Parquet file as a grid, and a new Parquet file of it without metadata; or the issue with it.

    Its size is limited before it is decompressed.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet_file = pq.ParquetFile(pa.BufferReader(content))
        size = sum(
            parquet_file.metadata.row_group(n).total_byte_size for n in range(parquet_file.metadata.num_row_groups)
        )
        if parquet_file.metadata.num_rows > thresholds["rows_at_most"] or size > thresholds["file_bytes_at_most"]:
            return fail(
                Text.of("airlock.parquet-rows", rows=parquet_file.metadata.num_rows, size=size),
                _SMALLER,
                rows=parquet_file.metadata.num_rows,
            )
        table = parquet_file.read()
        if table.nbytes > thresholds["file_bytes_at_most"]:
            return fail(Text.of("airlock.larger-than-said"), _SMALLER)
        without_metadata = table.replace_schema_metadata(None)
        columns = [_texts(without_metadata.column(n).to_pylist()) for n in range(without_metadata.num_columns)]
    except (pa.ArrowException, OSError, ValueError, UnicodeDecodeError):
        return fail(Text.of("airlock.not-parquet"), Text.of("airlock.not-parquet-fix"))
    sink = pa.BufferOutputStream()
    pq.write_table(without_metadata, sink, store_schema=False)
    rows = list(zip(*columns, strict=True))
    return Grid.of([str(name) for name in without_metadata.column_names], rows), sink.getvalue().to_pybytes()


def read_json(text: str) -> list[Grid] | Issue:
    """Every table in a JSON text: lists of records, columns of lists, lists of numbers; other values form one row."""
    try:
        value = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return fail(Text.of("airlock.not-json"), Text.of("airlock.not-json-fix"))
    grids: list[Grid] = []
    single: dict[str, str] = {}
    try:
        _collect_tables(value, "", grids, single, 0)
    except RecursionError:
        return fail(Text.of("airlock.nested"), Text.of("airlock.nested-fix"))
    if single:
        grids.append(Grid.of(list(single), [list(single.values())], "its single values"))
    return grids


def _collect_tables(value: Any, path: str, grids: list[Grid], single: dict[str, str], depth: int) -> None:
    if depth > DEPTH:
        raise RecursionError
    if isinstance(value, dict) and set(value) == {"schema", "data"} and isinstance(value["data"], list):
        value = value["data"]  # pandas' orient="table"
    if isinstance(value, dict) and set(value) >= {"columns", "data"} and isinstance(value["data"], list):
        grids.append(_grid([str(each) for each in value["columns"]], value["data"], path))  # orient="split"
    elif (
        isinstance(value, dict)
        and value
        and all(isinstance(each, (list, dict)) for each in value.values())
        and _is_columnar(value)
    ):
        grids.append(_by_columns(value, path))
    elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        names = list(dict.fromkeys(str(name) for each in value for name in each))
        grids.append(_grid(names, [[each.get(name) for name in names] for each in value], path))
    elif isinstance(value, list) and value and all(isinstance(each, list) for each in value):
        width = max(len(each) for each in value)
        names = [f"column {n + 1}" for n in range(width)]
        grids.append(_grid(names, [each + [None] * (width - len(each)) for each in value], path))
    elif isinstance(value, list):
        if value:
            grids.append(_grid([path or "values"], [[each] for each in value], path))
    elif isinstance(value, dict):
        for name, each in value.items():
            _collect_tables(each, f"{path}.{name}".strip("."), grids, single, depth + 1)
    else:
        single[path or "value"] = text_of(value)


def _is_columnar(columns: dict[str, Any]) -> bool:
    """True for a mapping of columns: lists of one length, or mappings with the same row names to plain values."""
    values = list(columns.values())
    if all(isinstance(one, list) and one and not any(isinstance(x, (list, dict)) for x in one) for one in values):
        return len({len(one) for one in values}) == 1
    if not all(isinstance(one, dict) for one in values):
        return False
    plain = all(not isinstance(value, (dict, list)) for one in values for value in one.values())
    return plain and len({frozenset(one) for one in values}) == 1 and len(values[0]) > 1


def _by_columns(value: dict[str, Any], path: str) -> Grid:
    first = next(iter(value.values()))
    if isinstance(first, list):
        return _grid(list(value), [list(row) for row in zip(*value.values(), strict=True)], path)
    return _grid(["row", *value], [[name, *(each[name] for each in value.values())] for name in first], path)


def _grid(header: list[str], rows: list[list[Any]], label: str) -> Grid:
    width = len(header)
    padded = [(row if isinstance(row, list) else [row])[:width] for row in rows]
    extra = [row for row in rows if isinstance(row, list) and len(row) > width]
    if extra:  # keep cells beyond the header
        width = max(len(row) for row in extra)
        header = [*header, *(f"column {n + 1}" for n in range(len(header), width))]
        padded = [row if isinstance(row, list) else [row] for row in rows]
    return Grid.of(header, [[text_of(each) for each in [*row, *[None] * (width - len(row))]] for row in padded], label)


def _texts(values: list[Any]) -> list[str]:
    return [text_of(each) for each in values]


def text_of(value: Any) -> str:
    """A value as the text of a cell; a nested value as JSON, nothing omitted."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def tables_in_text(text: str, minimum: int) -> Iterator[Grid]:
    """The tables inside a text: at least ``minimum`` consecutive lines with equally many cells and a number in each."""
    block: dict[str, list[list[str]]] = {}  # rows by each delimiter that splits all lines into equally many cells
    start, heading, before = 0, "", ""
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        cells = _cells(line)
        kept = {by: [*rows, cells[by]] for by, rows in block.items() if by in cells and len(cells[by]) == len(rows[0])}
        if kept:
            block = kept
            continue
        yield from _block_as_grid(block, heading, start, minimum)
        block, start, heading = {by: [each] for by, each in cells.items()}, number, before
        if not _RULE.fullmatch(line):
            before = line


def _block_as_grid(block: dict[str, list[list[str]]], heading: str, start: int, minimum: int) -> Iterator[Grid]:
    rows = next(iter(block.values()), [])
    if len(rows) >= minimum:
        yield Grid.of(_header(heading, len(rows[0])), rows, f"lines {start} to {start + len(rows) - 1}")


def _header(line: str, width: int) -> list[str]:
    """The column names in the line above a block when their number fits; the index may lack a name."""
    for delimiter in _CELLS:
        names = re.split(delimiter, _strip_row_marks(line))
        if len(names) in (width, width - 1) and len(names) > 1:
            return [*["row"][: width - len(names)], *names]
    return [f"column {n + 1}" for n in range(width)]


_CELLS = (r"\s*\|\s*", r"\t", r"\s*;\s*", r"\s*,\s*", r"\s{2,}", r"\s+")
_RULE = re.compile(r"[\s|:+=-]+")


def _strip_row_marks(line: str) -> str:
    """A line without bullets, brackets and outer bars around a row."""
    return re.sub(r"^[\s#|>*\[({]+|[\s|\])},;]+$", "", line)


def _cells(line: str) -> dict[str, list[str]]:
    """The cells of a line that may be a table row, by each delimiter that fits it."""
    bare, cells_by_delimiter = _strip_row_marks(line), {}
    for delimiter in _CELLS:
        cells = [cell.strip().strip("\"'") for cell in re.split(delimiter, bare)]
        numbers = [number_of(cell) is not None for cell in cells]
        words = delimiter == r"\s+" and not (
            numbers[-1] or 2 * sum(numbers) >= len(cells)
        )  # prose that contains a number
        if len(cells) > 1 and any(numbers) and not words:
            cells_by_delimiter[delimiter] = cells
    return cells_by_delimiter or ({"": [bare]} if number_of(bare) is not None else {})
