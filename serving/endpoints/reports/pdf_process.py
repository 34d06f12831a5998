"""PDFs are drawn in a process of their own (`serving.processes.subprocess_worker`): some 80 ms each, in which no
answer would be given."""

from __future__ import annotations

import pickle
import sys

from serving.endpoints.reports import report_pdf
from serving.endpoints.reports.typeface import NoTypeface
from serving.processes.worker_loop import InvalidTask, limit_resources, serve_tasks

MEMORY = 1 << 30  # bytes of address space


def _work(report: bytes) -> bytes:
    try:
        return report_pdf.draw(pickle.loads(report))  # pickled by the service, and by nobody else
    except NoTypeface as none:
        raise InvalidTask(none.slug) from none


if __name__ == "__main__":
    limit_resources(MEMORY)
    sys.exit(serve_tasks(_work))
