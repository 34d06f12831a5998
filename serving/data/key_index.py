"""Where a subject stands in a snapshot: its row by its key, over the sorted keys as the file holds them (mapped)."""

from __future__ import annotations

import mmap
from array import array
from pathlib import Path

import numpy as np

from models.scoring.snapshot_layout import KEY_BYTES

_HEADS = 1 << 16  # a key is a digest, so its first two bytes part a million subjects into lots of about sixteen


class KeyIndex:
    """Sorted keys of 16 bytes each, and the row at which each pair of first bytes begins: a look-up under 1 us."""

    def __init__(self, keys: bytes | mmap.mmap) -> None:
        """Reads the keys once; keeps 256 KiB of its own."""
        self._keys = keys
        heads = np.frombuffer(keys, dtype=">u2")[:: KEY_BYTES // 2] if len(keys) else np.empty(0, dtype=">u2")
        firsts = np.searchsorted(heads.astype(np.uint16), np.arange(_HEADS + 1, dtype=np.uint32))
        self._firsts = array("I", firsts.astype(np.uint32).tobytes())

    def __len__(self) -> int:
        return len(self._keys) // KEY_BYTES

    def row_of(self, key: bytes) -> int | None:
        """The row of a key (16 bytes); None when it is not there."""
        head = key[0] << 8 | key[1]
        at, end = self._firsts[head] * KEY_BYTES, self._firsts[head + 1] * KEY_BYTES
        while (at := self._keys.find(key, at, end)) >= 0:
            if at % KEY_BYTES == 0:
                return at // KEY_BYTES
            at += 1  # the end of one key and the beginning of the next
        return None


def map_bytes(path: Path) -> bytes | mmap.mmap:
    """The file's bytes without reading them; an empty file cannot be mapped and is empty bytes."""
    with path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
