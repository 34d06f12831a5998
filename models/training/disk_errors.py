"""Room on the disk: when there is none left, that is said in words, wherever in a training it is found out."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from credit.errors import Refused


@contextmanager
def refuse_on_full_disk() -> Iterator[None]:
    """Raise :class:`Refused` where the block finds the disk full, or its share of it."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Refused("disk-errors.no-room-left-on-disk") from error
