"""Which format reads which kind of file (格式登记): gate, console and sealing take formats from here alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lab.airlock.files.file_kinds import FileKind
from lab.airlock.kinds.file_format import FileFormat
from lab.airlock.kinds.models.model_copy import ModelShelf
from lab.airlock.kinds.models.model_format import ModelFormat
from lab.airlock.kinds.pictures.picture_format import JPEG, PNG
from lab.airlock.kinds.tables.delimited import read_delimited
from lab.airlock.kinds.tables.json_reading import read_json
from lab.airlock.kinds.tables.parquet_reading import read_parquet
from lab.airlock.kinds.tables.table_format import TableFormat
from lab.airlock.kinds.texts.notebook_format import NotebookFormat
from lab.airlock.kinds.texts.python_code import python_lines
from lab.airlock.kinds.texts.sql_code import sql_lines
from lab.airlock.kinds.texts.text_format import CodeFormat, ProseFormat

_FORMATS: Mapping[FileKind, FileFormat[Any]] = MappingProxyType(
    {
        FileKind.TABLE: TableFormat(read_delimited),
        FileKind.JSON: TableFormat(read_json),
        FileKind.PARQUET: TableFormat(read_parquet),
        FileKind.PNG: PNG,
        FileKind.JPEG: JPEG,
        FileKind.TEXT: ProseFormat(),
        FileKind.PYTHON: CodeFormat("python", python_lines),
        FileKind.SQL: CodeFormat("sql", sql_lines),
        FileKind.NOTEBOOK: NotebookFormat(),
    }
)


def format_of(kind: FileKind, models: ModelShelf | None = None) -> FileFormat[Any] | None:
    """The format that reads a kind of file; None for a kind that does not leave.

    ``models`` is where a model is looked up by its name; without it, no model is read.
    """
    return ModelFormat(models) if kind is FileKind.VERSION else _FORMATS.get(kind)
