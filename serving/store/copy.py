"""Copies a store in SQLite into an empty one in PostgreSQL: `python -m serving.store.copy access.db postgresql://…`.

The service is stopped meanwhile. The file stays as it is.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from credit.errors import CreditError, Refused
from serving.store.store import Store, open_store
from serving.store.transaction import Transaction

# In the order in which they may be filled; what names a process is left out.
TABLES = (
    "client", "client_limit", "client_kind", "client_network", "client_key", "client_former", "client_certificate",
    "outcome", "outcome_loan", "mandate", "objection", "seen", "heard", "live_count", "answered", "made", "webhook",
    "watch", "delivery", "notice", "job", "application", "application_document", "used_consent", "subject_key",
    "subject_link", "subject_session",
)  # fmt: skip
_NOT_COPIED = {"owner"}


def copy_store(file: Path, target: Store) -> dict[str, int]:
    """Copy every table in one transaction; gives the number of rows of each.

    Raises Refused when the target has clients already.
    """
    open_store(file).close()  # brings it to the newest form
    with closing(sqlite3.connect(file)) as source:

        def act(transaction: Transaction) -> dict[str, int]:
            if transaction.rows("SELECT name FROM client LIMIT 1"):
                raise Refused("store.copy-not-into-used")
            return {table: _copy(source, transaction, table) for table in TABLES}

        return target.run(act)


def _copy(source: sqlite3.Connection, transaction: Transaction, table: str) -> int:
    names = [str(row[1]) for row in source.execute(f"PRAGMA table_info({table})")]
    columns = ", ".join(name for name in names if name not in _NOT_COPIED)
    marks, count = ", ".join("?" * (columns.count(",") + 1)), 0
    for row in source.execute(f"SELECT {columns} FROM {table}"):
        transaction.rows(f"INSERT INTO {table} ({columns}) VALUES ({marks})", *row)
        count += 1
    return count


def main(file: str, address: str) -> int:
    """Copy, and print the number of rows of each table."""
    try:
        target = open_store(address)
        try:
            counts = copy_store(Path(file), target)
        finally:
            target.close()
    except CreditError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for table, count in counts.items():
        print(f"{table:16} {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
