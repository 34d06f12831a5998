"""The process that draws PDFs (`serving.processes.subprocess_worker`): each takes some 80 ms, during which a server
process could answer no request.
"""

from __future__ import annotations

import pickle
import sys

from serving.endpoints.reports import report_pdf
from serving.endpoints.reports.typeface import NoTypeface
from serving.processes.worker_loop import InvalidTask, limit_resources, serve_tasks

MEMORY = 1 << 30  # bytes of address space


def _work(report: bytes) -> bytes:
    try:
        return report_pdf.draw(pickle.loads(report))  # the service itself pickled it
    except NoTypeface as error:
        raise InvalidTask(error.slug) from error


if __name__ == "__main__":
    limit_resources(MEMORY)
    sys.exit(serve_tasks(_work))
