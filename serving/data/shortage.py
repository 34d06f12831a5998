"""Shortages of this machine: no descriptor, memory or space for the moment. They say nothing about any data."""

from __future__ import annotations

import errno
import resource
import time
from collections.abc import Hashable

_SHORT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EAGAIN, errno.EINTR})
SECONDS = 60.0  # for which data that could not be read again may go on being used


def is_shortage(error: BaseException) -> bool:
    """Whether an error is a shortage of this machine, or was raised from one, and is no judgment on what was read."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _SHORT):
        return True
    return error.__cause__ is not None and is_shortage(error.__cause__)


class LastReads:
    """When each of several things was last read: in a shortage what is in use goes on being used for a while."""

    def __init__(self) -> None:
        self._at: dict[Hashable, float] = {}  # in monotonic seconds

    def note(self, name: Hashable) -> None:
        """`name` has been read."""
        self._at[name] = time.monotonic()

    def excuse(self, name: Hashable, fault: BaseException, seconds: float) -> bool:
        """Whether a fault is a shortage, and `name` was read in the last so many seconds."""
        return is_shortage(fault) and name in self._at and time.monotonic() < self._at[name] + seconds


def raise_descriptor_limit() -> None:
    """Allow this process as many open files as the system lets it have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
