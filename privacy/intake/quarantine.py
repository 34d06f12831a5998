"""The quarantine: every rejected row, with its table, file, line, reason and content.

Every rejected row is stored exactly once, identified by the digest of its file, its line and its table.
"""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from privacy.duckdb_engine import Engine, text
from privacy.vault import Vault

NAME = "_quarantine"
COLUMNS = ("table", "file", "digest", "line", "reason", "row")
_SCHEMA = pa.schema(
    [(name, pa.int64() if name == "line" else pa.string()) for name in COLUMNS] + [("brought_on", pa.date32())]
)


def prepare(engine: Engine) -> None:
    """Create the empty relation ``bad``, into which an intake puts rejected rows."""
    columns = ", ".join(f'"{name}" {"BIGINT" if name == "line" else "VARCHAR"}' for name in COLUMNS)
    engine.execute(f"CREATE TEMP TABLE bad ({columns})")


def keep(engine: Engine, vault: Vault, *, today: date) -> int:
    """Add the rows of ``bad`` that are not in the vault's quarantine yet; returns their number."""
    engine.register("stored_bad", read(vault))
    names = ", ".join(f'b."{name}"' for name in COLUMNS)
    new = f"""SELECT {names}, DATE {text(today.isoformat())} AS brought_on FROM bad b
        ANTI JOIN stored_bad h ON (h."table" = b."table" AND h.digest = b.digest AND h.line = b.line)"""
    count = int(engine.one(f"SELECT count(*) FROM ({new})"))
    if count:
        order = 'ORDER BY "table", file, line, reason'
        table = engine.arrow(f"SELECT * FROM stored_bad UNION ALL (SELECT * FROM ({new}) {order})")
        vault.write(NAME, table.cast(_SCHEMA))
    engine.unregister("stored_bad")
    return count


def read(vault: Vault) -> pa.Table:
    """The quarantine table: table, file, digest, line, reason, row (JSON text), brought_on (date)."""
    return vault.read(NAME) if NAME in vault.names() else _SCHEMA.empty_table()
