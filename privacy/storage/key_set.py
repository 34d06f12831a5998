"""The keys of a delivery, for which the stored keys are searched: which of many stored rows can have one of them.

A table of bits, small enough for a processor's cache, leaves out almost every stored row; the first 64 of a key's 128
bits decide about the others. So a row that has one of the keys is always among those that stay. The caller compares
all 128 bits of these few.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

IDENTITY = pa.binary(16)
Positions = npt.NDArray[np.int64]
_SPARE = 5  # the table has 2 ** 5 to 2 ** 6 bits a key: it lets one stored row in 32 to 64 pass
_MOST = 28  # its size at most, as a power of two in bits: 32 MiB


def by_file(places: pa.Table) -> dict[str, Positions]:
    """Rows of two columns, the id of a file and a position in it, as the id -> its positions, sorted."""
    ids, positions = places.column(0), places.column(1)
    return {id: np.sort(positions.filter(pc.equal(ids, id)).to_numpy()) for id in pc.unique(ids).to_pylist()}


class KeySet:
    """A set of keys of 16 bytes, of which it has 8 in memory."""

    def __init__(self, keys: Iterable[pa.Array]) -> None:
        parts = [np.empty(0, dtype=np.uint64), *(_first_half(each) for each in keys)]
        self._sorted = np.unique(np.concatenate(parts))
        size = min(max(len(self._sorted), 1).bit_length() + _SPARE, _MOST)
        self._shift = np.uint64(64 - size)
        self._bits = np.zeros((1 << size) // 8 + 1, dtype=np.uint8)
        place = self._sorted >> self._shift
        np.bitwise_or.at(self._bits, place >> np.uint64(3), _bit(place))

    def mask(self, keys: pa.Array) -> npt.NDArray[np.bool_]:
        """For each of these keys whether it can be in the set; True for each that is."""
        halves = _first_half(keys)
        place = halves >> self._shift
        mask: npt.NDArray[np.bool_] = (self._bits[place >> np.uint64(3)] & _bit(place)) != 0
        some = halves[mask]
        at = np.searchsorted(self._sorted, some)
        mask[mask] = self._sorted[np.minimum(at, len(self._sorted) - 1)] == some if len(self._sorted) else False
        return mask


def _bit(place: npt.NDArray[np.uint64]) -> Any:
    return np.left_shift(np.uint8(1), (place & np.uint64(7)).astype(np.uint8))


def _first_half(keys: pa.Array) -> npt.NDArray[np.uint64]:
    """The first 8 bytes of each key, as a number."""
    fixed = keys if keys.type == IDENTITY else keys.cast(IDENTITY)
    # Most significant byte first, so that the highest bits of the number are spread as those of the digest are.
    whole = np.frombuffer(fixed.buffers()[1], dtype=">u8") if len(fixed) else np.empty(0, dtype=">u8")
    return whole[2 * fixed.offset : 2 * (fixed.offset + len(fixed)) : 2].astype(np.uint64)
