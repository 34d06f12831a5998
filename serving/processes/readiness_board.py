"""Which of the service's processes are ready: a byte each, in memory they share."""

from __future__ import annotations

import mmap
import os

SIZE = 512


class ReadinessBoard:
    """One byte a place. A place nobody works at is 0; a worker's is 1 until it is ready, then 2."""

    def __init__(self, descriptor: int | None = None) -> None:
        """The board behind `descriptor`, or a new one."""
        self.descriptor = os.memfd_create("board", 0) if descriptor is None else descriptor
        os.truncate(self.descriptor, SIZE)
        self._bytes = mmap.mmap(self.descriptor, SIZE)

    def put(self, place: int, *, working: bool, ready: bool = False) -> None:
        """Say how it stands at a place."""
        self._bytes[place] = (1 + ready) if working else 0

    def ready(self, place: int) -> bool:
        """Whether the worker there is ready."""
        return self._bytes[place] == 2

    def others_not_ready(self, place: int) -> int:
        """How many workers at other places are not ready."""
        return self._bytes[:].count(1) - (self._bytes[place] == 1)
