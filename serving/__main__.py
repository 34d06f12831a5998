"""Run the scoring service: one process, settings from HAIHE_SERVICE_*, stopped gracefully by SIGTERM."""

from __future__ import annotations

import gc
import os
import sys

import uvicorn

from credit.errors import CreditError
from credit.settings import read
from serving import log
from serving.app import create_app
from serving.settings import ServiceSettings
from serving.wire import Wire

PREFIX = "HAIHE_SERVICE_"


def main() -> int:
    """Serve until told to stop; the exit code is that of the error tree when the settings are not in order."""
    log.start()
    try:
        settings = read(ServiceSettings, os.environ, PREFIX)
        app = create_app(settings)
        if settings.traces:  # loaded only where it is wanted
            from serving.traces import traced

            app = traced(app, settings.traces)
    except CreditError as error:
        log.event("not started", why=str(error))
        return error.exit_code
    gc.collect()
    gc.freeze()  # what is imported by now stays: it need not be looked at again
    gc.set_threshold(50_000, 20, 100)
    uvicorn.run(
        app, host=settings.host, port=settings.port, access_log=False, log_level="warning", server_header=False,
        proxy_headers=bool(settings.proxies), forwarded_allow_ips=settings.proxies, http=Wire,
        timeout_graceful_shutdown=10, limit_concurrency=1000,
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
