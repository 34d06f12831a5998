"""Starts and ends the process of the background tasks: watches, deliveries and jobs.

It is a process of its own with low priority, so that no answer waits for it. It starts when there is first something
to do, and ends with the service, also when that is killed (the service's end of a pipe closes).
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

from serving.settings import ServiceSettings

CHECK_SECONDS = 2.0  # between two checks whether the process still runs
MODULE = "serving.entrypoints.background_tasks"


class BackgroundTasks:
    """The service's side: starts the process when there is something to do, and ends it."""

    def __init__(self, settings: ServiceSettings) -> None:
        """Start no process yet."""
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def wake(self) -> None:
        """Start the process unless it runs, or the settings turn the background tasks off."""
        if not self._settings.chores or (self._process is not None and self._process.poll() is None):
            return
        env = {**os.environ, **self._settings.as_environment()}
        self._process = subprocess.Popen([sys.executable, "-m", MODULE], stdin=subprocess.PIPE, env=env)

    async def keep(self) -> None:
        """Start the process again whenever it has ended; runs until it is cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if self._process is not None and self._process.poll() is not None:
                self.wake()

    def close(self, seconds: float = 10.0) -> None:
        """Close the pipe, so that the process ends; kill it when it does not end within so many `seconds`."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
