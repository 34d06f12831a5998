"""Several processes share a job: each looks at lines of it, and one thread writes what they found, in order."""

from __future__ import annotations

import asyncio
import os
import pickle
import time
from collections.abc import Mapping
from concurrent.futures import Executor

from serving.core.service import ScoringService
from serving.endpoints.batch_jobs.job_scoring import CHUNK, JobPart, ScoredLine, finish, next_part
from serving.endpoints.batch_jobs.job_store import JobStore
from serving.processes.subprocess_worker import SubprocessWorker

ALONE = 4 * CHUNK  # lines that one process does by itself: a second or so, as much as another takes to start
KEPT = 60.0  # seconds that idle processes are kept
PATIENCE, ANSWER = 900.0, 64 << 20  # seconds for a slice, which gets what others leave of a processor; bytes


class JobProcesses:
    """The processes, started when there is a job and ended when there has been none for a while."""

    def __init__(self, env: Mapping[str, str], writer: Executor, most: int = 0) -> None:
        """At most so many processes, 0 for one a core; `writer` is one thread, of no lower priority than answers."""
        self._most = most or len(os.sched_getaffinity(0))
        self._hands = [
            SubprocessWorker("serving.entrypoints.job_process", seconds=PATIENCE, most=ANSWER, env=env)
            for _ in range(self._most)
        ]
        self._writer, self._last = writer, 0.0

    async def step(self, service: ScoringService, jobs: JobStore) -> bool:
        """One part of a job; False when there is nothing to do now. Raises Fell when a process fell: try again."""
        job = await asyncio.to_thread(jobs.next)
        hands = 1 if job is None or job.lines - job.done <= ALONE else self._most
        part = await asyncio.to_thread(next_part, service, jobs, hands)
        if part is None:
            if self._last and time.monotonic() - self._last > KEPT:
                self._last = 0.0
                await self.close()
            return False
        self._last = time.monotonic()
        looked = await self._look_at(part)
        await asyncio.get_running_loop().run_in_executor(self._writer, finish, service, jobs, part, looked)
        return True

    async def close(self) -> None:
        """End the processes."""
        for hand in self._hands:
            await asyncio.to_thread(hand.close)

    async def _look_at(self, part: JobPart) -> list[ScoredLine]:
        tasks = [pickle.dumps(each) for each in part.slices()]
        told = await asyncio.gather(*(hand.ask(task) for hand, task in zip(self._hands, tasks, strict=False)))
        return [one for each in told for one in pickle.loads(each)]
