"""A hand at the command line, and what it has walked so far."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.demo.cli_runner import PEOPLE
from infra.desk import running
from infra.home import Home

DAY = "2026-11-01"


class Hand:
    """One hand at the command line: every call is a process of its own.

    A verb that a person requests is requested by the invented person of :data:`PEOPLE`, unless the words name another.
    """

    def __init__(self, home: Path, mlflow: str) -> None:
        self.env = {**os.environ, "HAIHE_HOME": str(home), "HAIHE_TODAY": DAY, "HAIHE_COMPUTE_MLFLOW_URI": mlflow}

    def run(self, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "infra.haihe", *requested(*words)]
        return subprocess.run(command, env={**self.env, **(env or {})}, capture_output=True, text=True, timeout=300)

    def does(self, *words: str) -> dict[str, Any]:
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result

    def does_once_evaluated(self, *words: str) -> dict[str, Any]:
        """What a command says once its subject is evaluated; the service refuses it from a repair until it is."""
        deadline = time.monotonic() + 60
        while (done := self.run(*words, "--json")).returncode and time.monotonic() < deadline:
            assert "evaluated again" in done.stderr, done.stderr
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result

    def is_refused(self, *words: str, code: int, why: str, env: dict[str, str] | None = None) -> None:
        done = self.run(*words, env=env)
        assert done.returncode == code, done.stderr
        assert why in done.stderr.replace("\n", " ")
        assert "Traceback" not in done.stderr

    def zones(self) -> AbstractContextManager[Path]:
        """The front desk and the agents, for several verbs: each would start and end its own, which takes seconds."""
        mlflow = self.env["HAIHE_COMPUTE_MLFLOW_URI"]
        env = {f"HAIHE_{zone}_MLFLOW_URI": mlflow for zone in ("COMPUTE", "PLATFORM")}
        return running.desk_and_agents(Home(Path(self.env["HAIHE_HOME"])), env=env)

    def starts(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a verb and let it run."""
        command = [sys.executable, "-m", "infra.haihe", *requested(*words)]
        return subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def requested(*words: str) -> tuple[str, ...]:
    """The words of a command, with who requests it."""
    return words if words[0] not in PEOPLE or "--by" in words else (*words, "--by", PEOPLE[words[0]])


@dataclass(frozen=True, slots=True)
class Walked:
    """A home, a hand at it, and what the verbs said."""

    hand: Hand
    home: Home
    results: dict[str, Any]
