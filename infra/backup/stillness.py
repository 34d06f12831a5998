"""A moment in which no ledger and no vault of a home changes: writers wait at the locks that they take anyway.

The vault comes first, as with an intake, which enters its work in the ledger before it lets the vault go.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from credit.ledger.open_segment import is_still_open
from infra.progress import ReportProgress


@contextmanager
def still(home: Path, report: ReportProgress) -> Iterator[None]:
    """The vault and every ledger of a home stay as they are in this block."""
    with ExitStack() as locks:
        if (home / "raw").is_dir():
            report("waiting for the vault", 0, 0)
            turn = locks.enter_context((home / "raw" / ".turn").open("w"))
            fcntl.flock(turn, fcntl.LOCK_EX)
        for path in sorted((home / "ledgers").glob("*.jsonl")):
            locks.enter_context(_locked(path))
        yield


@contextmanager
def _locked(ledger: Path) -> Iterator[None]:
    while True:
        with ledger.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            if is_still_open(stream, ledger):
                yield
                return
