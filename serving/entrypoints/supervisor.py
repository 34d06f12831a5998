"""Several processes, one a core: started on sockets that stay open, started again when they die, renewed at SIGHUP.

Each worker listens on a socket of its own to one port (SO_REUSEPORT): the kernel spreads connections over them. The
sockets are the supervisor's, so what waits in one is not lost with a worker. SIGHUP renews every worker, its successor
being ready before it stops: so new keys and new code come into use with no call refused. A new key of the service comes
in two steps, a SIGHUP after each: first its public half into the ring, so that every worker and bank knows it, then the
key itself. SIGTERM stops taking calls,
and lets those under way end.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from serving.observability import log
from serving.observability.metrics import FOLDER, forget
from serving.processes.readiness_board import SIZE, ReadinessBoard
from serving.settings import ServiceSettings

LOOK = 0.05  # seconds between two looks at the workers
PATIENCE, YOUNG = 120.0, 2.0  # seconds: for a worker to be ready; a worker that dies younger is not restarted at once
DRAIN = 15.0  # seconds for all to stop before they are killed


@dataclass(slots=True)
class WorkerProcess:
    """A running process and where it stands on the board."""

    process: subprocess.Popen[bytes]
    place: int
    began: float


class Supervisor:
    """Keeps the workers running until it is told to stop."""

    def __init__(self, settings: ServiceSettings, env: Mapping[str, str]) -> None:
        """Listens already: whoever calls before a worker is there waits. Raises OSError when the port is taken."""
        count = settings.workers or len(os.sched_getaffinity(0))
        self._counts = tempfile.TemporaryDirectory(prefix="haihe-counts-")  # gone with the supervisor
        self._env, self._board = {**env, FOLDER: self._counts.name}, ReadinessBoard()
        self._sockets = [_listen(settings.host, settings.port) for _ in range(count)]
        self._lifeline, self._held = os.pipe()
        self._workers: list[WorkerProcess] = []
        self._asked: set[int] = set()
        self._next = 0

    def run(self) -> int:
        """Exit code 0 after SIGTERM or SIGINT; that of a worker when none can start."""
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, lambda told, _: self._asked.add(told))
        self._workers = [self._start(number) for number in range(len(self._sockets))]
        once_ready, failed = False, 0
        while not self._asked & {signal.SIGTERM, signal.SIGINT}:
            once_ready = once_ready or any(self._board.ready(worker.place) for worker in self._workers)
            for number, worker in enumerate(self._workers):
                code = worker.process.poll()
                if code is None:
                    continue
                log.event("worker.died", level=log.ERROR, code=code, lived=round(time.monotonic() - worker.began, 1))
                self._board.put(worker.place, working=False)
                self._forget(worker)
                if code > 0 and not once_ready:
                    failed = code
                    self._asked.add(signal.SIGTERM)
                    break
                if time.monotonic() - worker.began < YOUNG:
                    time.sleep(YOUNG / 2)
                self._workers[number] = self._start(number)
            if signal.SIGHUP in self._asked:
                self._asked.discard(signal.SIGHUP)
                self._renew()
            time.sleep(LOOK)
        self._stop()
        return failed

    def _start(self, number: int) -> WorkerProcess:
        """A worker on socket `number`, at a place of its own."""
        taken = {worker.place for worker in self._workers}
        self._next = next(p % SIZE for p in range(self._next, self._next + SIZE) if p % SIZE not in taken)
        place, listening, shown = self._next, self._sockets[number].fileno(), self._board.descriptor
        self._next += 1
        self._board.put(place, working=True)
        command = [
            sys.executable,
            "-m",
            "serving.entrypoints.worker",
            *map(str, (listening, shown, self._lifeline, place)),
        ]
        process = subprocess.Popen(command, env=self._env, pass_fds=(listening, shown, self._lifeline))
        log.event("worker.started", process=process.pid)
        return WorkerProcess(process, place, time.monotonic())

    def _renew(self) -> None:
        """Every worker in turn: its successor is ready before it stops. One that does not get ready is given up."""
        for number, old in enumerate(self._workers):
            new, end = self._start(number), time.monotonic() + PATIENCE
            self._workers[number] = new  # so that its place is taken
            while not self._board.ready(new.place) and new.process.poll() is None and time.monotonic() < end:
                if self._asked & {signal.SIGTERM, signal.SIGINT}:
                    break
                time.sleep(LOOK)
            kept, gone = (new, old) if self._board.ready(new.place) else (old, new)
            self._workers[number] = kept
            self._board.put(gone.place, working=False)
            _end([gone.process])
            self._forget(gone)
            log.event("worker.renewed" if kept is new else "worker.kept", process=kept.process.pid)

    def _forget(self, worker: WorkerProcess) -> None:
        forget(worker.process.pid, self._counts.name)

    def _stop(self) -> None:
        for each in self._sockets:
            each.close()
        _end([worker.process for worker in self._workers])
        self._counts.cleanup()


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


def _listen(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((host, port))
    made.listen(1024)
    return made
