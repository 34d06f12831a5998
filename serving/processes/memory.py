"""Makes the C library's allocator return freed memory to the system."""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3  # malloc.h


def return_freed_memory() -> None:
    """Return freed blocks of a megabyte and more to the system at once (mallopt(3), where it exists).

    Otherwise the C library learns to keep such blocks, for each thread, and each check of a secret takes 16 MiB.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1 << 20)
