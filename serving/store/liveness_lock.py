"""Distinguishes running processes from ended ones: a process locks one byte of a file, and loses the lock when it ends.

A process id would not do: it may be reused, and two containers number their processes independently.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import struct
from pathlib import Path

_LOCK = struct.Struct("hhqqi4x")  # struct flock of Linux on 64 bits
_MOST = 1 << 62  # possible offsets in a file to which no byte is ever written


class LivenessLock:
    """The byte of this process; `me` is its offset, which other processes can check later."""

    def __init__(self, path: Path | None = None) -> None:
        """Lock a random byte of the file at `path`; without one, of a file of this process alone."""
        self._file = (
            os.memfd_create("alive") if path is None else os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        )
        self.me = secrets.randbelow(_MOST)  # a collision of two processes need not be expected
        fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, self.me, 1, 0))

    def lives(self, other: int) -> bool:
        """Whether the process with the offset `other` still runs."""
        if other == self.me:
            return True  # a process does not see its own lock
        lock = fcntl.fcntl(self._file, fcntl.F_OFD_GETLK, _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, other, 1, 0))
        return bool(_LOCK.unpack(lock)[0] != fcntl.F_UNLCK)

    def close(self) -> None:
        """Release the lock, as though the process had been killed."""
        os.close(self._file)
