"""The adapter to DuckDB for this zone: connections in memory, with limits on memory and threads.

It reads only the tables and files that custody passes to it; extensions are neither installed nor loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from credit.errors import CreditError, Malformed
from credit.messages import Text
from privacy.storage.spill import spill_folder


@dataclass(frozen=True, slots=True)
class Limits:
    """Memory (DuckDB's notation, as ``2GB``), threads, and the folder for spilled work (None: a private one)."""

    memory: str = "2GB"
    threads: int = 2
    temporary: Path | None = None


class EngineFault(CreditError):
    """The engine gave up on a statement; ``kind`` is the name of its error, which holds no value of a row."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__("duckdb-engine.gave-up", kind=kind)


class Engine:
    """One connection. Make it with :func:`engine`; it is not shared between threads."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sql: str) -> None:
        """Run a statement."""
        self._connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        fetched: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        return fetched

    def one(self, sql: str) -> Any:
        """The only value of a query."""
        return self.rows(sql)[0][0]

    def arrow(self, sql: str) -> pa.Table:
        """The result of a query as an Arrow table."""
        return self._connection.sql(sql).to_arrow_table()

    def batches(self, sql: str, rows: int = 250_000) -> pa.RecordBatchReader:
        """The result of a query as a stream of Arrow record batches of ``rows`` rows."""
        return self._connection.sql(sql).to_arrow_reader(rows)

    def register(self, name: str, table: pa.Table | pa.RecordBatchReader) -> None:
        """Make an Arrow table readable in queries under ``name``, without a copy; a stream for one query alone."""
        self._connection.register(name, table)

    def unregister(self, name: str) -> None:
        """Undo :meth:`register`."""
        self._connection.unregister(name)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """What the block changes in relations, whole or not at all.

        Raises :class:`EngineFault` when the engine gives up on a statement of the block, or on reading an Arrow table
        for it; then every relation is as it was before.
        """
        self._connection.execute("BEGIN TRANSACTION")
        try:
            yield
        except (duckdb.Error, pa.ArrowException) as error:
            self._connection.execute("ROLLBACK")
            raise EngineFault(type(error).__name__) from error
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def columns(self, query: str) -> dict[str, str]:
        """Column names of a query and their DuckDB types."""
        return {row[0]: row[1] for row in self.rows(f"DESCRIBE {query}")}

    def require_condition(self, expression: str, relation: str) -> None:
        """Raise :class:`Malformed` unless ``expression`` is a boolean SQL expression over ``relation``."""
        try:
            self.rows(f"SELECT 1 FROM {relation} WHERE ({expression}) LIMIT 0")
        except duckdb.Error as error:
            raise Malformed("duckdb-engine.check-catalogue-not-sql-over", why=Text.verbatim(expression)) from error


@contextmanager
def engine(limits: Limits | None = None) -> Iterator[Engine]:
    """A new database in memory, deleted with its contents afterwards."""
    limits = limits or Limits()
    with spill_folder(limits.temporary) as folder:
        connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": limits.memory,
                "threads": limits.threads,
                "temp_directory": str(folder),
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
