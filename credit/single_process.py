"""A lock that one process has alone, for as long as it works in a folder."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from credit.errors import Malformed

PATIENCE = 0.5  # seconds: :func:`is_locked` takes the lock for a moment, and must not keep an agent that starts out


@contextmanager
def exclusive_lock(lock: Path, refusal: Malformed) -> Iterator[None]:
    """Lock the file ``lock`` during the block; raises ``refusal`` when another process has locked it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    limit = time.monotonic() + PATIENCE
    with lock.open("w") as stream:
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() > limit:
                    raise refusal from error
                time.sleep(0.02)
        yield


def is_locked(lock: Path) -> bool:
    """True while a process has locked the file."""
    try:
        with lock.open("r") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
