"""A thread that kills Ray's workers while they work."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def killer(task: str, times: int, *, after: threading.Event | None = None) -> Iterator[list[int]]:
    """Kill so many workers, each as it comes to a task of this name (once ``after`` is set); their process numbers."""
    killed: list[int] = []
    over = threading.Event()

    def hunt() -> None:
        while not over.is_set() and len(killed) < times:
            for place in Path("/proc").iterdir() if after is None or after.is_set() else ():
                with contextlib.suppress(OSError):
                    is_target = place.name.isdigit() and (place / "cmdline").read_bytes().startswith(
                        f"ray::{task}".encode()
                    )
                    if is_target and int(place.name) not in killed and len(killed) < times:
                        os.kill(int(place.name), signal.SIGKILL)
                        killed.append(int(place.name))
            over.wait(0.01)

    hunter = threading.Thread(target=hunt)
    hunter.start()
    try:
        yield killed
    finally:
        over.set()
        hunter.join()
