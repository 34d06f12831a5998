"""Several processes share a job: each scores lines of it, and one thread writes the results in order."""

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

ALONE = 4 * CHUNK  # lines that one process handles alone: about a second, as long as another takes to start
KEPT = 60.0  # seconds after which idle processes are ended
SLICE_SECONDS, MAX_ANSWER = 900.0, 64 << 20  # seconds for a slice, which has idle priority; bytes of its answer


class JobProcesses:
    """The processes, started when there is a job, and ended when there has been none for a while."""

    def __init__(self, env: Mapping[str, str], writer: Executor, limit: int = 0) -> None:
        """At most `limit` processes, 0 for one per core. `writer` has one thread, with the priority of answers."""
        self._limit = limit or len(os.sched_getaffinity(0))
        self._workers = [
            SubprocessWorker("serving.entrypoints.job_process", seconds=SLICE_SECONDS, most=MAX_ANSWER, env=env)
            for _ in range(self._limit)
        ]
        self._writer, self._last = writer, 0.0

    async def step(self, service: ScoringService, jobs: JobStore) -> bool:
        """Work on one part of a job; False when there is nothing to do now.

        Raises Fell when a process ended: try again.
        """
        job = await asyncio.to_thread(jobs.next)
        workers = 1 if job is None or job.lines - job.done <= ALONE else self._limit
        part = await asyncio.to_thread(next_part, service, jobs, workers)
        if part is None:
            if self._last and time.monotonic() - self._last > KEPT:
                self._last = 0.0
                await self.close()
            return False
        self._last = time.monotonic()
        scored = await self._score(part)
        await asyncio.get_running_loop().run_in_executor(self._writer, finish, service, jobs, part, scored)
        return True

    async def close(self) -> None:
        """End the processes."""
        for each in self._workers:
            await asyncio.to_thread(each.close)

    async def _score(self, part: JobPart) -> list[ScoredLine]:
        tasks = [pickle.dumps(answer) for answer in part.slices()]
        answers = await asyncio.gather(
            *(process.run(task) for process, task in zip(self._workers, tasks, strict=False))
        )
        return [line for answer in answers for line in pickle.loads(answer)]
