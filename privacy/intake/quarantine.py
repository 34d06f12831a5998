"""The quarantine: every row that was not taken in, with its table, file, line, reason in words, and content.

Nothing in it is lost and nothing twice: a row is known by its file's digest, its line and its table.
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
    """Make the empty relation ``bad`` that an intake fills."""
    columns = ", ".join(f'"{name}" {"BIGINT" if name == "line" else "VARCHAR"}' for name in COLUMNS)
    engine.do(f"CREATE TEMP TABLE bad ({columns})")


def keep(engine: Engine, vault: Vault, *, today: date) -> int:
    """Add what ``bad`` holds and the vault's quarantine does not; the number of rows added."""
    held = read(vault)
    engine.lend("held_bad", held)
    names = ", ".join(f'b."{name}"' for name in COLUMNS)
    new = f"""SELECT {names}, DATE {text(today.isoformat())} AS brought_on FROM bad b
        ANTI JOIN held_bad h ON (h."table" = b."table" AND h.digest = b.digest AND h.line = b.line)"""
    count = int(engine.one(f"SELECT count(*) FROM ({new})"))
    if count:
        order = 'ORDER BY "table", file, line, reason'
        table = engine.arrow(f"SELECT * FROM held_bad UNION ALL (SELECT * FROM ({new}) {order})")
        vault.write(NAME, table.cast(_SCHEMA))
    engine.take_back("held_bad")
    return count


def read(vault: Vault) -> pa.Table:
    """The quarantine table: table, file, digest, line, reason, row (text), brought_on."""
    return vault.read(NAME) if NAME in vault.names() else _SCHEMA.empty_table()
