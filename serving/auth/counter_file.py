"""Six numbers a bank in a file that several processes map: changed by one at a time, without a look at the disk."""

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
    """One bank's numbers, all zero at first; to be used within `with`, which keeps the other processes away."""

    __slots__ = ("_at", "_slots")

    def __init__(self, slots: CounterFile, at: int) -> None:
        """`at` is where its numbers begin."""
        self._slots, self._at = slots, at

    def __enter__(self) -> CounterSlot:
        self._slots.lock()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._slots.unlock()

    def read(self) -> Numbers:
        """The numbers as they are."""
        return _NUMBERS.unpack_from(self._slots.memory, self._at)

    def write(self, numbers: Numbers) -> None:
        """Replace them."""
        _NUMBERS.pack_into(self._slots.memory, self._at, *numbers)


class CounterFile:
    """The file. A bank's slot is found by its digest (open addressing) and never moves, so it is looked for once."""

    def __init__(self, path: Path | None = None) -> None:
        """Map the file at `path`, made when it is not there; without one, a nameless file of this process."""
        if path is None:
            self._file = os.memfd_create("slots")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.truncate(self._file, MOST * _SIZE)  # longer it never is; new bytes are zero
        self.memory = mmap.mmap(self._file, MOST * _SIZE)
        self._held: dict[str, CounterSlot] = {}
        self._turn = threading.Lock()

    def __del__(self) -> None:
        """Close the file with the slots."""
        os.close(self._file)

    def of(self, bank: str) -> CounterSlot:
        """The bank's slot. Raises Lapsed when there are as many banks as fit."""
        slot = self._held.get(bank)
        if slot is None:
            slot = self._held[bank] = self._find(hashlib.sha256(bank.encode()).digest()[:_NAME])
        return slot

    def lock(self) -> None:
        """Keep the other threads and processes away: some microseconds, in which nobody waits for anything."""
        self._turn.acquire()
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def unlock(self) -> None:
        """Let them in again."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._turn.release()

    def _find(self, name: bytes) -> CounterSlot:
        self.lock()
        try:
            first = int.from_bytes(name[:4], "little")
            for step in range(MOST):
                at = (first + step) % MOST * _SIZE
                held = self.memory[at : at + _NAME]
                if held in (name, bytes(_NAME)):
                    self.memory[at : at + _NAME] = name
                    return CounterSlot(self, at + _NAME)
        finally:
            self.unlock()
        raise Lapsed("counter-file.more-banks-than-service-can")
