"""Disk errors as refusals: a full disk is reported as one, wherever in a training it occurs."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from credit.errors import Refused


@contextmanager
def refuse_on_full_disk() -> Iterator[None]:
    """Raise :class:`Refused` when the block finds the disk or the quota full."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Refused("disk-errors.no-room-left-on-disk") from error
