"""Run the console as a service of the hub, with settings from ``HAIHE_RESEARCH_…`` and ``JUPYTERHUB_…``."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import sys
from contextlib import suppress

import uvicorn

from credit.errors import CreditError
from credit.settings import read
from lab.console.app import create_app
from lab.console.settings import HubSettings, ListenAddress
from lab.settings import ResearchSettings

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> int:
    """Serve until a signal ends the process. Return 0, or the exit code of the error when the settings are wrong.

    The process receives SIGTERM when the hub that started it ends, so that a process with the zone's key does not
    outlive the hub.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    logging.basicConfig(level=logging.WARNING, format="console %(levelname)s %(message)s")
    try:
        hub = read(HubSettings, os.environ, "JUPYTERHUB_")
        at = ListenAddress.parse(hub.service_url)
        app = create_app(read(ResearchSettings, os.environ, "HAIHE_RESEARCH_"), hub)
    except CreditError as error:
        logging.getLogger("console").error("not started: %s", error)
        return error.exit_code
    config = uvicorn.Config(app, host=at.host, port=at.port, access_log=False, log_level="warning", server_header=False,
                            timeout_graceful_shutdown=5, limit_concurrency=200)  # fmt: skip
    uvicorn.Server(config).run(sockets=[_listen(at.socket)] if at.socket else None)
    return 0


def _listen(path: str) -> socket.socket:
    """A unix socket that only its owner may connect to (mode 0600); it replaces the socket of an earlier console."""
    with suppress(FileNotFoundError):
        os.unlink(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(path)
    finally:
        os.umask(before)
    return listening


if __name__ == "__main__":
    sys.exit(main())
