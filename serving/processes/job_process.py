"""A process that looks at the lines of jobs and writes nothing: it holds no lock, so it may wait as long as it must.

It takes a processor only while nobody else wants it (SCHED_IDLE), and ends with whoever started it.
"""

from __future__ import annotations

import os
import pickle
import sys

from credit.settings import read
from serving.core.wiring import open_desk
from serving.endpoints.batch_jobs.job_scoring import score_lines
from serving.processes.background_tasks import PREFIX
from serving.processes.worker_loop import attend
from serving.settings import ServiceSettings


def main() -> int:
    """Attend to slices of parts; the books are those of the moment."""
    desk = open_desk(read(ServiceSettings, os.environ, PREFIX))

    def work(task: bytes) -> bytes:
        desk.library.refresh()
        return pickle.dumps(score_lines(desk, *pickle.loads(task)))

    return attend(work, idle=True)


if __name__ == "__main__":
    sys.exit(main())
