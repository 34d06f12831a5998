"""What the process has freed goes back to the system: the C library's allocator, told to keep less."""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3  # malloc.h


def return_freed_memory() -> None:
    """Have what is freed in pieces of a megabyte and more go back to the system (mallopt(3), where there is one).

    Else the C library learns to keep it, a share for each thread, and to prove a bank's secret takes 16 MiB each time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1 << 20)
