"""The agents that a verb or `haihe up` started: one that ends on its own is started again, as a service unit does."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from credit.errors import Broken

RESTARTS = 3  # of one agent; what it began it begins again, since its steps may be carried out twice
PAUSE = 1.0  # seconds between its end and its next start

Start = Callable[[str], AbstractContextManager[int]]


@dataclass(slots=True)
class AgentProcesses:
    """Agents by zone. ``start`` starts one and gives its pid; ``logs`` is the folder of their logs.

    ``runs`` is whether an agent of a zone is at work, also one of another command: of two commands at one moment both
    start one, and the second of them ends at once.
    """

    start: Start
    runs: Callable[[str], bool]
    logs: Path
    stack: ExitStack
    _pids: dict[str, int] = field(default_factory=dict)
    _restarts: dict[str, int] = field(default_factory=dict)

    def add(self, zone: str) -> None:
        """Start the agent of a zone."""
        self._pids[zone] = self.stack.enter_context(self.start(zone))

    def restart_ended(self) -> None:
        """Start again every agent that has ended, unless another command's agent of its zone is at work.

        Raises :class:`Broken`, naming its log, once for one that ended too often; the others are looked after.
        """
        given_up = ""
        ended = [zone for zone, pid in self._pids.items() if _has_ended(pid)]
        for zone in [zone for zone in ended if not self.runs(zone)]:
            if self._restarts.get(zone, 0) == RESTARTS:
                del self._pids[zone]
                given_up = zone
                continue
            self._restarts[zone] = self._restarts.get(zone, 0) + 1
            time.sleep(PAUSE)
            self.add(zone)
        if given_up:
            log = self.logs / f"agent-{given_up}.log"
            raise Broken("agent-processes.ended-too-often", zone=given_up, restarts=RESTARTS + 1, log=log)

    def end(self) -> None:
        """Signal all of them to end, so that none waits until the one before has ended."""
        for pid in self._pids.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


def _has_ended(pid: int) -> bool:
    """Whether a child of this process has ended; it stays a child, which its starter waits for."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
