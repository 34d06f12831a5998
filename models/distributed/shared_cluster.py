"""One Ray cluster for everything that a process trains and evaluates, started when it is first needed.

It stays open for the next job until nothing has needed it for a while, since starting one takes seconds and a process
can be the client of one cluster at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from credit.errors import Broken
from models.distributed.ray_cluster import Tasks, cluster

IDLE = 300.0  # seconds without a job after which the cluster is ended


@dataclass(slots=True)
class SharedCluster:
    """The cluster at ``address``, or a local one. Jobs use it one after another."""

    address: str = ""
    token: Path | None = None
    _stack: ExitStack = field(default_factory=ExitStack, repr=False)
    _tasks: Tasks | None = None
    _last: float = 0.0
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @contextmanager
    def tasks(self) -> Iterator[Tasks]:
        """The cluster, for this job alone. When a job finds it broken, the next one gets another.

        Raises as :func:`~models.distributed.ray_cluster.cluster`.
        """
        with self._lock:
            if self._tasks is None:
                self._tasks = self._stack.enter_context(cluster(self.address, token=self.token))
            try:
                yield self._tasks
            except Broken:
                self.close()
                raise
            finally:
                self._last = time.monotonic()

    def close_idle(self) -> None:
        """End the cluster when no job has needed it for :data:`IDLE` seconds."""
        if self._tasks is not None and self._lock.acquire(blocking=False):
            try:
                if time.monotonic() - self._last > IDLE:
                    self.close()
            finally:
                self._lock.release()

    def close(self) -> None:
        """End the cluster, once the job that uses it is done."""
        with self._lock:
            self._tasks = None
            self._stack.close()
