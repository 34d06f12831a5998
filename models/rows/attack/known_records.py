"""What an attacker knows of the records of a bucket: a few of each subject, and no others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from models.features.duckdb_engine import Engine, quote_identifier, quote_literal
from models.features.views import raw_table, visible_at


@dataclass(frozen=True, slots=True)
class Known:
    """What an attacker knows: at most ``most`` records of each subject, drawn from ``tables`` by ``seed``.

    With ``partner`` they are the rows that name one other subject, the one with the most, of ``partner``'s column.
    """

    tables: tuple[str, ...]
    most: int
    seed: str
    partner: tuple[str, str] | None = None  # table, column


def keep_known(database: Engine, known: Known, day: date, subjects: list[str]) -> None:
    """Keep in each of the tables the known rows alone; other tables, such as the register, stay as they are.

    The rows are drawn among those that are visible on ``day``, over all tables together, of ``subjects`` alone.
    """
    database.execute("CREATE TABLE _targets (key VARCHAR)")
    if subjects:
        listed = ", ".join(f"({quote_literal(subject)})" for subject in subjects)
        database.execute(f"INSERT INTO _targets VALUES {listed}")
    if known.partner is not None:
        table, column = known.partner
        _keep_partner(database, table, column, known.most, known.seed, day)
        return
    queries = [
        f"SELECT {quote_literal(table)} AS source, rowid AS number, subject FROM {_raw(table)} t "
        f"WHERE {visible_at('t', _day(day))} AND subject IN (FROM _targets)"
        for table in known.tables
    ]
    order = f"md5(concat({quote_literal(known.seed)}, source, subject, number))"
    database.execute(
        f"CREATE TABLE _known_rows AS SELECT source, number FROM ({' UNION ALL '.join(queries)}) "
        f"QUALIFY row_number() OVER (PARTITION BY subject ORDER BY {order}) <= {known.most}"
    )
    for table in known.tables:
        database.execute(
            f"DELETE FROM {_raw(table)} WHERE rowid NOT IN "
            f"(SELECT number FROM _known_rows WHERE source = {quote_literal(table)})"
        )


def _keep_partner(database: Engine, table: str, column: str, most: int, seed: str, day: date) -> None:
    """Keep the rows of each subject with the one counterparty that it has most rows with (at most ``most``)."""
    name = quote_identifier(column)
    database.execute(
        f"CREATE TABLE _partners AS SELECT subject, {name} AS partner FROM {_raw(table)} t "
        f"WHERE {visible_at('t', _day(day))} AND {name} IS NOT NULL AND subject IN (FROM _targets) "
        f"GROUP BY subject, {name} "
        f"QUALIFY row_number() OVER (PARTITION BY subject ORDER BY count(*) DESC, "
        f"md5(concat({quote_literal(seed)}, {name}))) = 1"
    )
    database.execute(
        f"DELETE FROM {_raw(table)} WHERE rowid NOT IN (SELECT t.rowid FROM {_raw(table)} t JOIN _partners p "
        f"ON p.subject = t.subject AND p.partner = t.{name} "
        f"QUALIFY row_number() OVER (PARTITION BY t.subject ORDER BY t._happened, t.rowid) <= {most})"
    )


def _raw(table: str) -> str:
    return quote_identifier(raw_table(table))


def _day(day: date) -> str:
    return f"DATE '{day}'"
