"""Run the gateway: one process, settings from HAIHE_RESEARCH_*, stopped gracefully by SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import uvloop

from credit.errors import CreditError
from credit.settings import read
from lab.gateway.app import kernel_app, server_app
from lab.gateway.error_responses import LOG
from lab.gateway.research_zone import ResearchZone
from lab.gateway.sockets.control import control_app
from lab.gateway.sockets.listening import SocketServer, WorkspaceSockets
from lab.gateway.sockets.socket_folder import SocketFolder
from lab.settings import ResearchSettings

PREFIX = "HAIHE_RESEARCH_"


async def serve(settings: ResearchSettings) -> None:
    """Serve until SIGTERM or SIGINT; every socket is closed and removed before this returns."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    zone = ResearchZone.open(settings)
    settings.run.mkdir(mode=0o711, parents=True, exist_ok=True)
    listening = WorkspaceSockets(settings.run, {"kernel": kernel_app(zone), "server": server_app(zone)})
    folder = SocketFolder(settings.run, own_folder=False)
    control = SocketServer(control_app(zone, listening), folder.open(), uid=os.geteuid(), name="control")
    try:
        await listening.reopen(lambda opening: zone.project(opening.workspace))
        await control.start()
        LOG.event("started", pid=os.getpid())
        await stop.wait()
    finally:
        folder.close()
        await listening.end()
        await control.stop()
        LOG.event("ended", pid=os.getpid())


def main() -> int:
    """Run the gateway; returns the exit code, that of the error when settings, keys or ledgers are wrong."""
    LOG.start()
    try:
        settings = read(ResearchSettings, os.environ, PREFIX)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except CreditError as error:
        LOG.event("not started", why=str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
