"""Shortages of this machine: no descriptor, memory or space for the moment. They say nothing about any data."""

from __future__ import annotations

import errno
import resource

_SHORT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EAGAIN, errno.EINTR})
SECONDS = 60.0  # for which data that could not be read again may go on being used


def is_shortage(error: BaseException) -> bool:
    """Whether an error is a shortage of this machine, or was raised from one, and is no judgment on what was read."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _SHORT):
        return True
    return error.__cause__ is not None and is_shortage(error.__cause__)


def raise_descriptor_limit() -> None:
    """Allow this process as many open files as the system lets it have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
