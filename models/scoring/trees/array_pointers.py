"""Arrays passed to a compiled function by their addresses in memory, as one argument for any number of arrays.

Numba unpacks every array argument of every call from its Python object; for a single row that would be a third of the
time. The owner of the addresses must keep the arrays alive, in one process: addresses are never stored and never sent.
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
    """Address and length of each array (2n,); raises :class:`TypeError` for an array that is not contiguous."""
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
    """Array ``number`` of :func:`addresses` with elements of ``kind``, without copying."""
    return _numba.carray(pointer(packed[2 * number]), (np.intp(packed[2 * number + 1]),), kind)
