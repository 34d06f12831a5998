"""The only door to DuckDB in this zone: connections in memory, with a limit on memory and threads.

Nothing is opened but what custody hands over: extensions are neither installed nor loaded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from credit.errors import Malformed


@dataclass(frozen=True, slots=True)
class Limits:
    """Memory (DuckDB's words, as ``2GB``), threads, and the folder work spills to (None: a private one)."""

    memory: str = "2GB"
    threads: int = 2
    temporary: Path | None = None


class Engine:
    """One connection. Make it with :func:`engine`; it is not shared between threads."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def do(self, sql: str) -> None:
        """Run a statement."""
        self._connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        found: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        return found

    def one(self, sql: str) -> Any:
        """The only value of a query."""
        return self.rows(sql)[0][0]

    def arrow(self, sql: str) -> pa.Table:
        """A query's answer as an Arrow table."""
        return self._connection.sql(sql).to_arrow_table()

    def batches(self, sql: str, rows: int = 250_000) -> pa.RecordBatchReader:
        """A query's answer as Arrow record batches, one after the other."""
        return self._connection.sql(sql).to_arrow_reader(rows)

    def lend(self, name: str, table: pa.Table) -> None:
        """Let queries read an Arrow table under ``name``, without a copy."""
        self._connection.register(name, table)

    def take_back(self, name: str) -> None:
        """End :meth:`lend`."""
        self._connection.unregister(name)

    def columns(self, query: str) -> dict[str, str]:
        """Column names of a query and their DuckDB types."""
        return {row[0]: row[1] for row in self.rows(f"DESCRIBE {query}")}

    def is_sql(self, expression: str, relation: str) -> None:
        """Raise :class:`Malformed` unless ``expression`` is a truth value over ``relation``."""
        try:
            self.rows(f"SELECT 1 FROM {relation} WHERE ({expression}) LIMIT 0")
        except duckdb.Error as error:
            raise Malformed("duckdb-engine.check-catalogue-not-sql-over", why=expression) from error


@contextmanager
def engine(limits: Limits | None = None) -> Iterator[Engine]:
    """A fresh database in memory, gone with everything in it afterwards."""
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="custody-", dir=limits.temporary) as folder:
        connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": limits.memory,
                "threads": limits.threads,
                "temp_directory": folder,
                "preserve_insertion_order": "true",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
        try:
            yield Engine(connection)
        finally:
            connection.close()


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def texts(values: Any) -> str:
    """A list of SQL literals, without the brackets."""
    return ", ".join(text(str(value)) for value in values)
