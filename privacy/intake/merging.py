"""Merge new records into the stored ones: equal records change nothing, later ones replace, conflicting ones wait.

A record is identified by its table's key; in a table with an empty key by its file and line. Of two records with one
key:

- the same content as stored: counted as a duplicate;
- the same content twice in one intake: the second is quarantined as a duplicate;
- other content: the record that reached the platform later is valid (without such a date, the one brought in later);
the other is quarantined, a replaced one with the reason that it was superseded.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from credit.catalogue import Table
from credit.messages import Text
from privacy.duckdb_engine import Engine, quoted, text
from privacy.quarantine.store import CORRECTED, RETURNED, SUPERSEDED, WAITING
from privacy.vault import Vault

_TWICE, _OLDER = Text.of("intake.reason.duplicate"), Text.of("intake.reason.not-later")
_SUPERSEDED = Text.of("intake.reason.superseded")
_OWN = ("is_surrogate", "_source", "_line", "_file")


@dataclass(frozen=True, slots=True)
class Merged:
    """Numbers of rows: kept, of these updates of a stored row, stored already, and quarantined by reason."""

    kept: int
    updated: int
    already: int
    quarantined: dict[str, int]


def merge(engine: Engine, table: Table, pool: str, vault: Vault) -> Merged:
    """Merge relation ``pool`` (the typed columns, is_surrogate, _source, _line, _file) into the vault's table.

    Rejected rows are put into ``bad``. The vault is written atomically, and only when something changed.
    """
    columns = [field.column for field in table.fields]
    names = ", ".join(quoted(name) for name in (*columns, *_OWN))
    stored = vault.read(table.name) if table.name in vault.names() else None
    if stored is None:
        engine.execute(f"CREATE OR REPLACE TEMP TABLE stored AS SELECT {names} FROM {pool} LIMIT 0")
    else:
        engine.register("vault_table", stored)
        present = set(stored.column_names)
        types = engine.columns(f"SELECT {names} FROM {pool}")
        selected = ", ".join(
            quoted(name) if name in present else f"CAST(NULL AS {types[name]}) AS {quoted(name)}"
            for name in (*columns, *_OWN)
        )
        engine.execute(f"CREATE OR REPLACE TEMP TABLE stored AS SELECT {selected} FROM vault_table")
        engine.unregister("vault_table")
    _rank(engine, table, pool)
    kept = int(engine.one("SELECT count(*) FROM fate WHERE fresh AND fate = 'kept'"))
    untouched = int(engine.one(f"SELECT (SELECT count(*) FROM {pool}) - (SELECT count(*) FROM fate WHERE fresh)"))
    counts = dict(engine.rows("SELECT fate, count(*) FROM fate WHERE fresh GROUP BY fate"))
    updated = int(engine.one("SELECT count(*) FROM fate WHERE NOT fresh AND fate = 'superseded'"))
    content = ", ".join(f"{text(field.name)}, {quoted(field.column)}" for field in table.fields)
    for fresh, fate, reason, relation, state in (
        ("true", "twice", _TWICE, pool, WAITING),
        ("true", "older", _OLDER, pool, WAITING),
        ("false", "superseded", _SUPERSEDED, "stored", SUPERSEDED),
    ):
        message = text(json.dumps(reason.as_json(), ensure_ascii=False))
        engine.execute(
            f"INSERT INTO bad SELECT {text(table.name)}, _file, _source, _line, {text(reason.render())}, "
            f"CAST(json_object({content}) AS VARCHAR), {message}, '', {text(state)} FROM {relation} p SEMI JOIN "
            f"(SELECT id FROM fate WHERE fresh = {fresh} AND fate = '{fate}') f ON p.rowid = f.id"
        )
    engine.execute(
        f"INSERT INTO came_back SELECT trim(_waiting), _file, if(fate IN ('twice', 'older'), {text(RETURNED)}, "
        f"{text(CORRECTED)}) FROM {pool} p LEFT JOIN (SELECT id, fate FROM fate WHERE fresh) f ON p.rowid = f.id "
        "WHERE trim(_waiting) <> ''"
    )
    if kept + untouched:
        vault.write(
            table.name,
            engine.batches(
                f"SELECT {names} FROM stored p ANTI JOIN (SELECT id FROM fate WHERE NOT fresh AND fate <> 'kept') f "
                f"ON p.rowid = f.id UNION ALL SELECT {names} FROM {pool} p ANTI JOIN (SELECT id FROM fate WHERE fresh "
                "AND fate <> 'kept') f ON p.rowid = f.id"
            ),
        )
    for name in ("stored", "marks", "fate"):
        engine.execute(f"DROP TABLE {name}")
    reasons = {_TWICE.render(): counts.get("twice", 0), _OLDER.render(): counts.get("older", 0)}
    return Merged(kept + untouched, updated, counts.get("already", 0), {r: n for r, n in reasons.items() if n})


def messages() -> dict[str, Text]:
    """The reasons of this module: English text -> message."""
    return {reason.render(): reason for reason in (_TWICE, _OLDER)}


def _rank(engine: Engine, table: Table, pool: str) -> None:
    """Create ``fate(fresh, id, fate)`` for every record whose key occurs more than once; all others are kept."""
    key = f"hash({', '.join(quoted(field.column) for field in table.key) or '_source, _line'})"
    content = ", ".join(quoted(field.column) for field in table.fields)
    if numbers := [quoted(field.column) for field in table.key if field.number]:
        # Records without a number are the same one only when all that they say is the same.
        key = f"if({' AND '.join(f'{number} IS NOT NULL' for number in numbers)}, {key}, hash({content}))"
    known = quoted(table.time.known.column) if table.time.known else "CAST(NULL AS DATE)"
    columns = f"{key} AS k, hash({content}) AS c, {known} AS known, rowid AS id"
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE marks AS SELECT false AS fresh, {columns} FROM stored "
        f"UNION ALL SELECT true, {columns} FROM {pool}"
    )
    newest = "fresh, id" if table.time.known else "fresh DESC, id"
    engine.execute(f"""
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
