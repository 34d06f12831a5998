"""Writing a table (表格写出): as CSV and as Parquet, from the model, in one way only."""

from __future__ import annotations

from decimal import Decimal

from lab.airlock.kinds.tables.table_model import TableColumn, TableModel


def as_csv(table: TableModel) -> bytes:
    """CSV (RFC 4180) in UTF-8: labels in quotes, numbers without, a missing value empty, lines ending in LF."""
    header = ",".join(_quoted(column.name) for column in table.columns)
    columns = [_written(column, alone=len(table.columns) == 1) for column in table.columns]
    return "".join(f"{line}\n" for line in (header, *map(",".join, zip(*columns, strict=True)))).encode()


def as_parquet(table: TableModel) -> bytes:
    """The table as Parquet: whole numbers as int64, others as float64, labels as strings, without metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {column.name: pa.array(*_typed(column)) for column in table.columns}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(arrays), sink, store_schema=False)
    return bytes(sink.getvalue().to_pybytes())


def _written(column: TableColumn, *, alone: bool) -> list[str]:
    missing = '""' if alone else ""  # a row of one missing value would be a blank line, which readers skip
    texts = zip(column.cells, column.texts, strict=True)
    return [missing if cell is None else text if column.numeric else _quoted(text) for cell, text in texts]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _typed(column: TableColumn) -> tuple[list[object], str]:
    if not column.numeric:
        return list(column.cells), "string"
    cells = [cell for cell in column.cells if not isinstance(cell, str)]
    if column.decimals:
        return [None if cell is None else float(cell) for cell in cells], "double"
    return [None if cell is None else int(Decimal(cell)) for cell in cells], "int64"
