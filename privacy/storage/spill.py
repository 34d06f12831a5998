"""The folders in which custody's engine spills clear text (溢出文件): one for each run, deleted with it.

A process that is killed deletes nothing, and what it left would outlive the destruction of a key. So each folder is
locked while its run lasts, and each run deletes those of its own user that no one has locked.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX, _LOCK = "custody-", ".lock"


@contextmanager
def spill_folder(within: Path | None) -> Iterator[Path]:
    """A private folder below ``within`` (None: the system's), after those that killed runs left were deleted."""
    delete_left_over(within)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=within, ignore_cleanup_errors=True) as made:
        folder = Path(made)
        with (folder / ".new").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.rename(folder / ".new", folder / _LOCK)  # no one sees the lock before it is taken
            yield folder


def delete_left_over(within: Path | None) -> int:
    """Delete the folders of runs that were killed; returns how many there were."""
    root, deleted = within or Path(tempfile.gettempdir()), 0
    for folder in root.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                continue
            descriptor = os.open(folder / _LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
                deleted += 1
    return deleted
