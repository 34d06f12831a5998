"""Runs heavy work, and work on files from outside, in a process that can crash without the loss of an answer.

The process has low priority, and receives only those settings that it is given. It does one task at a time, each
within a limit of seconds. A process that takes longer or crashes is killed, and the next task starts a new one. The
first task starts the process.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from serving.errors import Overloaded
from serving.observability import log
from serving.processes.worker_loop import FAULT, GOOD, INVALID, SIZE, InvalidTask

_KEPT = ("PATH", "PYTHONPATH", "LANG")  # of the environment: no folder of keys and no secret
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}


class WorkerDied(Exception):
    """The process ended, or was killed, before it returned a result."""


@dataclass(slots=True)
class SubprocessWorker:
    """`python -m module`, which runs `serving.processes.worker_loop.serve_tasks`."""

    module: str
    seconds: float  # limit for one task
    most: int  # bytes of a result
    waiting: int = 8  # tasks under way and queued; further ones are refused with Overloaded
    env: Mapping[str, str] = field(default_factory=dict, repr=False)  # empty for work on files from outside
    fresh: bool = False  # a new process for each task, so that one bank's file cannot affect another bank's
    _capacity: threading.BoundedSemaphore = field(init=False, repr=False)
    _process: subprocess.Popen[bytes] | None = None
    _thread: ThreadPoolExecutor | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Start no process yet."""
        self._capacity = threading.BoundedSemaphore(self.waiting)

    async def run(self, task: bytes) -> bytes:
        """The result of a task. Raises InvalidTask, WorkerDied, and Overloaded when too many tasks wait."""
        if not self._capacity.acquire(blocking=False):
            raise Overloaded()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, self.module)  # one thread: one task after the other
        future = self._thread.submit(self._run, task)
        future.add_done_callback(lambda _: self._capacity.release())  # also when the client has closed its connection
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """End the process and with it a task under way. A later task starts a new one."""
        if self._process is not None:
            self._process.kill()
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
        self._thread = None
        self._end()

    def _run(self, task: bytes) -> bytes:
        process = self._begin()
        assert process.stdin is not None
        assert process.stdout is not None
        timer = threading.Timer(self.seconds, process.kill)
        timer.daemon = True
        timer.start()
        outcome = result = b""
        try:
            with suppress(OSError):
                process.stdin.write(len(task).to_bytes(SIZE, "big") + task)
                process.stdin.flush()
                head = process.stdout.read(1 + SIZE)
                if len(head) == 1 + SIZE and (size := int.from_bytes(head[1:], "big")) <= self.most:
                    result = process.stdout.read(size)
                    outcome = head[:1] if len(result) == size else b""
        finally:
            timer.cancel()
            if self.fresh or outcome not in (GOOD, INVALID):
                self._end()
        if outcome == GOOD:
            return result
        if outcome == INVALID:
            raise InvalidTask(result[:32].decode("ascii", "replace"))
        why = result[:64].decode("ascii", "replace") if outcome == FAULT else "ended"
        log.event("aside.fell", level=log.ERROR, module=self.module, why=why)
        raise WorkerDied(why)

    def _begin(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            env = {name: os.environ[name] for name in _KEPT if name in os.environ} | _ONE_THREAD | dict(self.env)
            command = [sys.executable, "-m", self.module]
            pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL  # a parser's messages may contain data of its input
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, env=env)
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                assert stream is not None
                with suppress(OSError):
                    stream.close()
