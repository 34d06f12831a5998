"""Which of the service's processes are ready: one byte per process, in memory that they share."""

from __future__ import annotations

import mmap
import os

SIZE = 512  # places


class SharedReadiness:
    """One byte per place: 0 when no worker has the place, 1 until its worker is ready, then 2."""

    def __init__(self, descriptor: int | None = None) -> None:
        """Map the memory behind `descriptor`, or new memory."""
        self.descriptor = os.memfd_create("readiness", 0) if descriptor is None else descriptor
        os.truncate(self.descriptor, SIZE)
        self._bytes = mmap.mmap(self.descriptor, SIZE)

    def put(self, place: int, *, working: bool, ready: bool = False) -> None:
        """Set the state of a place."""
        self._bytes[place] = (1 + ready) if working else 0

    def ready(self, place: int) -> bool:
        """Whether the worker at this place is ready."""
        return self._bytes[place] == 2

    def others_not_ready(self, place: int) -> int:
        """The number of workers at other places that are not ready."""
        return self._bytes[:].count(1) - (self._bytes[place] == 1)
