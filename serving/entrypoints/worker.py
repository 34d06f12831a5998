"""One process of the service: it answers on a socket it is given, until SIGTERM or the end of its supervisor."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from typing import Any

import uvicorn

from credit.errors import CreditError
from credit.settings import read
from serving.app.create import create_app
from serving.data.shortage import raise_descriptor_limit
from serving.entrypoints.listening import listen
from serving.http.forwarded import Forwarded
from serving.observability import log
from serving.processes.memory import return_freed_memory
from serving.processes.shared_readiness import SharedReadiness
from serving.settings import PREFIX, ServiceSettings

DRAIN_SECONDS = 10  # within which requests under way end


def serve(settings: ServiceSettings, sockets: list[socket.socket] | None = None, *, place: int = 0,
          shared_readiness: SharedReadiness | None = None) -> None:  # fmt: skip
    """Answer until SIGTERM, then let the requests under way end."""
    endpoint = create_app(settings, shared_readiness, place)
    app: Any = endpoint
    if settings.proxies or settings.socket:
        app = Forwarded(app, settings.proxies, has_socket=settings.socket is not None)
    if settings.traces:  # loaded only where it is configured
        from serving.observability.traces import with_traces

        app = with_traces(app, settings.traces, endpoint.products)
    return_freed_memory()
    raise_descriptor_limit()
    gc.collect()
    gc.freeze()  # what is imported by now stays: the collector need not look at it again
    gc.set_threshold(50_000, 20, 100)
    uvicorn.Server(server_config(app, settings)).run(sockets or [listen(settings)])


def server_config(app: Any, settings: ServiceSettings) -> uvicorn.Config:
    """The configuration of uvicorn for the application: the server as it is, with its parser in C."""
    return uvicorn.Config(
        app, host=settings.host, port=settings.port, access_log=False, log_level="warning", server_header=False,
        proxy_headers=False, loop="uvloop", http="httptools", ws="none", limit_concurrency=1000, backlog=1024,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )  # fmt: skip


def main(listening: int, shared_readiness: int, supervisor_pipe: int, place: int) -> int:
    """`python -m serving.entrypoints.worker SOCKET READINESS PIPE PLACE`: descriptors that the supervisor left open.

    The exit code is that of the error tree when the settings are not in order.
    """
    log.start()
    try:
        settings = read(ServiceSettings, os.environ, PREFIX)
    except CreditError as error:
        log.event("not started", why=str(error))
        return error.exit_code
    threading.Thread(target=_end_with_supervisor, args=(supervisor_pipe,), daemon=True).start()
    serve(settings, [socket.socket(fileno=listening)], place=place, shared_readiness=SharedReadiness(shared_readiness))
    return 0


def _end_with_supervisor(pipe: int) -> None:
    """Stop when the pipe closes: the supervisor holds its other end, and has ended in some way."""
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:5])))
