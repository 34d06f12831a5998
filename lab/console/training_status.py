"""The progress of training orders (训练进度): the state from the ledgers, the step from the worker's progress file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from credit.actor import Actor
from credit.ledger import Entry
from credit.order_requests import TRAINING, OrderRequest, OrderRequests
from lab.console.app_state import AppState
from lab.console.ledgers.ledger_view import LedgerView

ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class TrainingStatus:
    """One order that was sent to training.

    ``state`` is waiting, running, stopping, done, failed or cancelled; ``done`` of ``total`` steps are finished, and
    ``label`` names the current one.
    """

    id: str
    by: Actor
    requested_at: datetime
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
        """True when the order is done, failed or cancelled."""
        return self.state in ENDED


def all_trainings(app_state: AppState) -> list[TrainingStatus]:
    """Every order sent to training, the newest first; raises :class:`~credit.errors.Broken` for a broken ledger."""
    research = LedgerView.of(app_state.research, "training.").entries()
    compute = LedgerView.of(app_state.indexes["compute"], "version.made", "training.failed").entries()
    return collect_trainings(research, compute, app_state.settings.runs)


def collect_trainings(research: Iterable[Entry], compute: Iterable[Entry], runs: Path) -> list[TrainingStatus]:
    """The same from the entries of both ledgers; ``runs`` is the folder with the worker's progress files."""
    trainings, projects = OrderRequests(TRAINING), dict[str, None]()
    for entry in research:
        trainings.apply_research(entry)
        projects[str(entry.details.get("project", ""))] = None
    for entry in compute:
        trainings.apply_compute(entry)
    requests = sorted((each for name in projects for each in trainings.of(name)), key=lambda each: -each.seq)
    return [_status(trainings, each, runs) for each in requests]


def _status(trainings: OrderRequests, request: OrderRequest, runs: Path) -> TrainingStatus:
    status = TrainingStatus(request.order, request.by, request.at, request.project, request.model)
    ended, progress = trainings.result(request), _progress(runs, request)
    if request.cancelled is not None:
        return replace(status, state="stopping" if progress and ended is None else "cancelled")
    if ended is not None and ended.made:
        return replace(status, state="done", version=ended.made)
    if ended is not None:
        return replace(status, state="failed", error=f"{ended.why}. {ended.remedy}".strip(". "))
    if progress:
        label, done, total = str(progress.get("label", "")), int(progress.get("done", 0)), int(progress.get("total", 0))
        return replace(status, state="running", label=label, done=done, total=total)
    return status


def _progress(runs: Path, request: OrderRequest) -> dict[str, Any]:
    """The worker's progress file while it runs this request; empty otherwise, also for an earlier request."""
    try:
        progress: dict[str, Any] = json.loads((runs / f"{Path(request.order).name}.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return progress if progress.get("state") == "running" and progress.get("asked", 0) >= request.seq else {}
