"""An agent that ends on its own is started again; one that ends again and again is named, and no other suffers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from credit.errors import Broken
from infra import stack
from infra.desk import agent_processes
from infra.desk.agent_processes import RESTARTS, AgentProcesses

SLEEPS = "import time; time.sleep(600)"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_processes, "PAUSE", 0)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[AgentProcesses, list[tuple[str, int]]]]:
    """Processes that sleep, and the pid of every start by zone."""
    pids: list[tuple[str, int]] = []

    @contextlib.contextmanager
    def start(zone: str) -> Iterator[int]:
        command = [sys.executable, "-c", SLEEPS]
        with stack.running(command, env={}, log=tmp_path / f"agent-{zone}.log", ready="", name=zone) as pid:
            pids.append((zone, pid))
            yield pid

    with ExitStack() as on_exit:
        processes = AgentProcesses(start, lambda zone: (tmp_path / zone).exists(), tmp_path, on_exit)
        processes.add("custody")
        processes.add("compute")
        yield processes, pids


def wait(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_an_agent_that_was_killed_is_started_again(
    started: tuple[AgentProcesses, list[tuple[str, int]]],
) -> None:
    """The other one stays as it is."""
    processes, pids = started
    processes.restart_ended()
    assert [zone for zone, _ in pids] == ["custody", "compute"]
    os.kill(pids[1][1], signal.SIGKILL)
    wait(lambda: processes.restart_ended() or len(pids) == 3)  # type: ignore[func-returns-value]
    assert [zone for zone, _ in pids] == ["custody", "compute", "compute"]
    processes.end()
    for _, pid in pids:
        wait(lambda pid=pid: state_of(pid) in ("", "Z"))  # type: ignore[misc]


def test_one_that_ends_too_often_is_named_once_and_the_other_still_restarts(
    started: tuple[AgentProcesses, list[tuple[str, int]]],
) -> None:
    processes, pids = started

    def kill_compute_for_ever() -> None:
        while len(pids) < 20:
            last = next(pid for zone, pid in reversed(pids) if zone == "compute")
            with contextlib.suppress(ProcessLookupError):
                os.kill(last, signal.SIGKILL)
            processes.restart_ended()

    with pytest.raises(Broken, match="agent of compute has ended"):
        kill_compute_for_ever()
    assert sum(zone == "compute" for zone, _ in pids) == 1 + RESTARTS
    os.kill(pids[0][1], signal.SIGKILL)
    wait(lambda: processes.restart_ended() or pids[-1][0] == "custody")  # type: ignore[func-returns-value]


def test_one_whose_zone_another_command_looks_after_is_left_alone(
    started: tuple[AgentProcesses, list[tuple[str, int]]], tmp_path: Path
) -> None:
    """And it is started once that command's agent has ended too."""
    processes, pids = started
    (tmp_path / "compute").touch()
    os.kill(pids[1][1], signal.SIGKILL)
    wait(lambda: state_of(pids[1][1]) == "Z")
    for _ in range(RESTARTS + 2):
        processes.restart_ended()
    assert len(pids) == 2
    (tmp_path / "compute").unlink()
    processes.restart_ended()
    assert [zone for zone, _ in pids] == ["custody", "compute", "compute"]


def state_of(pid: int) -> str:
    """The state of a process as `ps` shows it; empty for one that is gone."""
    return subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
