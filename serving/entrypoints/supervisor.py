"""Runs several worker processes: starts them, starts them again when they end, and renews them at SIGHUP.

Each worker listens to the same port on a socket of its own (SO_REUSEPORT), and the kernel distributes the connections.
The supervisor owns the sockets, so connections that wait in one are not lost with a worker. SIGHUP renews every worker,
whose successor is ready before it stops: so new keys and new code come into use without a refused request. A new key of
the service is installed in two steps, with a SIGHUP after each: first its public half in the ring, so that every worker
and bank knows it, then the key itself. At SIGTERM no new requests are accepted, and those under way end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from serving.entrypoints.listening import listening_sockets
from serving.observability import log
from serving.observability.metrics import FOLDER, forget
from serving.processes.shared_readiness import SIZE, SharedReadiness
from serving.settings import ServiceSettings

CHECK_SECONDS = 0.05  # between two checks of the workers
PATIENCE, YOUNG = (
    120.0,
    2.0,
)  # seconds: for a worker to become ready; a worker that ends earlier than YOUNG is not restarted at once
DRAIN = 15.0  # seconds for the workers to stop before they are killed


@dataclass(slots=True)
class WorkerProcess:
    """A running worker and its place in the shared readiness; `began` is in seconds of the monotonic clock."""

    process: subprocess.Popen[bytes]
    place: int
    began: float


class Supervisor:
    """Keeps the workers running until a signal stops it."""

    def __init__(self, settings: ServiceSettings, env: Mapping[str, str]) -> None:
        """Listen at once: connections before the first worker is ready wait. Raises OSError when the port is in use."""
        count = settings.workers or len(os.sched_getaffinity(0))
        self._metrics_folder = tempfile.TemporaryDirectory(prefix="haihe-counts-")  # deleted with the supervisor
        self._env, self._readiness = {**env, FOLDER: self._metrics_folder.name}, SharedReadiness()
        self._sockets = listening_sockets(settings, count)
        self._pipe, self._pipe_end = os.pipe()
        self._workers: list[WorkerProcess] = []
        self._signals: set[int] = set()
        self._next = 0

    def run(self) -> int:
        """Run until SIGTERM or SIGINT. The exit code is 0, or that of a worker when no worker can start."""
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, lambda number, _: self._signals.add(number))
        self._workers = [self._start(number) for number in range(len(self._sockets))]
        once_ready, failed = False, 0
        while not self._signals & {signal.SIGTERM, signal.SIGINT}:
            once_ready = once_ready or any(self._readiness.ready(worker.place) for worker in self._workers)
            for number, worker in enumerate(self._workers):
                code = worker.process.poll()
                if code is None:
                    continue
                log.event("worker.died", level=log.ERROR, code=code, lived=round(time.monotonic() - worker.began, 1))
                self._readiness.put(worker.place, working=False)
                self._forget(worker)
                if code > 0 and not once_ready:
                    failed = code
                    self._signals.add(signal.SIGTERM)
                    break
                if time.monotonic() - worker.began < YOUNG:
                    time.sleep(YOUNG / 2)
                self._workers[number] = self._start(number)
            if signal.SIGHUP in self._signals:
                self._signals.discard(signal.SIGHUP)
                self._renew()
            time.sleep(CHECK_SECONDS)
        self._stop()
        return failed

    def _start(self, number: int) -> WorkerProcess:
        """Start a worker on socket `number`, at a free place."""
        occupied = {worker.place for worker in self._workers}
        self._next = next(p % SIZE for p in range(self._next, self._next + SIZE) if p % SIZE not in occupied)
        place, listening, readiness = self._next, self._sockets[number].fileno(), self._readiness.descriptor
        self._next += 1
        self._readiness.put(place, working=True)
        command = [
            sys.executable,
            "-m",
            "serving.entrypoints.worker",
            *map(str, (listening, readiness, self._pipe, place)),
        ]
        process = subprocess.Popen(command, env=self._env, pass_fds=(listening, readiness, self._pipe))
        log.event("worker.started", process=process.pid)
        return WorkerProcess(process, place, time.monotonic())

    def _renew(self) -> None:
        """Replace each worker once its successor is ready; a successor that does not get ready is stopped."""
        for number, old in enumerate(self._workers):
            new, end = self._start(number), time.monotonic() + PATIENCE
            self._workers[number] = new  # so that its place is occupied
            while not self._readiness.ready(new.place) and new.process.poll() is None and time.monotonic() < end:
                if self._signals & {signal.SIGTERM, signal.SIGINT}:
                    break
                time.sleep(CHECK_SECONDS)
            kept, stopped = (new, old) if self._readiness.ready(new.place) else (old, new)
            self._workers[number] = kept
            self._readiness.put(stopped.place, working=False)
            _end([stopped.process])
            self._forget(stopped)
            log.event("worker.renewed" if kept is new else "worker.kept", process=kept.process.pid)

    def _forget(self, worker: WorkerProcess) -> None:
        forget(worker.process.pid, self._metrics_folder.name)

    def _stop(self) -> None:
        for each in self._sockets:
            each.close()
        _end([worker.process for worker in self._workers])
        self._metrics_folder.cleanup()


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    end = time.monotonic() + DRAIN
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, end - time.monotonic()))
        if process.poll() is None:
            process.kill()
            process.wait()
