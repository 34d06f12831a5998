"""Walking: each step is the command a person would type, run as a process of its own, timed and watched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from credit.errors import CreditError
from infra import output
from infra.demo.journey import Journey, Step
from infra.demo.memory_watch import Watch
from infra.home import Home


class Stopped(CreditError):
    """A step of the walk ended with an error; its own words were printed above."""


@dataclass(slots=True)
class Walk:
    """A walk through one home. ``env`` is what each step is given beside this process's own environment."""

    home: Home
    journey: Journey
    watch: Watch
    env: dict[str, str] = field(default_factory=dict)

    def step(self, name: str, *words: str, bear: tuple[int, ...] = ()) -> dict[str, Any]:
        """Run ``haihe <words> --json`` and give what it says.

        Raises :class:`Stopped` with its exit code, unless it is one to ``bear`` and the step said something.
        """
        output.console.print(f"[bold cyan]▸[/bold cyan] haihe {' '.join(words)}", soft_wrap=True)
        with self.timed(name):
            done = subprocess.run(
                [sys.executable, "-m", "infra.haihe", *words, "--json"],
                env={**os.environ, "HAIHE_HOME": str(self.home.root), **self.env},
                stdout=subprocess.PIPE,
                text=True,
            )
        if done.returncode and not (done.returncode in bear and done.stdout):
            stopped = Stopped("cli-runner.walk-stopped-at-haihe", words=words[0], returncode=done.returncode)
            stopped.exit_code = done.returncode  # type: ignore[misc]  # the step's own
            raise stopped
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return said

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note how long the block takes and how much memory all processes of the walk hold meanwhile."""
        self.watch.mark()
        start = time.monotonic()
        yield
        self.journey.steps.append(Step(name, time.monotonic() - start, self.watch.since_mark))
        self.journey.peak_mib = max(self.journey.peak_mib, self.watch.since_mark)


@contextmanager
def walking(out: Path, *, invented: bool) -> Iterator[Walk]:
    """A walk whose home is ``<out>/home``; the journey so far is written even when a step stops it."""
    home = Home((out / "home").resolve())
    journey = Journey(invented=invented)
    with Watch() as watch:
        walk = Walk(home, journey, watch)
        try:
            yield walk
        finally:
            if journey.models:
                journey.write(out / "summary.json")
