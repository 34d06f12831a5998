"""Six numbers per bank in a file that several processes map; one process at a time changes them, in memory alone."""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import threading
from pathlib import Path
from types import TracebackType

from credit.errors import Lapsed

MOST = 4096  # banks
_NUMBERS = struct.Struct("<6d")
_NAME, _SIZE = 16, 64  # bytes of a bank's digest; of a slot
Numbers = tuple[float, float, float, float, float, float]


class CounterSlot:
    """The numbers of one bank, all zero at first; use them within `with`, which locks out the other processes."""

    __slots__ = ("_at", "_slots")

    def __init__(self, slots: CounterFile, at: int) -> None:
        """`at` is the offset of the numbers in bytes."""
        self._slots, self._at = slots, at

    def __enter__(self) -> CounterSlot:
        self._slots.lock()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._slots.unlock()

    def read(self) -> Numbers:
        """The present numbers."""
        return _NUMBERS.unpack_from(self._slots.memory, self._at)

    def write(self, numbers: Numbers) -> None:
        """Replace the numbers."""
        _NUMBERS.pack_into(self._slots.memory, self._at, *numbers)


class CounterFile:
    """The file. A bank's slot is found by its digest (open addressing); it never moves, so it is searched for once."""

    def __init__(self, path: Path | None = None) -> None:
        """Map the file at `path` and create it if necessary; without a path, a nameless file of this process."""
        if path is None:
            self._file = os.memfd_create("slots")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.truncate(self._file, MOST * _SIZE)  # its final size; new bytes are zero
        self.memory = mmap.mmap(self._file, MOST * _SIZE)
        self._known: dict[str, CounterSlot] = {}
        self._lock = threading.Lock()

    def __del__(self) -> None:
        """Close the file with the slots."""
        os.close(self._file)

    def of(self, bank: str) -> CounterSlot:
        """The bank's slot. Raises Lapsed when the file is full."""
        slot = self._known.get(bank)
        if slot is None:
            slot = self._known[bank] = self._find(hashlib.sha256(bank.encode()).digest()[:_NAME])
        return slot

    def lock(self) -> None:
        """Lock out the other threads and processes; held for microseconds, without any waiting inside."""
        self._lock.acquire()
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def unlock(self) -> None:
        """Unlock the file."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._lock.release()

    def _find(self, name: bytes) -> CounterSlot:
        self.lock()
        try:
            first = int.from_bytes(name[:4], "little")
            for step in range(MOST):
                at = (first + step) % MOST * _SIZE
                stored = self.memory[at : at + _NAME]
                if stored in (name, bytes(_NAME)):
                    self.memory[at : at + _NAME] = name
                    return CounterSlot(self, at + _NAME)
        finally:
            self.unlock()
        raise Lapsed("counter-file.more-banks-than-service-can")
