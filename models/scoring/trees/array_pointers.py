"""Arrays handed to a compiled function by where they are in memory: one argument, however many they are.

Numba unpacks each array of each call from its Python object, and of a row alone that would be a third of the time.
Whoever keeps the addresses keeps the arrays, in one process: they are never written down and never sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from models.scoring.trees.numba_compile import compiled

_numba: Any = numba
_machine: Any = intrinsic


def addresses(arrays: Sequence[NDArray[Any]]) -> NDArray[np.uint64]:
    """Address and length of each array (2n,); they are one after another in memory, or this is a mistake of ours."""
    if not all(array.ndim == 1 and array.flags.c_contiguous for array in arrays):
        raise TypeError("an array with gaps has no one address")
    return np.array([(array.ctypes.data, len(array)) for array in arrays], dtype=np.uint64).ravel()


def _pointer(typing: Any, address: Any) -> Any:
    """An address as a pointer."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.uint64), emit


pointer = _machine(_pointer)


@compiled
def array_at(packed: Any, number: Any, kind: Any) -> Any:
    """Array number ``number`` of :func:`addresses`, of doubles, say, by ``kind``; nothing is copied."""
    return _numba.carray(pointer(packed[2 * number]), (np.intp(packed[2 * number + 1]),), kind)
