"""One process of the service: it answers on a socket it was given, until told to stop or its supervisor is gone."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from functools import partial
from typing import Any

import uvicorn

from credit.errors import CreditError
from credit.settings import read
from serving.app.create import create_app
from serving.observability import log
from serving.processes.memory import give_back
from serving.processes.readiness_board import Board
from serving.settings import ServiceSettings
from serving.wire.fast import Fast
from serving.wire.protocol import Wire

PREFIX = "HAIHE_SERVICE_"
DRAIN_SECONDS = 10  # within which calls under way end


def serve(settings: ServiceSettings, sockets: list[socket.socket] | None = None, *, place: int = 0,
          board: Board | None = None) -> None:  # fmt: skip
    """Answer until SIGTERM, then let the calls under way end."""
    app: Any = create_app(settings, board, place)
    fast = Fast(app)
    if settings.traces:  # loaded only where it is wanted
        from serving.observability.traces import traced

        app = traced(app, settings.traces)
        fast.tell = app.tell
    give_back()
    gc.collect()
    gc.freeze()  # what is imported by now stays: it need not be looked at again
    gc.set_threshold(50_000, 20, 100)
    uvicorn.Server(configured(app, settings, fast)).run(sockets)


def configured(app: Any, settings: ServiceSettings, fast: Fast) -> uvicorn.Config:
    """How uvicorn serves the application."""
    wire: Any = partial(Wire, fast=fast)
    return uvicorn.Config(
        app, host=settings.host, port=settings.port, access_log=False, log_level="warning", server_header=False,
        proxy_headers=bool(settings.proxies), forwarded_allow_ips=settings.proxies, http=wire,
        limit_concurrency=1000, backlog=1024, timeout_graceful_shutdown=DRAIN_SECONDS,
    )  # fmt: skip


def main(listening: int, shown: int, lifeline: int, place: int) -> int:
    """`python -m serving.processes.worker SOCKET BOARD LIFELINE PLACE`: descriptors that the supervisor left open."""
    log.start()
    try:
        settings = read(ServiceSettings, os.environ, PREFIX)
    except CreditError as error:
        log.event("not started", why=str(error))
        return error.exit_code
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    serve(settings, [socket.socket(fileno=listening)], place=place, board=Board(shown))
    return 0


def _end_with(lifeline: int) -> None:
    """The supervisor holds the pipe's other end: when it is gone, however it went, this process stops too."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:5])))
