"""A process that scores slices of jobs and writes nothing: it holds no lock, so it may wait as long as it must.

It takes a processor only while no other process wants it (SCHED_IDLE), and ends with the process that started it.
"""

from __future__ import annotations

import os
import pickle
import sys

from credit.settings import read
from serving.app.wiring import open_service
from serving.endpoints.batch_jobs.job_scoring import score_lines
from serving.processes.worker_loop import serve_tasks
from serving.settings import PREFIX, ServiceSettings


def main() -> int:
    """Score slices of jobs, from the snapshots of the moment, until standard input ends."""
    service = open_service(read(ServiceSettings, os.environ, PREFIX))

    def work(task: bytes) -> bytes:
        service.snapshots.refresh()
        return pickle.dumps(score_lines(service, *pickle.loads(task)))

    return serve_tasks(work, idle=True)


if __name__ == "__main__":
    sys.exit(main())
