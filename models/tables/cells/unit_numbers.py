"""Numbers of units: what a key of compute alone makes of pseudonyms, the same for tables and for orders."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def unit_number(subject: str, key: bytes) -> int:
    """The number (64 bits) of one subject."""
    return int.from_bytes(hashlib.blake2b(subject.encode(), digest_size=8, key=key).digest(), "big")


def numbered_units(subjects: NDArray[Any], key: bytes) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The numbers of the units of rows of ``subjects`` (n,), ascending, and the place (n,) of each row's."""
    different, places = np.unique(np.asarray(subjects).astype(np.str_), return_inverse=True)
    numbers = np.array([unit_number(name, key) for name in different], dtype=np.uint64)
    order = np.argsort(numbers)
    place_of = np.empty(len(order), dtype=np.int64)
    place_of[order] = np.arange(len(order))
    return numbers[order], place_of[places.ravel()]
