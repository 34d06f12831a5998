"""The row of a subject in a snapshot by its key, over the sorted keys of a memory-mapped file."""

from __future__ import annotations

import mmap
from array import array
from pathlib import Path

import numpy as np

from models.scoring.snapshot_layout import KEY_BYTES

_PREFIXES = 1 << 16  # a key is a digest, so its first two bytes split a million subjects into groups of about sixteen


class KeyIndex:
    """Sorted keys of 16 bytes each, and the first row of every two-byte prefix: a look-up takes under 1 us."""

    def __init__(self, keys: bytes | mmap.mmap) -> None:
        """Reads the keys once and keeps 256 KiB of its own."""
        self._keys = keys
        prefixes = np.frombuffer(keys, dtype=">u2")[:: KEY_BYTES // 2] if len(keys) else np.empty(0, dtype=">u2")
        first_rows = np.searchsorted(prefixes.astype(np.uint16), np.arange(_PREFIXES + 1, dtype=np.uint32))
        self._first_rows = array("I", first_rows.astype(np.uint32).tobytes())

    def __len__(self) -> int:
        return len(self._keys) // KEY_BYTES

    def row_of(self, key: bytes) -> int | None:
        """The row of a key (16 bytes); None when the key is not in the snapshot."""
        prefix = key[0] << 8 | key[1]
        at, end = self._first_rows[prefix] * KEY_BYTES, self._first_rows[prefix + 1] * KEY_BYTES
        while (at := self._keys.find(key, at, end)) >= 0:
            if at % KEY_BYTES == 0:
                return at // KEY_BYTES
            at += 1  # the match spans the end of one key and the start of the next
        return None


def map_bytes(path: Path) -> bytes | mmap.mmap:
    """The file's bytes, memory-mapped. An empty file cannot be mapped and gives empty bytes."""
    with path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
