"""Compilation by Numba: functions over numbers, compiled once per machine and cached beside Python's own bytecode.

The cache contains machine code, as a ``.pyc`` contains bytecode, so it lies in the same place, ``__pycache__``, with
the
same protection, under a digest of the files that it was made from. Nothing of a model version is ever compiled: trees
are data to these functions. Where the folder is read-only, each process compiles for itself, which takes seconds.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

from credit.canonical import digest

_BLAS = "scipy.linalg"


def _without_blas() -> None:
    """Let Numba look for a BLAS in vain: it would load SciPy's, for a third of a second, and nothing here multiplies.

    Where that is loaded already, so that to find it costs nothing, Numba finds it.
    """
    if _BLAS in sys.modules:
        return
    sys.modules[_BLAS] = None  # type: ignore[assignment]
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        del sys.modules[_BLAS]


_without_blas()
Compiled = TypeVar("Compiled", bound=Callable[..., Any])
_CONFIG: Any = numba.config
_HERE = Path(__file__).parent
_SOURCES = sorted((*_HERE.glob("*.py"), *(_HERE.parent / "treeshap").glob("*.py")))
CACHE_FOLDER = _HERE / "__pycache__" / digest(b"".join(path.read_bytes() for path in _SOURCES))[:16]


def compiled(fn: Compiled) -> Compiled:
    """``fn`` as machine code without Python's lock, strictly IEEE 754: no contraction and no reordering of sums."""
    return _compile(fn)


def inner(fn: Compiled) -> Compiled:
    """``fn`` for use by compiled functions only, inlined; it must not create arrays, so that none is
    reference-counted."""
    return _compile(fn, _nrt=False, forceinline=True)


def _compile(fn: Compiled, **more: Any) -> Compiled:
    # Numba reads the setting when it wraps the function, and uses the folder at its first call.
    before, _CONFIG.CACHE_DIR = _CONFIG.CACHE_DIR, str(CACHE_FOLDER)
    settings = {"nogil": True, "fastmath": False, "error_model": "numpy", **more}
    try:
        return numba.njit(cache=True, **settings)(fn)  # type: ignore[no-any-return]
    except RuntimeError:  # the folder cannot be written
        return numba.njit(**settings)(fn)  # type: ignore[no-any-return]
    finally:
        _CONFIG.CACHE_DIR = before
