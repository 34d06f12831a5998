"""Whether a process still lives that said who it was: it holds a byte of a file, and loses it by dying.

A process's number would not tell: another may have it by then, and two containers count apart.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import struct
from pathlib import Path

_LOCK = struct.Struct("hhqqi4x")  # struct flock of Linux on 64 bits
_MOST = 1 << 62  # bytes of a file, none of which is ever written


class LivenessLock:
    """This process's byte; `me` says which, and whoever remembers it may ask the others."""

    def __init__(self, path: Path | None = None) -> None:
        """Without a path, a file of this process alone."""
        self._file = (
            os.memfd_create("alive") if path is None else os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        )
        self.me = secrets.randbelow(_MOST)  # two processes with the same one are not to be expected
        fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, self.me, 1, 0))

    def lives(self, other: int) -> bool:
        """Whether the process that was `other` lives."""
        if other == self.me:
            return True  # one's own lock is in nobody's way, so it is not seen
        told = fcntl.fcntl(self._file, fcntl.F_OFD_GETLK, _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, other, 1, 0))
        return bool(_LOCK.unpack(told)[0] != fcntl.F_UNLCK)

    def close(self) -> None:
        """As if it died."""
        os.close(self._file)
