"""Runs the demonstration: each step is the command that a person would type, as a process of its own, timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from credit.errors import CreditError
from infra import output
from infra.demo.journey import Journey, Step
from infra.demo.memory_watch import Watch
from infra.home import Home
from infra.progress import progress

PEOPLE = {
    **dict.fromkeys(("intake", "release", "practice", "repair", "subjects"), "city:chen"),
    **dict.fromkeys(("train", "register"), "researcher:alice"),
    **dict.fromkeys(("dossiers", "evaluate", "snapshot", "bank", "mandate"), "platform:petra"),
    "promote": "platform:bob",
}
"""Verb -> who requests it in a demonstration: an account of :mod:`infra.desk.invented_people`."""


class StepFailed(CreditError):
    """A step of the demonstration ended with an error, which it has printed itself."""


@dataclass(slots=True)
class DemoRun:
    """One run in one home. ``env`` is given to each step beside this process's own environment."""

    home: Home
    journey: Journey
    watch: Watch
    env: dict[str, str] = field(default_factory=dict)

    def step(self, name: str, *words: str, accept: tuple[int, ...] = ()) -> dict[str, Any]:
        """Run ``haihe <words> --json`` and give its JSON document.

        Raises :class:`StepFailed` with its exit code, unless that is one to ``accept`` and there is a document. A verb
        that a person requests is requested by the person of :data:`PEOPLE`.
        """
        if words[0] in PEOPLE and "--by" not in words:
            words = (*words, "--by", PEOPLE[words[0]])
        output.line(f"[bold cyan]▸[/bold cyan] haihe {output.safe(' '.join(words))}")
        sys.stdout.flush()
        with self.timed(name):
            done = subprocess.run(
                [sys.executable, "-m", "infra.haihe", *words, "--json"],
                env={**os.environ, "HAIHE_HOME": str(self.home.root), **self.env},
                stdout=subprocess.PIPE,
                text=True,
            )
        if done.returncode and not (done.returncode in accept and done.stdout):
            failure = StepFailed("cli-runner.command-failed", words=words[0], returncode=done.returncode)
            failure.exit_code = done.returncode  # type: ignore[misc]  # the step's own
            raise failure
        document: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return document

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Record how long the block takes, and the peak memory of all processes of the run meanwhile."""
        self.watch.mark()
        start = time.monotonic()
        yield
        self.journey.steps.append(Step(name, time.monotonic() - start, self.watch.since_mark))
        self.journey.peak_mib = max(self.journey.peak_mib, self.watch.since_mark)


@contextmanager
def started(name: str, server: AbstractContextManager[str]) -> Iterator[str]:
    """Start a server, with a line on standard error at least every five seconds, and stop it after; its address."""
    with ExitStack() as running:
        with progress() as report:
            report(f"starting {name}", 0, 0)
            address = running.enter_context(server)
        yield address


@contextmanager
def demo_run(out: Path, *, invented: bool, home: Home | None = None) -> Iterator[DemoRun]:
    """A run in ``home``, by default ``<out>/home``; the journey so far is written even when a step stops it."""
    home = home or Home((out / "home").resolve())
    journey = Journey(invented=invented)
    with Watch() as watch:
        run = DemoRun(home, journey, watch)
        try:
            yield run
        finally:
            if journey.models:
                journey.write(out / "summary.json")
