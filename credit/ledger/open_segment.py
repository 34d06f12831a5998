"""The segment of a ledger that is written now, under a lock that orders the writers of several processes."""

from __future__ import annotations

import fcntl
import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from credit.ledger.segments.store import FILE_MODE


@contextmanager
def open_segment(path: Path, lock: threading.Lock) -> Iterator[BinaryIO]:
    """The open segment under an exclusive lock; opened again when another writer has closed it meanwhile.

    ``lock`` orders the threads of this process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock:
        while True:
            with os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, FILE_MODE), "r+b") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                if is_still_open(stream, path):
                    yield stream
                    return


def is_still_open(stream: BinaryIO | io.FileIO, path: Path) -> bool:
    """Whether a locked file still is the open segment: another writer may have closed it before it was locked."""
    try:
        return os.fstat(stream.fileno()).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False
