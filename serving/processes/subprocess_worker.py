"""Work aside: what is heavy, or was made by others, is done in a process that can die without an answer being lost.

A process has low priority and of our settings what it is given; it does one task at a time, each within its seconds.
One that takes longer or falls is ended, and the next task finds a new one. Started when there is first a task.
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

_KEPT = ("PATH", "PYTHONPATH", "LANG")  # of the environment: no place of keys, no secret
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}


class WorkerDied(Exception):
    """The process ended, or was ended, before it had answered."""


@dataclass(slots=True)
class SubprocessWorker:
    """`python -m module`, which attends to tasks (`serving.processes.worker_loop`)."""

    module: str
    seconds: float  # for one task
    most: int  # bytes of an answer
    waiting: int = 8  # tasks under way and in line; more are told to come again
    env: Mapping[str, str] = field(default_factory=dict, repr=False)  # no settings for what others made
    fresh: bool = False  # a new process for each task: what one bank's file did to it, no other's meets
    _room: threading.BoundedSemaphore = field(init=False, repr=False)
    _process: subprocess.Popen[bytes] | None = None
    _thread: ThreadPoolExecutor | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Nothing runs yet."""
        self._room = threading.BoundedSemaphore(self.waiting)

    async def ask(self, task: bytes) -> bytes:
        """What comes of a task. Raises Unfit for what cannot be worked on, Fell, and Overloaded when many wait."""
        if not self._room.acquire(blocking=False):
            raise Overloaded()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, self.module)  # one thread: tasks come in turn
        future = self._thread.submit(self._ask, task)
        future.add_done_callback(lambda _: self._room.release())  # also when the caller hung up and nobody awaits it
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """End the process; a task under way ends with it. A later task finds a new one."""
        if self._process is not None:
            self._process.kill()
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
        self._thread = None
        self._end()

    def _ask(self, task: bytes) -> bytes:
        process = self._begin()
        assert process.stdin is not None
        assert process.stdout is not None
        over = threading.Timer(self.seconds, process.kill)
        over.daemon = True
        over.start()
        how = said = b""
        try:
            with suppress(OSError):
                process.stdin.write(len(task).to_bytes(SIZE, "big") + task)
                process.stdin.flush()
                head = process.stdout.read(1 + SIZE)
                if len(head) == 1 + SIZE and (size := int.from_bytes(head[1:], "big")) <= self.most:
                    said = process.stdout.read(size)
                    how = head[:1] if len(said) == size else b""
        finally:
            over.cancel()
            if self.fresh or how not in (GOOD, INVALID):
                self._end()
        if how == GOOD:
            return said
        if how == INVALID:
            raise InvalidTask(said[:32].decode("ascii", "replace"))
        why = said[:64].decode("ascii", "replace") if how == FAULT else "ended"
        log.event("aside.fell", level=log.ERROR, module=self.module, why=why)
        raise WorkerDied(why)

    def _begin(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            env = {name: os.environ[name] for name in _KEPT if name in os.environ} | _ONE_THREAD | dict(self.env)
            command = [sys.executable, "-m", self.module]
            pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL  # what a parser says may hold what it was given
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
