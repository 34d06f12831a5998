"""Training orders as a person follows them (训练进度): where each stands by the ledgers, how far by the worker."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from credit.actor import Actor
from credit.ledger import Entry
from credit.training_requests import Asked, Trainings
from lab.console.app_state import Room
from lab.console.ledgers.ledger_view import Chapter

ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Training:
    """One project's order in training.

    ``state``: waiting, running, stopping, done, failed or cancelled; ``done`` of ``total`` steps; ``label``: which.
    """

    id: str
    by: Actor
    asked_at: datetime
    project: str
    model: str
    state: str = "waiting"
    label: str = ""
    done: int = 0
    total: int = 0
    error: str = ""
    version: str = ""

    @property
    def ended(self) -> bool:
        """Nothing more becomes of it."""
        return self.state in ENDED


def of(room: Room) -> list[Training]:
    """Every order that was asked to be trained, the newest first; raises :class:`~credit.errors.Broken`."""
    research = Chapter.of(room.research, "training.").entries()
    compute = Chapter.of(room.indexes["compute"], "version.made", "training.failed").entries()
    return gather(research, compute, room.settings.runs)


def gather(research: Iterable[Entry], compute: Iterable[Entry], runs: Path) -> list[Training]:
    """The same from the entries of both ledgers; ``runs`` is where the worker tells of what it is at."""
    trainings, projects = Trainings(), dict[str, None]()
    for entry in research:
        trainings.hear_research(entry)
        projects[str(entry.because.get("project", ""))] = None
    for entry in compute:
        trainings.hear_compute(entry)
    asked = sorted((each for name in projects for each in trainings.of(name)), key=lambda each: -each.seq)
    return [_one(trainings, each, runs) for each in asked]


def _one(trainings: Trainings, asked: Asked, runs: Path) -> Training:
    found = Training(asked.order, asked.by, asked.at, asked.project, asked.model)
    ended, told = trainings.ended(asked), _run(runs, asked)
    if asked.cancelled is not None:
        return replace(found, state="stopping" if told and ended is None else "cancelled")
    if ended is not None and ended.version:
        return replace(found, state="done", version=ended.version)
    if ended is not None:
        return replace(found, state="failed", error=f"{ended.why}. {ended.remedy}".strip(". "))
    if told:
        label, done, total = str(told.get("label", "")), int(told.get("done", 0)), int(told.get("total", 0))
        return replace(found, state="running", label=label, done=done, total=total)
    return found


def _run(runs: Path, asked: Asked) -> dict[str, Any]:
    """What the worker says of it while it is at it; nothing of an earlier asking."""
    try:
        told: dict[str, Any] = json.loads((runs / f"{Path(asked.order).name}.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return told if told.get("state") == "running" and told.get("asked", 0) >= asked.seq else {}
