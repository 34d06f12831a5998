"""Compaction of the vault: the many files of a period become one, without the rows that were replaced.

It changes no row that counts. A delivery never waits for it: it runs afterwards, where a period has become scattered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from privacy.catalogue_roles import Progress, no_progress
from privacy.duckdb_engine import Engine, Limits, engine
from privacy.storage.file_list import FileList
from privacy.storage.partition import ROWS, Partition
from privacy.vault import BUCKET, Vault

MOST_FILES = 32  # of a period; each costs a reader about a millisecond, and a delivery adds one
MOST_REPLACED = 0.25  # of the rows of a period


def compact(
    vault: Vault,
    *,
    progress: Progress = no_progress,
    limits: Limits | None = None,
    most_files: int = MOST_FILES,
    most_replaced: float = MOST_REPLACED,
) -> int:
    """Compact every scattered period, each in a change of its own; returns how many there were.

    A process that is killed has compacted some of them, and the next one compacts the rest.
    """
    with vault.exclusive(), engine(limits) as run:
        scattered = list(_scattered(vault.files(), most_files, most_replaced))
        for number, (table, period) in enumerate(scattered):
            progress(f"compacting {table}", number, len(scattered))
            _compact(run, vault, table, period)
    return len(scattered)


def _compact(run: Engine, vault: Vault, table: str, period: str) -> None:
    columns = vault.stored_columns(table)
    order = f" ORDER BY {BUCKET}" if BUCKET in columns else ""
    run.register("scattered", vault.batches(table, columns, periods=[period]))
    with vault.change() as change:
        change.compacted(table, period, run.batches(f"SELECT * FROM scattered{order}", ROWS))
    run.unregister("scattered")


def _scattered(files: FileList, most_files: int, most_replaced: float) -> Iterator[tuple[str, str]]:
    periods: dict[tuple[str, str], list[Partition]] = defaultdict(list)
    for table, each in files.tables.items():
        for file in each:
            periods[table, file.period].append(file)
    for place, parts in sorted(periods.items()):
        replaced, rows = sum(file.replaced_rows for file in parts), sum(file.rows for file in parts)
        if len(parts) > most_files or replaced > most_replaced * rows:
            yield place
