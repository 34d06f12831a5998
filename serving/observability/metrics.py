"""The service's metrics for Prometheus: counts and times by product and status; never a bank, a subject or an id.

Several processes count in files of one folder (PROMETHEUS_MULTIPROC_DIR, set by the supervisor), so that each of them
reports the metrics of all.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Metrics:
    """One registry per service, so that two services in one process are counted separately."""

    def __init__(self) -> None:
        """Start all counters at zero."""
        own = self._registry = CollectorRegistry()
        self._calls = Counter("haihe_calls", "Calls answered or refused", ["product", "status"], registry=own)
        self._took = Histogram("haihe_call_seconds", "From the first byte to the last", ["product"],
                               buckets=_SECONDS, registry=own)  # fmt: skip
        self._under_way = Gauge("haihe_calls_under_way", "Calls not yet answered", registry=own,
                                multiprocess_mode="livesum")  # fmt: skip
        self._shed = Counter("haihe_calls_shed", "Calls sent away, too many being under way", registry=own)
        self._many = FOLDER in os.environ
        self._children: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def count(self, product: str, status: int, seconds: float, under_way: int = 0) -> None:
        """Count a request that ended with this HTTP `status` after so many `seconds`."""
        children = self._children.get((product, status))
        if children is None:
            children = self._calls.labels(product, str(status)), self._took.labels(product)
            self._children[product, status] = children
        if self._many:
            self._under_way.set(under_way)
        children[0].inc()
        children[1].observe(seconds)

    def shed(self) -> None:
        """Count a request that was refused because too many were under way."""
        self._shed.inc()

    def text(self, under_way: int) -> bytes:
        """The metrics in the exposition format of Prometheus."""
        self._under_way.set(under_way)
        if FOLDER not in os.environ:
            return generate_latest(self._registry)
        every = CollectorRegistry()
        MultiProcessCollector(every)  # type: ignore[no-untyped-call]
        return generate_latest(every)


def forget(process: int, folder: str) -> None:
    """Remove the requests under way of a process that has ended; its counts stay."""
    mark_process_dead(process, folder)  # type: ignore[no-untyped-call]
