"""How much memory a process and all below it hold, sampled: the peak of the sum of resident set sizes."""

from __future__ import annotations

import threading
from types import TracebackType

import psutil

MIB = 1024 * 1024


def resident_mib(root: psutil.Process) -> float:
    """The resident set sizes of a process and all below it, in MiB. A shared page counts for each process."""
    total = 0
    try:
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for process in family:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / MIB


class Watch:
    """Sample while the ``with`` block runs; ``since_mark`` is the peak since the last :meth:`mark`."""

    def __init__(self, pid: int | None = None, every: float = 0.2) -> None:
        self._root = psutil.Process(pid)
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.since_mark = 0.0

    def mark(self) -> None:
        """Begin a new peak, ``since_mark``."""
        self.since_mark = 0.0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.since_mark = max(self.since_mark, resident_mib(self._root))
            self._stop.wait(self._every)
