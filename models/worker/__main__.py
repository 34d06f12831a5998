"""``python -m models.worker``: starts the compute zone's worker with the settings ``HAIHE_COMPUTE_…``."""

from __future__ import annotations

import logging
import os
import sys

from credit.errors import CreditError
from credit.settings import read
from models.settings import ComputeSettings
from models.worker.worker_loop import PREFIX, Worker, log_event, serve


def main() -> int:
    """Run the worker until SIGTERM; the exit code is 0, or that of the error that kept it from starting."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("haihe.worker").setLevel(logging.INFO)
    try:
        serve(Worker.open(read(ComputeSettings, os.environ, PREFIX)))
    except CreditError as error:
        log_event("not started", why=str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
