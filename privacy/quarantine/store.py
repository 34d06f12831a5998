"""The quarantine: every rejected row, with its table, file, line, reason and content.

Every rejected row is stored exactly once, identified by the digest of its file, its line and its table. Of its states
``waiting`` means that the source unit has to correct it; ``superseded`` is an older version of a record, ``corrected``
a row that came back and is stored, ``returned`` one that came back and was rejected again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from privacy.duckdb_engine import Engine, text
from privacy.vault import Vault

NAME = "_quarantine"
COLUMNS = ("table", "file", "digest", "line", "reason", "row", "message", "field", "state")
WAITING_ID, REASON, ORIGINAL = "隔离编号 quarantine id", "隔离原因 reason", "原始内容 original line"
"""The columns that a file back to a source unit has beside those of its table."""
WAITING, SUPERSEDED, CORRECTED, RETURNED = "waiting", "superseded", "corrected", "returned"
_SCHEMA = pa.schema(
    [(name, pa.int64() if name == "line" else pa.string()) for name in COLUMNS]
    + [("id", pa.string()), ("brought_on", pa.date32()), ("ended_on", pa.date32()), ("ended_by", pa.string())]
)
_ID = """sha256(concat_ws(chr(31), b."table", b.digest, b.line))[1:16]"""


def prepare(engine: Engine) -> None:
    """Create the empty relations ``bad``, into which an intake puts rejected rows, and ``came_back(id, file, state)``,
    into which it puts the rows of the quarantine that a file corrects, or tries to."""
    columns = ", ".join(f'"{name}" {"BIGINT" if name == "line" else "VARCHAR"}' for name in COLUMNS)
    engine.execute(f"CREATE TEMP TABLE bad ({columns})")
    engine.execute("CREATE TEMP TABLE came_back (id VARCHAR, file VARCHAR, state VARCHAR)")


def keep(engine: Engine, vault: Vault, *, today: date, read_files: Mapping[str, str]) -> int:
    """Add the rows of ``bad`` that are not in the vault's quarantine yet, and end the waiting of those that came back.

    Returns the number of rows that were added or changed. A row that comes back in the file in which it was rejected
    first is the same row, and goes on waiting; in another file it is returned once more. A file that waits as a whole
    waits no longer once it could be read: ``read_files`` maps the digests of the files of this intake to their names.
    """
    day = f"DATE {text(today.isoformat())}"
    engine.register("stored_bad", read(vault))
    _end_repeated_rows(engine, read_files)
    names = ", ".join(f'b."{name}"' for name in COLUMNS)
    new = f"""SELECT {names}, {_ID} AS id, {day} AS brought_on, NULL::DATE AS ended_on, NULL::VARCHAR AS ended_by
        FROM bad b ANTI JOIN stored_bad h ON (h."table" = b."table" AND h.digest = b.digest AND h.line = b.line)"""
    ended = """SELECT id, min(file) AS file, max(state) FILTER (state = 'corrected') AS corrected
        FROM came_back GROUP BY id"""
    known = f"""SELECT h.* REPLACE (
            if(e.id IS NULL, h.state, coalesce(e.corrected, 'returned')) AS state,
            if(e.id IS NULL, h.ended_on, {day}) AS ended_on, if(e.id IS NULL, h.ended_by, e.file) AS ended_by)
        FROM stored_bad h LEFT JOIN ({ended}) e ON e.id = h.id AND h.state = '{WAITING}'"""
    back = f"stored_bad h SEMI JOIN came_back c ON c.id = h.id AND h.state = '{WAITING}'"
    changed = int(engine.one(f"SELECT count(*) FROM {back}"))
    count = int(engine.one(f"SELECT count(*) FROM ({new})"))
    if count + changed:
        order = 'ORDER BY "table", file, line, reason'
        table = engine.arrow(f"SELECT * FROM ({known}) UNION ALL BY NAME (SELECT * FROM ({new}) {order})")
        vault.write(NAME, table.select(_SCHEMA.names).cast(_SCHEMA))
    engine.unregister("stored_bad")
    return count + changed


def _end_repeated_rows(engine: Engine, read_files: Mapping[str, str]) -> None:
    """Put rows into ``came_back`` that were rejected again word for word, and files that could be read this time."""
    waits = f"h.state = '{WAITING}' AND h.id IS NOT NULL"
    same = """b."table" = h."table" AND b.row = h.row AND b.field IS NOT DISTINCT FROM h.field AND b.row <> ''"""
    is_stored = """h."table" = b."table" AND h.digest = b.digest AND h.line = b.line"""
    engine.execute(
        f"INSERT INTO came_back SELECT h.id, min(b.file), '{RETURNED}' FROM stored_bad h JOIN "
        f"(SELECT * FROM bad b ANTI JOIN stored_bad h ON ({is_stored})) b ON ({same}) "
        f"WHERE {waits} AND b.state = '{WAITING}' GROUP BY h.id"
    )
    digests = {
        "digest": pa.array(list(read_files), pa.string()),
        "name": pa.array(list(read_files.values()), pa.string()),
    }
    engine.register("read_files", pa.table(digests))
    engine.execute(
        f"INSERT INTO came_back SELECT h.id, f.name, '{CORRECTED}' FROM stored_bad h JOIN read_files f USING (digest) "
        f"ANTI JOIN bad b ON (b.digest = h.digest AND b.line = 0) WHERE {waits} AND h.line = 0"
    )
    engine.unregister("read_files")


def read(vault: Vault) -> pa.Table:
    """The quarantine: ``COLUMNS``, ``row`` as JSON text, its id, the day it came and the day and file that ended it.

    Rows of an earlier version have no id and no message; they are given the state ``waiting``.
    """
    if NAME not in vault.names():
        return _SCHEMA.empty_table()
    stored = vault.read(NAME)
    for field in _SCHEMA:
        if field.name not in stored.column_names:
            value = pa.scalar(WAITING if field.name == "state" else None, field.type)
            stored = stored.append_column(field, pa.repeat(value, len(stored)))
    return stored.select(_SCHEMA.names).cast(_SCHEMA)
