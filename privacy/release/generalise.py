"""Local recoding (局部泛化): quasi-identifiers give way until every class of the register has at least k members.

In the policy's order a column is replaced in the rows of too small classes only: ``*`` for text, null for numbers and
dates. What is still too few after the last column is suppressed: those subjects leave the release altogether.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from privacy.duckdb_engine import Engine, quoted

STAR = "*"


@dataclass(frozen=True, slots=True)
class Recoded:
    """Rows whose value gave way, by column, and how many subjects were suppressed."""

    by_column: dict[str, int]
    suppressed: int


def recode(engine: Engine, table: str, quasi: Sequence[str], *, k: int) -> Recoded:
    """Recode ``table`` in place, in the order of ``quasi``; puts the suppressed into ``suppressed(subject)``."""
    engine.do("CREATE OR REPLACE TEMP TABLE suppressed (subject VARCHAR)")
    if not quasi or k <= 1:
        return Recoded({}, 0)
    types = engine.columns(f"SELECT * FROM {table}")
    by = ", ".join(map(quoted, quasi))
    counts: dict[str, int] = {}
    for column in quasi:
        gone = f"'{STAR}'" if types[column] == "VARCHAR" else f"CAST(NULL AS {types[column]})"
        kept = f"if(_size < {k}, {gone}, {quoted(column)})"
        changes = f"_size < {k} AND {quoted(column)} IS DISTINCT FROM {gone}"
        engine.do(
            "CREATE OR REPLACE TEMP TABLE recoding AS "
            f"SELECT *, count(*) OVER (PARTITION BY {by}) AS _size FROM {table}"
        )
        counts[column] = int(engine.one(f"SELECT count(*) FROM recoding WHERE {changes}"))
        engine.do(
            f"CREATE OR REPLACE TEMP TABLE {table} AS "
            f"SELECT * EXCLUDE (_size) REPLACE ({kept} AS {quoted(column)}) FROM recoding"
        )
    engine.do(f"INSERT INTO suppressed SELECT subject FROM {table} QUALIFY count(*) OVER (PARTITION BY {by}) < {k}")
    engine.do(f"DELETE FROM {table} WHERE subject IN (SELECT subject FROM suppressed)")
    engine.do("DROP TABLE recoding")
    return Recoded({name: n for name, n in counts.items() if n}, int(engine.one("SELECT count(*) FROM suppressed")))


def mask_rare(engine: Engine, table: str, columns: Sequence[str], *, small_cell: int) -> dict[str, int]:
    """Replace text values of ``columns`` that fewer than ``small_cell`` subjects have by ``*``; rows by column."""
    counts: dict[str, int] = {}
    for column in columns if small_cell > 1 else ():
        name = quoted(column)
        rare = (
            f"SELECT {name} FROM {table} WHERE {name} IS NOT NULL GROUP BY {name} "
            f"HAVING count(DISTINCT subject) < {small_cell}"
        )
        found = int(engine.one(f"SELECT count(*) FROM {table} WHERE {name} IN ({rare})"))
        if found:
            counts[column] = found
            engine.do(f"UPDATE {table} SET {name} = '{STAR}' WHERE {name} IN ({rare})")
    return counts
