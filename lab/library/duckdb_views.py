"""The lab's door to DuckDB: as-of views (时点视图) of the granted tables, named as the tables, for any SELECT.

What is seen at a day is what :mod:`models.features.views` lets a feature see: what had happened, was known and could
lawfully be
used by then; a date within a row that lies after the day is null. A register's columns of today are there on the
release's own day alone. Beside its columns each view has ``as_of``, so a query can become a feature as it stands.
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
from lab.library.workspace_data import Release
from models.features.duckdb_engine import quoted, text
from models.features.feature_sql import OF_TODAY, hint
from models.features.views import TIMES, visible_at

MEMORY = "HAIHE_LAB_MEMORY"  # in DuckDB's words; 1GB unless set
KEPT = 4  # days whose views are kept
_TABLE = re.compile(r"Table with name \"?(\w+)")
_COLUMN = re.compile(r"column (?:named )?\"?(?:\w+\.)?(\w+)\"? (?:not found|does not)|have a column named \"(\w+)\"")
_FUNCTION = re.compile(r"Function with name (\w+)")
_kept: OrderedDict[tuple[str, str, date], Views] = OrderedDict()


class Views:
    """A database in memory with the views of one release on one day."""

    def __init__(self, release: Release, day: date) -> None:
        self.release, self.day = release, day
        self.columns: dict[str, list[str]] = {}
        memory = os.environ.get(MEMORY, "1GB")
        self._run = duckdb.connect(":memory:", config={"memory_limit": memory, "temp_directory": tempfile.gettempdir()})
        self._run.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
        for table in release.granted:
            if release.dated(table) or day == release.as_of:
                self._view(table)

    def ask(self, sql: str, most: int) -> tuple[pa.Table, bool, list[str]]:
        """At most so many rows of one SELECT, whether that is all of them, and the tables it read.

        Raises :class:`Malformed` with the reason and the nearest name.
        """
        try:
            statements = self._run.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise Malformed(
                    "duckdb-views.lab-sql-takes-one-select",
                    why=f"{len(statements)} statements were given"
                    if len(statements) != 1
                    else "this is something else",
                )
            read = sorted(set(self._named(sql)) & set(self.columns))
            table = self._run.sql(sql).limit(most + 1).to_arrow_table()
        except duckdb.Error as error:
            raise self._in_words(error) from None
        return table.slice(0, most), table.num_rows <= most, read

    def _named(self, sql: str) -> Iterator[str]:
        """Every table a SELECT names, in whatever scope of it."""
        (told,) = self._run.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
        nodes = [json.loads(told[0])]
        while nodes:
            node = nodes.pop()
            if isinstance(node, dict):
                if isinstance(name := node.get("table_name"), str):
                    yield name.lower()
                nodes += node.values()
            elif isinstance(node, list):
                nodes += node

    def _view(self, table: str) -> None:
        types, source = self.release.terms["tables"][table]["columns"], self._source(table)
        here = [row[0] for row in self._run.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
        is_register = table == self.release.register
        today = self.day == self.release.as_of
        day, shown = f"DATE '{self.day}'", []
        for name in here:
            if name in TIMES or (is_register and not today and name in OF_TODAY):
                continue
            value = f"t.{quoted(name)}"
            seen = f"CASE WHEN {value} <= {day} THEN {value} END" if types.get(name) == "DATE" else value
            shown.append(f"{seen} AS {quoted(name)}")
            self.columns.setdefault(table, []).append(name)
        shown += [f"{day} AS as_of", *(f"t.{name}" for name in TIMES if name in types)]
        where = f"WHERE {visible_at('t', day)}" if self.release.dated(table) else ""
        self._run.execute(f"CREATE VIEW {quoted(table)} AS SELECT {', '.join(shown)} FROM {source} t {where}")

    def _source(self, table: str) -> str:
        return f"read_parquet({text(self.release.files(table))})"

    def _in_words(self, error: duckdb.Error) -> Malformed:
        told = str(error).strip()
        why = told.splitlines()[0].partition(": ")[2] or told.splitlines()[0]
        if found := _TABLE.search(told):
            return self._no_table(found.group(1))
        if found := _COLUMN.search(told):
            name = found.group(1) or found.group(2)
            known = {column for columns in self.columns.values() for column in columns}
            if name in OF_TODAY and self.day != self.release.as_of:
                remedy = (
                    f"A register tells {name} of the release's own day, {self.release.as_of}, and not of {self.day}"
                )
            else:
                remedy = hint(name, known).render()
            return Malformed("duckdb-views.no-column", remedy=remedy, name=name)
        if found := _FUNCTION.search(told):
            near = re.search(r"Did you mean \"(.+?)\"", told)
            remedy = f"Did you mean {near.group(1)}?" if near else ""
            return Malformed("duckdb-views.no-function", remedy=remedy, value=found.group(1))
        return Malformed("duckdb-views.sql-cannot-run", why=why, remedy=_line(told))

    def _no_table(self, name: str) -> Malformed:
        if name in self.release.granted:
            return Malformed("duckdb-views.cannot-be-seen-as", name=name, day=self.day)
        if name in self.release.terms["tables"]:
            return Malformed("duckdb-views.table-not-granted-to-project", name=name)
        return Malformed("duckdb-views.no-table", remedy=hint(name, self.columns), name=name)


def views(release: Release, day: date) -> Views:
    """The views of a day, made once and kept for a while."""
    key = (release.id, str(release.folder), day)
    found = _kept.pop(key, None) or Views(release, day)
    _kept[key] = found
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return found


def _line(told: str) -> str:
    """The line of the SQL that DuckDB points at, if it does."""
    found = next((line for line in told.splitlines() if line.startswith("LINE ")), "")
    return f"See {found}" if found else ""


def plain(value: Any) -> str:
    """A value as a notebook shows it."""
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
