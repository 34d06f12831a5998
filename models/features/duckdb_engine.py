"""The only file of this zone that imports DuckDB: a database in memory with limits on memory, threads and time.

Feature SQL is checked first (:mod:`models.features.feature_sql`); the limits of the engine are the second protection.
Once the tables are read, :meth:`Engine.lock_down` permanently ends all access to files, network and extensions, and
only
then does SQL of a researcher run.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from credit.errors import Malformed, Refused
from credit.messages import Text

# Errors of these kinds quote the SQL alone; other kinds may quote a value of a row, which no message may contain.
_SQL_ERRORS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)


@dataclass(frozen=True, slots=True)
class Limits:
    """Memory and disk spill (in DuckDB's notation), threads and seconds, each for one bucket.

    With one thread a sum always has the same order; the work is parallel over buckets.
    """

    memory: str = "2GB"
    threads: int = 1
    seconds: float = 600.0
    spill: str = "20GB"


class Engine:
    """One connection, made by :func:`engine`. It is not shared between threads."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sql: str) -> None:
        """Run a statement."""
        self._connection.execute(sql)

    def fetch_rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        rows: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        return rows

    def columns(self, query: str) -> dict[str, str]:
        """The column names of a query and their DuckDB types."""
        return {row[0]: row[1] for row in self.fetch_rows(f"DESCRIBE {query}")}

    def fetch_arrays(self, sql: str) -> dict[str, NDArray[Any]]:
        """The columns of a query as numpy arrays (n,); a missing number is NaN."""
        table: pa.Table = self._connection.sql(sql).to_arrow_table()
        return {name: _array(table.column(name)) for name in table.column_names}

    def read_parquet(self, name: str, path: Path, columns: Mapping[str, str]) -> None:
        """Create a table from columns of a Parquet file (name to type); a file that does not exist gives an empty
        table."""
        if path.is_file():
            names = ", ".join(map(quote_identifier, columns))
            self.execute(
                f"CREATE TABLE {quote_identifier(name)} AS SELECT {names} FROM read_parquet({quote_literal(str(path))})"
            )
        else:
            column_types = ", ".join(f"{quote_identifier(column)} {kind}" for column, kind in columns.items())
            self.execute(f"CREATE TABLE {quote_identifier(name)} ({column_types})")

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name."""
        self._connection.register(name, table)

    def lock_down(self) -> None:
        """End all access to files, network, extensions and settings; this cannot be undone in the connection."""
        self.execute("SET enable_external_access = false")
        self.execute("SET lock_configuration = true")


_FEATURE_SQL = Text.of("duckdb-engine.feature-sql")


@contextmanager
def engine(limits: Limits | None = None, *, subject: Text = _FEATURE_SQL) -> Iterator[Engine]:
    """A new database in memory, closed after the block; ``subject`` is how a refusal names the SQL that failed.

    Raises :class:`Malformed` for SQL that cannot run, and :class:`Refused` when it exceeds the limits of time or
    memory.
    """
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="compute-") as folder:
        connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": limits.memory,
                "threads": limits.threads,
                "temp_directory": folder,
                "max_temp_directory_size": limits.spill,
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
        timer = threading.Timer(limits.seconds, connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield Engine(connection)
        except duckdb.InterruptException as error:
            raise Refused("duckdb-engine.takes-too-long", what_=subject, seconds=limits.seconds) from error
        except duckdb.OutOfMemoryException as error:
            raise Refused("duckdb-engine.takes-too-much-memory", what_=subject, memory=limits.memory) from error
        except duckdb.Error as error:
            why = str(error).splitlines()[0] if isinstance(error, _SQL_ERRORS) else type(error).__name__
            raise Malformed("duckdb-engine.cannot-run", why=Text.verbatim(why), what_=subject) from None
        finally:
            timer.cancel()
            connection.close()


def quote_identifier(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(value: str) -> str:
    """A text as an SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def _array(column: pa.ChunkedArray) -> NDArray[Any]:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_decimal(column.type) or (pa.types.is_integer(column.type) and column.null_count):
        column = column.cast(pa.float64())
    if pa.types.is_floating(column.type):
        return np.asarray(column.combine_chunks().fill_null(np.nan))
    return np.asarray(column.to_numpy(zero_copy_only=False))
