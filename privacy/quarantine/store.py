"""The quarantine: every rejected row, with its table, file, line, reason and content.

Every rejected row is stored exactly once, identified by the digest of its file, its line and its table. Of its states
``waiting`` means that the source unit has to correct it; ``superseded`` is an older version of a record, ``corrected``
a row that came back and is stored, ``returned`` one that came back and was rejected again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from privacy.duckdb_engine import Engine, text
from privacy.storage.change import PERIOD, Change
from privacy.storage.file_list import FileList
from privacy.storage.key_set import by_file
from privacy.vault import FILE, POSITION, Vault

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


def keep(engine: Engine, vault: Vault, change: Change, *, today: date, read_files: Mapping[str, str]) -> None:
    """Add the rows of ``bad`` that are not in the quarantine yet, and end the waiting of those that came back.

    Both are parts of ``change``. A row that comes back in the file in which it was rejected first is the same row, and
    goes on waiting; in another file it is returned once more. A file that waits as a whole waits no longer once it
    could be read: ``read_files`` maps the digests of the files of this intake to their names.
    """
    day = f"DATE {text(today.isoformat())}"
    _read_stored(engine, vault, change.files)
    _end_repeated_rows(engine, read_files)
    names = ", ".join(f'b."{name}"' for name in COLUMNS)
    new = f"""SELECT {names}, {_ID} AS id, {day} AS brought_on, NULL::DATE AS ended_on, NULL::VARCHAR AS ended_by
        FROM bad b ANTI JOIN stored_bad h ON (h."table" = b."table" AND h.digest = b.digest AND h.line = b.line)"""
    back = """SELECT id, min(file) AS file, max(state) FILTER (state = 'corrected') AS corrected
        FROM came_back GROUP BY id"""
    engine.execute(f"""CREATE OR REPLACE TEMP TABLE ended AS
        SELECT h.* REPLACE (coalesce(e.corrected, 'returned') AS state, {day} AS ended_on, e.file AS ended_by)
        FROM stored_bad h JOIN ({back}) e ON e.id = h.id AND h.state = '{WAITING}'""")
    change.replace(NAME, by_file(engine.arrow(f"SELECT {FILE}, {POSITION} FROM ended")))
    query = f"""SELECT * EXCLUDE ({FILE}, {POSITION}) FROM ended UNION ALL BY NAME
        (SELECT * FROM ({new}) ORDER BY "table", file, line, reason)"""
    rows = engine.batches(f"SELECT *, strftime(brought_on, '%Y') AS {PERIOD} FROM ({query}) ORDER BY {PERIOD}")
    form = pa.schema([*_SCHEMA, (PERIOD, pa.string())])
    change.append(NAME, (batch.select(form.names).cast(form) for batch in rows))


def _read_stored(engine: Engine, vault: Vault, files: FileList) -> None:
    """Create ``stored_bad``: the rows of the quarantine that wait, or that a file of this intake has, with their place.

    No other row can be the same as a new one or end its waiting; of the others two columns are read.
    """
    own = [(FILE, pa.string()), (POSITION, pa.int64())]
    names = [*_SCHEMA.names, FILE, POSITION]
    stored = pa.schema([*_SCHEMA, *own]).empty_table()
    if files.of(NAME):
        engine.register("quarantine", vault.batches(NAME, ["state", "digest", FILE, POSITION], files=files))
        places = engine.arrow(
            f"SELECT {FILE}, {POSITION} FROM quarantine WHERE state = '{WAITING}' OR digest IN (SELECT digest FROM bad)"
        )
        engine.unregister("quarantine")
        stored = vault.batches(NAME, names, positions=by_file(places), files=files)
    engine.register("quarantine", stored)
    engine.execute("CREATE OR REPLACE TEMP TABLE stored_bad AS FROM quarantine")
    engine.unregister("quarantine")


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
    """The quarantine: ``COLUMNS``, ``row`` as JSON text, its id, the day it came and the day and file that ended it."""
    return vault.read(NAME, _SCHEMA.names) if NAME in vault.names() else _SCHEMA.empty_table()


@dataclass(slots=True)
class WaitingRows:
    """The rows that wait when an intake begins; they are read when first needed, once for all tables."""

    vault: Vault
    files: FileList
    rows: pa.Table | None = None

    def of(self, table: str) -> list[dict[str, Any]]:
        """Those of one table."""
        if not self.files.of(NAME):
            return []
        if self.rows is None:
            reader = self.vault.batches(NAME, _SCHEMA.names, files=self.files)
            waits = (batch.filter(pc.equal(batch.column("state"), WAITING)) for batch in reader)
            self.rows = pa.Table.from_batches(waits, reader.schema)
        rows: list[dict[str, Any]] = self.rows.filter(pc.equal(self.rows.column("table"), table)).to_pylist()
        return rows
