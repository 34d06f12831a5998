"""The format of tables (表格格式): one model for CSV, JSON and Parquet, which leaves as CSV and as Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from credit.messages import Text
from lab.airlock.checks.table_judging import judge_tables
from lab.airlock.files import text as texts
from lab.airlock.issue import Issue, fail, review, run_checks
from lab.airlock.kinds.file_format import ModelFindings, ReadFile
from lab.airlock.kinds.shown import Shown, TableBlock
from lab.airlock.kinds.tables.row_order import rows_in_order
from lab.airlock.kinds.tables.table_model import TableColumn, TableModel
from lab.airlock.kinds.tables.writing import as_csv, as_parquet
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds
from lab.airlock.words.unreadable import unreadable_bits


@dataclass(frozen=True, slots=True)
class TableFormat:
    """Tables in one notation, which ``reader`` reads; all notations have one model and are written alike."""

    reader: Callable[[bytes, Thresholds], ReadFile[TableModel] | Issue]

    def read(self, content: bytes, t: Thresholds) -> ReadFile[TableModel] | Issue:
        """The table with its rows in order, or the issue that names what has no place in it."""
        given = self.reader(content, t)
        if isinstance(given, Issue):
            return given
        rows = list(zip(*(column.texts for column in given.model.columns), strict=True))
        order = rows_in_order(rows, t["row_order_bits_at_most"])
        if order == sorted(order):
            return given
        columns = (TableColumn(each.name, tuple(each.cells[n] for n in order)) for each in given.model.columns)
        return ReadFile(TableModel(tuple(columns)), {**given.rewritten, "airlock.rewritten-order": len(order)})

    def judge(self, name: str, model: TableModel, about: FileDescription, t: Thresholds) -> ModelFindings:
        """The checks of the table's whole text, and those of its cells."""
        findings = texts.check_text(name, _as_lines(model), texts.TABLE_CHECKS, t)
        findings += run_checks(name, model, (("words", words_in_labels),), t)
        in_cells, cases = judge_tables(name, [model.grid], about, t)
        return ModelFindings((*findings, *in_cells), cases)

    def show(self, model: TableModel) -> Shown:
        """The whole table with the type of each column: nothing that leaves is beside it."""
        rows = tuple(zip(*(column.texts for column in model.columns), strict=True))
        header, types = (tuple(getattr(each, what) for each in model.columns) for what in ("name", "type"))
        return Shown((TableBlock(header, rows, types),))

    def write(self, name: str, model: TableModel) -> dict[str, bytes]:
        """``bands.csv`` and ``bands.parquet`` for a table that was given as ``bands`` with any ending."""
        stem = name.rpartition(".")[0]
        return {f"{stem}.csv": as_csv(model), f"{stem}.parquet": as_parquet(model)}


def words_in_labels(model: TableModel, t: Thresholds) -> Iterator[Issue]:
    """Labels and names of columns are words, except for a few bits: more is for reviewers, and much more is data."""
    labels = [text for column in model.columns for text in (column.name, *(() if column.numeric else column.texts))]
    bits = unreadable_bits("\n".join(dict.fromkeys(labels)))
    if bits.total > t["unreadable_bits_at_most"]:
        make_issue = fail if bits.total > t["unreadable_label_bits_fail_from"] else review
        limit = t["unreadable_bits_at_most"]  # without examples: a label may be what names a subject
        why = Text.of("airlock.unreadable-labels", bits=round(bits.total), limit=limit)
        yield make_issue(why, Text.of("airlock.unreadable-labels-fix"))


def _as_lines(model: TableModel) -> str:
    """The table with bars between its cells, so that short numbers side by side are not read as one encoded text."""
    columns = [(column.name, *column.texts) for column in model.columns]
    return "\n".join(f"| {' | '.join(row)} |" for row in zip(*columns, strict=True))
