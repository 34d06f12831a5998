"""Run the scoring service: settings from HAIHE_SERVICE_*, one process or several, stopped gracefully by SIGTERM."""

from __future__ import annotations

import os
import sys

from credit.errors import CreditError
from credit.settings import read
from serving.entrypoints.supervisor import Supervisor
from serving.entrypoints.worker import serve
from serving.observability import log
from serving.settings import PREFIX, ServiceSettings


def main() -> int:
    """Serve until a signal stops the process; the exit code is that of the error tree when the settings are invalid."""
    log.start()
    try:
        settings = read(ServiceSettings, os.environ, PREFIX)
    except CreditError as error:
        log.event("not started", why=str(error))
        return error.exit_code
    if settings.workers == 1:  # in this process, which receives the signals itself
        serve(settings)
        return 0
    try:
        return Supervisor(settings, os.environ).run()
    except OSError as error:
        log.event("not started", why=f"{settings.host}:{settings.port}: {error.strerror}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
