"""Chores beside the answering: one process of low priority that looks after watches, deliveries and jobs.

A process of its own, so that no answer waits for it; started when there is first something to do; ended with the
service, also when that is killed (its end of a pipe closes). Of several services over one database one does the
chores: the others' wait for its lock, before they have loaded anything.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from serving.settings import ServiceSettings

PREFIX = "HAIHE_SERVICE_"
NICE = 10
IDLE_SECONDS, SWEEP_SECONDS, KEEP_SECONDS = 0.25, 60.0, 2.0


class Chores:
    """The service's side: wakes the process when there is something to do, and ends it."""

    def __init__(self, settings: ServiceSettings) -> None:
        """Nothing runs yet."""
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def wake(self) -> None:
        """Start the process unless it runs."""
        if not self._settings.chores or (self._process is not None and self._process.poll() is None):
            return
        env = {**os.environ, **environment(self._settings)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "serving.processes.background_tasks"], stdin=subprocess.PIPE, env=env
        )

    async def keep(self) -> None:
        """Start the process again when it fell."""
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            if self._process is not None and self._process.poll() is not None:
                self.wake()

    def close(self, seconds: float = 10.0) -> None:
        """Ask it to end, and end it when it does not."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def environment(settings: ServiceSettings) -> Mapping[str, str]:
    """The settings as the environment that they would be read from."""
    told = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return {PREFIX + name.upper(): str(value) for name, value in told.items() if value is not None}


def main() -> int:
    """Do the chores until standard input ends."""
    path = Path(os.environ[f"{PREFIX}ACCESS"]).with_name("chores.lock")
    threading.Thread(target=_leave_with_the_service, daemon=True).start()
    writer = ThreadPoolExecutor(1, "writer")
    writer.submit(os.getpid).result()  # its thread starts before the others' priority is lowered, and keeps its own:
    os.nice(NICE)  # whoever holds the ledger must not be slow, or every answer waits for it
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        asyncio.run(_work(writer))
    return 0


async def _work(writer: Executor) -> None:
    """Rounds of everything; each in its own turn, so that a long job holds up no delivery."""
    from credit.errors import CreditError
    from credit.settings import read
    from serving.core.wiring import open_desk, open_stores
    from serving.endpoints.batch_jobs.job_processes import JobProcesses
    from serving.endpoints.monitoring.delivery import deliver
    from serving.endpoints.monitoring.watch_review import review_watches
    from serving.endpoints.monitoring.webhook_sender import webhook_sender
    from serving.observability import log

    log.start()
    settings = read(ServiceSettings, os.environ, PREFIX)
    desk, (watches, jobs) = open_desk(settings), open_stores(settings)
    hands = JobProcesses(environment(settings), writer, settings.job_processes)
    sender = webhook_sender(settings)

    async def sweeping() -> None:
        watches.sweep(time.time())
        for job in jobs.expire(time.time()):
            log.event("job.expired", job=job.id)

    judged: list[object] = []  # when every mandate was last looked at: under which generation, on which day

    async def looking() -> None:
        await asyncio.to_thread(desk.library.refresh)
        now = [await asyncio.to_thread(desk.access.generation), settings.day()]
        await asyncio.to_thread(review_watches, desk, watches, every=now != judged)
        judged[:] = now

    async def scoring() -> None:
        while await hands.step(desk, jobs):
            pass

    async def delivering() -> None:
        while await deliver(desk, watches, sender):
            pass

    async def often(chore: object, seconds: float) -> None:
        assert callable(chore)
        while True:
            try:
                await chore()
            except CreditError as fault:  # the ledger or a book: said, and tried again
                log.event("chore.failed", level=log.ERROR, fault=fault.what)
            except Exception as fault:  # one chore's fault does not stop the others
                log.event("chore.failed", level=log.ERROR, fault=type(fault).__name__)
            await asyncio.sleep(seconds)

    await looking()
    chores = ((looking, settings.watch_seconds), (delivering, IDLE_SECONDS), (scoring, IDLE_SECONDS),
              (sweeping, SWEEP_SECONDS))  # fmt: skip
    await asyncio.gather(*(often(chore, seconds) for chore, seconds in chores))


def _leave_with_the_service() -> None:
    """The service holds the other end: when it is gone, so are we. Every step can be cut off anywhere and go on."""
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
