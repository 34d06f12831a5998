"""The form of the store by versions: each file `NNNN_*.sql` beside this one moves it from version NNNN - 1 to NNNN.

A file that has been in a release is not changed any more: a change is a further file. Its statements end with `;` at
the end of a line, and both engines understand them (a type that SQLite does not know gives it no trouble).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from credit.errors import Broken
from serving.store.former_files import former_tables, remove_former_files
from serving.store.transaction import Engine, Transaction

_VERSION = "CREATE TABLE IF NOT EXISTS store_version (one INTEGER PRIMARY KEY, version BIGINT NOT NULL)"


@cache
def steps() -> tuple[tuple[str, ...], ...]:
    """The statements of each step, the first one first."""
    files = sorted(Path(__file__).parent.glob("*.sql"))
    numbers = [int(file.name[:4]) for file in files]
    assert numbers == list(range(1, len(files) + 1)), "each step has a number of its own"
    return tuple(_statements(file.read_text(encoding="utf-8")) for file in files)


def migrate(engine: Engine, path: Path | None = None) -> None:
    """Bring a database to the newest version in one transaction, or leave it as it is.

    `path` is the file's, beside which earlier releases kept further ones; what they hold is taken over. Raises Broken
    for a database that a newer program has made.
    """
    former = former_tables(path) if path is not None else {}

    def act(transaction: Transaction) -> None:
        transaction.rows(engine.exclude)  # of two processes that start at once, one finds it done
        transaction.rows(_VERSION)
        transaction.rows("INSERT INTO store_version (one, version) VALUES (1, 0) ON CONFLICT (one) DO NOTHING")
        ((version,),) = transaction.rows("SELECT version FROM store_version")
        newest = len(steps())
        if version > newest:
            raise Broken("store.newer-than-program", version=version, newest=newest)
        for step in steps()[version:]:
            for each in step:
                transaction.rows(each)
        if version < newest:
            transaction.rows("UPDATE store_version SET version = ? WHERE one = 1", newest)
        if version < 2:  # earlier releases had no version, and a file for each of these tables
            for table, (columns, rows) in former.items():
                marks = ", ".join("?" * len(columns))
                for row in rows:
                    transaction.rows(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", *row)

    engine.transact([act], durable=True)
    if path is not None:
        remove_former_files(path)


def _statements(text: str) -> tuple[str, ...]:
    lines = [line for line in text.splitlines() if line and not line.startswith("--")]
    return tuple(part.strip() for part in "\n".join(lines).removesuffix(";").split(";\n"))
