"""Training orders as a person follows them (训练进度): asked in the research ledger, told by the worker."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from credit.actor import Actor
from credit.ledger import Entry

VERBS = ("order.", "training.")
ENDED = ("done", "failed", "cancelled")
_ID = re.compile(r"order-[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Training:
    """One order in training.

    ``state``: waiting, running, stopping, done, failed or cancelled; ``done`` of ``total`` steps; ``label``: which.
    """

    id: str
    by: Actor
    asked_at: datetime
    project: str = ""
    model: str = ""
    state: str = "waiting"
    label: str = ""
    done: int = 0
    total: int = 0
    at: str = ""
    error: str = ""
    version: str = ""

    @property
    def ended(self) -> bool:
        """Nothing more becomes of it."""
        return self.state in ENDED


def fold(entries: Iterable[Entry], runs: Path) -> dict[str, Training]:
    """The orders that were asked to be trained, by id, the newest first; ``runs`` is where the worker tells of them."""
    models: dict[str, str] = {}
    found: dict[str, Training] = {}
    for entry in entries:
        told = entry.because
        if entry.verb == "order.placed":
            models[entry.object] = str(told.get("model", ""))
        elif entry.verb == "training.asked" and _ID.fullmatch(entry.object):
            project, model = str(told.get("project", "")), models.get(entry.object, "")
            found.pop(entry.object, None)  # asked again after it was cancelled or failed
            found[entry.object] = Training(entry.object, entry.by, entry.at, project, model)
        elif entry.verb == "training.cancelled" and entry.object in found:
            found[entry.object] = replace(found[entry.object], state="cancelled")
    return {name: _progress(each, runs / f"{name}.json") for name, each in reversed(found.items())}


def _progress(asked: Training, path: Path) -> Training:
    """What the worker last said of an order; a cancel that it has not heeded yet is shown as one under way."""
    try:
        told: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return asked
    state = str(told.get("state", "waiting"))
    if asked.state == "cancelled" and state not in ENDED:
        state = "stopping" if state == "running" else "cancelled"
    return replace(
        asked,
        state=state,
        label=str(told.get("label") or ""),
        done=int(told.get("done") or 0),
        total=int(told.get("total") or 0),
        at=str(told.get("at") or ""),
        error=str(told.get("error") or ""),
        version=str(told.get("version") or ""),
    )
