"""New records into what is held: what is the same changes nothing, what is later replaces, what conflicts waits.

A record is known by its table's key; a table with an empty key by the file and line it came from. Of two with one key:

- the same content as held: held already, counted as a duplicate;
- the same content twice in one intake: the second is quarantined as a duplicate;
- other content: the one that reached the platform later stands (without such a date: the one brought in later); the
  other is quarantined, a replaced one with the reason that it was superseded.
"""

from __future__ import annotations

from dataclasses import dataclass

from credit.catalogue import Table
from privacy.duckdb_engine import Engine, quoted, text
from privacy.vault import Vault

TWICE = "a duplicate: a record with the same key and content stands in the same intake"
OLDER = "another record with the same key stands, and this one is not later"
SUPERSEDED = "superseded by a later version of the record"
_OWN = ("is_surrogate", "_source", "_line", "_file")


@dataclass(frozen=True, slots=True)
class Merged:
    """Counts of rows: newly kept (of which updated a held one), held already, quarantined for a reason."""

    kept: int
    updated: int
    already: int
    quarantined: dict[str, int]


def merge(engine: Engine, table: Table, pool: str, vault: Vault) -> Merged:
    """Merge relation ``pool`` (the typed columns, is_surrogate, _source, _line, _file) into the vault's table.

    Losers go into ``bad``. The vault is written only when something changed, in one act.
    """
    columns = [field.column for field in table.fields]
    names = ", ".join(quoted(name) for name in (*columns, *_OWN))
    held = vault.read(table.name) if table.name in vault.names() else None
    if held is None:
        engine.do(f"CREATE OR REPLACE TEMP TABLE held AS SELECT {names} FROM {pool} LIMIT 0")
    else:
        engine.lend("held_given", held)
        there = set(held.column_names)
        types = engine.columns(f"SELECT {names} FROM {pool}")
        given = ", ".join(
            quoted(name) if name in there else f"CAST(NULL AS {types[name]}) AS {quoted(name)}"
            for name in (*columns, *_OWN)
        )
        engine.do(f"CREATE OR REPLACE TEMP TABLE held AS SELECT {given} FROM held_given")
        engine.take_back("held_given")
    _rank(engine, table, pool)
    kept = int(engine.one("SELECT count(*) FROM fate WHERE fresh AND fate = 'kept'"))
    untouched = int(engine.one(f"SELECT (SELECT count(*) FROM {pool}) - (SELECT count(*) FROM fate WHERE fresh)"))
    counts = dict(engine.rows("SELECT fate, count(*) FROM fate WHERE fresh GROUP BY fate"))
    updated = int(engine.one("SELECT count(*) FROM fate WHERE NOT fresh AND fate = 'superseded'"))
    content = ", ".join(f"{text(name)}, {quoted(name)}" for name in columns)
    for fresh, fate, reason, place in (
        ("true", "twice", TWICE, pool),
        ("true", "older", OLDER, pool),
        ("false", "superseded", SUPERSEDED, "held"),
    ):
        engine.do(
            f"INSERT INTO bad SELECT {text(table.name)}, _file, _source, _line, {text(reason)}, "
            f"CAST(json_object({content}) AS VARCHAR) FROM {place} p SEMI JOIN (SELECT id FROM fate WHERE "
            f"fresh = {fresh} AND fate = '{fate}') f ON p.rowid = f.id"
        )
    if kept + untouched:
        vault.write(
            table.name,
            engine.batches(
                f"SELECT {names} FROM held p ANTI JOIN (SELECT id FROM fate WHERE NOT fresh AND fate <> 'kept') f "
                f"ON p.rowid = f.id UNION ALL SELECT {names} FROM {pool} p ANTI JOIN (SELECT id FROM fate WHERE fresh "
                "AND fate <> 'kept') f ON p.rowid = f.id"
            ),
        )
    for name in ("held", "marks", "fate"):
        engine.do(f"DROP TABLE {name}")
    reasons = {TWICE: counts.get("twice", 0), OLDER: counts.get("older", 0)}
    return Merged(kept + untouched, updated, counts.get("already", 0), {r: n for r, n in reasons.items() if n})


def _rank(engine: Engine, table: Table, pool: str) -> None:
    """Make ``fate(fresh, id, fate)`` of every record whose key is there more than once; the others are simply kept."""
    key = ", ".join(quoted(field.column) for field in table.key) or "_source, _line"
    content = ", ".join(quoted(field.column) for field in table.fields)
    known = quoted(table.time.known.column) if table.time.known else "CAST(NULL AS DATE)"
    part = f"hash({key}) AS k, hash({content}) AS c, {known} AS known, rowid AS id"
    engine.do(
        f"CREATE OR REPLACE TEMP TABLE marks AS SELECT false AS fresh, {part} FROM held "
        f"UNION ALL SELECT true, {part} FROM {pool}"
    )
    newest = "fresh, id" if table.time.known else "fresh DESC, id"
    engine.do(f"""
CREATE OR REPLACE TEMP TABLE fate AS
WITH clash AS (SELECT k FROM marks GROUP BY k HAVING count(*) > 1),
ranked AS (
    SELECT *, row_number() OVER w AS place, first_value(c) OVER w AS best, max(c) FILTER (NOT fresh) OVER whole AS was
    FROM marks SEMI JOIN clash USING (k)
    WINDOW w AS (PARTITION BY k ORDER BY known DESC NULLS LAST, {newest}), whole AS (PARTITION BY k)
)
SELECT fresh, id, CASE
    WHEN NOT fresh THEN if(best = c, 'kept', 'superseded')
    WHEN was = c THEN 'already'
    WHEN place = 1 THEN 'kept'
    WHEN best = c THEN 'twice'
    ELSE 'older' END AS fate
FROM ranked""")
