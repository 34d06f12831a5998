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
from privacy.storage.change import PERIOD, Change
from privacy.storage.key_set import KeySet, by_file
from privacy.storage.partition import ROWS
from privacy.vault import BUCKET, CONTENT, FILE, KEY, POSITION, Vault

_TWICE, _OLDER = Text.of("intake.reason.duplicate"), Text.of("intake.reason.not-later")
_SUPERSEDED = Text.of("intake.reason.superseded")


@dataclass(frozen=True, slots=True)
class Merged:
    """Numbers of rows: kept, of these updates of a stored row, stored already, and quarantined by reason."""

    kept: int
    updated: int
    already: int
    quarantined: dict[str, int]


def merge(engine: Engine, table: Table, vault: Vault, change: Change) -> Merged:
    """Merge relation ``fresh`` (see ``row_identity.py``) into the table.

    ``change`` gets the new rows and the positions of those that they replace; rejected rows are put into ``bad``. Of
    the stored rows those alone are compared whose key is among the new ones. ``fresh`` is dropped.
    """
    _rank(engine, table, _stored_marks(engine, table, vault, change))
    kept = int(engine.one("SELECT count(*) FROM fate WHERE fresh AND fate = 'kept'"))
    untouched = int(engine.one("SELECT (SELECT count(*) FROM fresh) - (SELECT count(*) FROM fate WHERE fresh)"))
    counts = dict(engine.rows("SELECT fate, count(*) FROM fate WHERE fresh GROUP BY fate"))
    for fate, reason in (("twice", _TWICE), ("older", _OLDER)):
        rejected = f"SELECT id FROM fate WHERE fresh AND fate = '{fate}'"
        _reject(engine, table, f"fresh p SEMI JOIN ({rejected}) f ON p.rowid = f.id", reason, WAITING)
    updated = _replace(engine, table, vault, change)
    engine.execute(
        f"INSERT INTO came_back SELECT trim(_waiting), _file, if(fate IN ('twice', 'older'), {text(RETURNED)}, "
        f"{text(CORRECTED)}) FROM fresh p LEFT JOIN (SELECT id, fate FROM fate WHERE fresh) f ON p.rowid = f.id "
        "WHERE trim(_waiting) <> ''"
    )
    rows = "SELECT p.* EXCLUDE (_waiting) FROM fresh p ANTI JOIN (SELECT id FROM fate WHERE fresh AND fate <> 'kept') f"
    if kept + untouched:
        query = f"{rows} ON p.rowid = f.id ORDER BY {PERIOD}, {BUCKET}, p.rowid"
        change.append(table.name, engine.batches(query, ROWS))
    for name in ("fresh", "marks", "fate"):
        engine.execute(f"DROP TABLE {name}")
    reasons = {_TWICE.render(): counts.get("twice", 0), _OLDER.render(): counts.get("older", 0)}
    return Merged(kept + untouched, updated, counts.get("already", 0), {r: n for r, n in reasons.items() if n})


def _stored_marks(engine: Engine, table: Table, vault: Vault, change: Change) -> str:
    """Create ``marks``, the stored rows whose key is among the new ones; returns the query of these and the new ones.

    Of all other stored rows the key alone is read; where the day of a record is part of its key, only in the periods
    of the new rows.
    """
    known = table.time.known.column if table.time.known else ""
    day = quoted(known) if known else "CAST(NULL AS DATE)"
    engine.execute("CREATE OR REPLACE TEMP TABLE marks (k BLOB, c BLOB, known DATE, id BIGINT, file VARCHAR)")
    if table.name in change.files.tables:
        columns = [KEY, CONTENT, *([known] if known else []), FILE, POSITION]
        periods = None
        if table.time.happened in table.key:
            periods = [str(period) for (period,) in engine.rows(f"SELECT DISTINCT {PERIOD} FROM fresh")]
        keys = KeySet(batch.column(0) for batch in engine.batches(f"SELECT {KEY} FROM fresh"))
        places = vault.positions(table.name, keys, periods=periods, files=change.files)
        engine.register("stored", vault.batches(table.name, columns, positions=places, files=change.files))
        engine.execute(
            f"INSERT INTO marks SELECT {KEY}, {CONTENT}, {day}, {POSITION}, {FILE} FROM stored SEMI JOIN fresh "
            f"USING ({KEY})"
        )
        engine.unregister("stored")
    return (
        "SELECT false AS fresh, k, c, known, id, file FROM marks UNION ALL "
        f"SELECT true, {KEY}, {CONTENT}, {day}, rowid, '' FROM fresh"
    )


def _replace(engine: Engine, table: Table, vault: Vault, change: Change) -> int:
    """Take the stored rows that were superseded out of the table, and put them into ``bad``; returns their number."""
    superseded = "SELECT file, id FROM fate WHERE NOT fresh AND fate = 'superseded'"
    replaced = engine.arrow(superseded)
    if not len(replaced):
        return 0
    places = by_file(replaced)
    columns = vault.columns(table.name, change.files)
    engine.register(
        "stored", vault.batches(table.name, [*columns, FILE, POSITION], positions=places, files=change.files)
    )
    lacking = "".join(f", NULL AS {quoted(f.column)}" for f in table.fields if f.column not in columns)
    _reject(engine, table, f"(SELECT *{lacking} FROM stored) p", _SUPERSEDED, SUPERSEDED)
    engine.unregister("stored")
    change.replace(table.name, places)
    return len(replaced)


def _reject(engine: Engine, table: Table, rows: str, reason: Text, state: str) -> None:
    content = ", ".join(f"{text(field.name)}, {quoted(field.column)}" for field in table.fields)
    message = text(json.dumps(reason.as_json(), ensure_ascii=False))
    engine.execute(
        f"INSERT INTO bad SELECT {text(table.name)}, _file, _source, _line, {text(reason.render())}, "
        f"CAST(json_object({content}) AS VARCHAR), {message}, '', {text(state)} FROM {rows}"
    )


def messages() -> dict[str, Text]:
    """The reasons of this module: English text -> message."""
    return {reason.render(): reason for reason in (_TWICE, _OLDER)}


def _rank(engine: Engine, table: Table, marks: str) -> None:
    """Create ``fate(fresh, id, file, fate)`` for every record whose key occurs more than once; all others are kept."""
    newest = "fresh, id" if table.time.known else "fresh DESC, id"
    engine.execute(f"""
CREATE OR REPLACE TEMP TABLE fate AS
WITH marked AS ({marks}), clash AS (SELECT k FROM marked GROUP BY k HAVING count(*) > 1),
ranked AS (
    SELECT *, row_number() OVER w AS place, first_value(c) OVER w AS best, max(c) FILTER (NOT fresh) OVER whole AS was
    FROM marked SEMI JOIN clash USING (k)
    WINDOW w AS (PARTITION BY k ORDER BY known DESC NULLS LAST, {newest}), whole AS (PARTITION BY k)
)
SELECT fresh, id, file, CASE
    WHEN NOT fresh THEN if(best = c, 'kept', 'superseded')
    WHEN was = c THEN 'already'
    WHEN place = 1 THEN 'kept'
    WHEN best = c THEN 'twice'
    ELSE 'older' END AS fate
FROM ranked""")
