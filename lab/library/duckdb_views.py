"""The adapter to DuckDB: as-of views (时点视图) of the granted tables, with the tables' names, for any SELECT.

A view of a day shows what :mod:`models.features.views` shows to a feature: records that had happened, were known and
could lawfully be used by then; a later date inside a row is null. Columns of a register that describe today exist only
on the tables' own day. Each view also has ``as_of``, so that a query can be used as a feature without changes.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from credit.errors import Malformed
from credit.messages import Text
from lab.library.workspace_data import PracticeTables
from models.features.duckdb_engine import quote_identifier, quote_literal
from models.features.feature_sql import CURRENT_COLUMNS, hint
from models.features.views import TIME_COLUMNS, visible_at

MEMORY = "HAIHE_LAB_MEMORY"  # in DuckDB's notation; default 1GB
KEPT = 4  # days whose views stay in memory
_TABLE = re.compile(r"Table with name \"?(\w+)")
_COLUMN = re.compile(r"column (?:named )?\"?(?:\w+\.)?(\w+)\"? (?:not found|does not)|have a column named \"(\w+)\"")
_FUNCTION = re.compile(r"Function with name (\w+)")
_kept: OrderedDict[tuple[str, str, date], Views] = OrderedDict()


class Views:
    """An in-memory database with the views of practice tables on one day."""

    def __init__(self, practice: PracticeTables, day: date) -> None:
        self.practice, self.day = practice, day
        self.columns: dict[str, list[str]] = {}
        memory = os.environ.get(MEMORY, "1GB")
        self._run = duckdb.connect(":memory:", config={"memory_limit": memory, "temp_directory": tempfile.gettempdir()})
        self._run.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
        for table in practice.granted:
            if practice.dated(table) or day == practice.as_of:
                self._view(table)

    def query(self, sql: str, most: int) -> tuple[pa.Table, bool, list[str]]:
        """At most ``most`` rows of one SELECT, whether these are all rows, and the tables it read.

        Raises :class:`Malformed` with the reason and the most similar name.
        """
        try:
            statements = self._run.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise Malformed(
                    "duckdb-views.lab-sql-takes-one-select",
                    why=Text.of("duckdb-views.statements", count=len(statements))
                    if len(statements) != 1
                    else Text.of("duckdb-views.not-select"),
                )
            read = sorted(set(self._named(sql)) & set(self.columns))
            table = self._run.sql(sql).limit(most + 1).to_arrow_table()
        except duckdb.Error as error:
            raise self._in_words(error) from None
        return table.slice(0, most), table.num_rows <= most, read

    def _named(self, sql: str) -> Iterator[str]:
        """Every table that a SELECT names, in any of its scopes."""
        (row,) = self._run.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
        nodes = [json.loads(row[0])]
        while nodes:
            node = nodes.pop()
            if isinstance(node, dict):
                if isinstance(name := node.get("table_name"), str):
                    yield name.lower()
                nodes += node.values()
            elif isinstance(node, list):
                nodes += node

    def _view(self, table: str) -> None:
        types, source = self.practice.terms["tables"][table]["columns"], self._source(table)
        here = [row[0] for row in self._run.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
        is_register = table == self.practice.register
        today = self.day == self.practice.as_of
        day, shown = f"DATE '{self.day}'", []
        for name in here:
            if name in TIME_COLUMNS or (is_register and not today and name in CURRENT_COLUMNS):
                continue
            value = f"t.{quote_identifier(name)}"
            seen = f"CASE WHEN {value} <= {day} THEN {value} END" if types.get(name) == "DATE" else value
            shown.append(f"{seen} AS {quote_identifier(name)}")
            self.columns.setdefault(table, []).append(name)
        shown += [f"{day} AS as_of", *(f"t.{name}" for name in TIME_COLUMNS if name in types)]
        where = f"WHERE {visible_at('t', day)}" if self.practice.dated(table) else ""
        self._run.execute(f"CREATE VIEW {quote_identifier(table)} AS SELECT {', '.join(shown)} FROM {source} t {where}")

    def _source(self, table: str) -> str:
        return f"read_parquet({quote_literal(self.practice.files(table))})"

    def _in_words(self, error: duckdb.Error) -> Malformed:
        message = str(error).strip()
        why = message.splitlines()[0].partition(": ")[2] or message.splitlines()[0]
        if match := _TABLE.search(message):
            return self._no_table(match.group(1))
        if match := _COLUMN.search(message):
            name = match.group(1) or match.group(2)
            known = {column for columns in self.columns.values() for column in columns}
            if name in CURRENT_COLUMNS and self.day != self.practice.as_of:
                remedy = Text.of("duckdb-views.of-tables-day", name=name, as_of=self.practice.as_of, day=self.day)
            else:
                remedy = hint(name, known)
            return Malformed("duckdb-views.no-column", remedy=remedy, name=name)
        if match := _FUNCTION.search(message):
            near = re.search(r"Did you mean \"(.+?)\"", message)
            suggestion = Text.of("suggest.did-you-mean", name=near.group(1)) if near else None
            return Malformed("duckdb-views.no-function", remedy=suggestion, value=match.group(1))
        return Malformed("duckdb-views.sql-cannot-run", why=Text.verbatim(why), remedy=_line(message))

    def _no_table(self, name: str) -> Malformed:
        if name in self.practice.granted:
            return Malformed("duckdb-views.cannot-be-seen-as", name=name, day=self.day)
        if name in self.practice.terms["tables"]:
            return Malformed("duckdb-views.table-not-granted-to-project", name=name)
        return Malformed("duckdb-views.no-table", remedy=hint(name, self.columns), name=name)


def views(practice: PracticeTables, day: date) -> Views:
    """The views of a day, created once and cached for the last :data:`KEPT` days."""
    key = (practice.id, str(practice.folder), day)
    cached = _kept.pop(key, None) or Views(practice, day)
    _kept[key] = cached
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return cached


def _line(message: str) -> Text | None:
    """The line of the SQL that DuckDB's message quotes, or None."""
    line = next((line for line in message.splitlines() if line.startswith("LINE ")), "")
    return Text.of("duckdb-views.see-line", line=line) if line else None


def as_text(value: Any) -> str:
    """A value as text for display."""
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
