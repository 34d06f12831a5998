"""Local recoding (局部泛化, GB/T 37964-2019): generalise the register until every class has at least k members.

In the order of the policy, a column is replaced in the rows of too small classes only: by ``*`` for text, by null for
numbers and dates. Subjects whose class is still too small after the last column are removed from the release.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from privacy.duckdb_engine import Engine, quoted

STAR = "*"


@dataclass(frozen=True, slots=True)
class RecodingCounts:
    """Numbers of rows with a replaced value, by column, and the number of suppressed subjects."""

    by_column: dict[str, int]
    suppressed: int


def recode(engine: Engine, table: str, quasi: Sequence[str], *, k: int) -> RecodingCounts:
    """Recode ``table`` in place, column by column in the order of ``quasi``.

    The suppressed subjects are in the relation ``suppressed(subject)`` afterwards.
    """
    engine.execute("CREATE OR REPLACE TEMP TABLE suppressed (subject VARCHAR)")
    if not quasi or k <= 1:
        return RecodingCounts({}, 0)
    types = engine.columns(f"SELECT * FROM {table}")
    by = ", ".join(map(quoted, quasi))
    counts: dict[str, int] = {}
    for column in quasi:
        masked = f"'{STAR}'" if types[column] == "VARCHAR" else f"CAST(NULL AS {types[column]})"
        kept = f"if(_size < {k}, {masked}, {quoted(column)})"
        changes = f"_size < {k} AND {quoted(column)} IS DISTINCT FROM {masked}"
        engine.execute(
            "CREATE OR REPLACE TEMP TABLE recoding AS "
            f"SELECT *, count(*) OVER (PARTITION BY {by}) AS _size FROM {table}"
        )
        counts[column] = int(engine.one(f"SELECT count(*) FROM recoding WHERE {changes}"))
        engine.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS "
            f"SELECT * EXCLUDE (_size) REPLACE ({kept} AS {quoted(column)}) FROM recoding"
        )
    engine.execute(
        f"INSERT INTO suppressed SELECT subject FROM {table} QUALIFY count(*) OVER (PARTITION BY {by}) < {k}"
    )
    engine.execute(f"DELETE FROM {table} WHERE subject IN (SELECT subject FROM suppressed)")
    engine.execute("DROP TABLE recoding")
    return RecodingCounts(
        {name: n for name, n in counts.items() if n}, int(engine.one("SELECT count(*) FROM suppressed"))
    )


def mask_rare_values(engine: Engine, table: str, columns: Sequence[str], *, small_cell: int) -> dict[str, int]:
    """Replace by ``*`` the text values of ``columns`` with fewer than ``small_cell`` subjects.

    Returns the number of replaced rows by column.
    """
    counts: dict[str, int] = {}
    for column in columns if small_cell > 1 else ():
        name = quoted(column)
        rare = (
            f"SELECT {name} FROM {table} WHERE {name} IS NOT NULL GROUP BY {name} "
            f"HAVING count(DISTINCT subject) < {small_cell}"
        )
        masked = int(engine.one(f"SELECT count(*) FROM {table} WHERE {name} IN ({rare})"))
        if masked:
            counts[column] = masked
            engine.execute(f"UPDATE {table} SET {name} = '{STAR}' WHERE {name} IN ({rare})")
    return counts
