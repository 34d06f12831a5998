"""How far a training is (训练进度): one small file an order, read by the research zone, ``<runs>/<order id>.json``.

::

    {"order", "state": running|done|failed|cancelled, "label": sample|search|…, "done", "total", "at", "asked",
     "version": id or null, "error": {"what", "why", "remedy"} or null}

It is for people who wait, and replaced as a whole; what became of an order is in the compute ledger.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from credit.errors import CreditError
from credit.files import write_atomically

MINIMUM_INTERVAL = 0.1  # seconds between two tellings of the same step


@dataclass(slots=True)
class TrainingProgress:
    """The file of one order, told by the worker that trains it. ``asked``: the asking it answers."""

    folder: Path
    order: str
    request_seq: int
    _label: str = ""
    _last: float = field(default=0.0, repr=False)

    def step(self, label: str, done: int, total: int) -> None:
        """Say how far it is; a step told a moment ago is not told again unless it is the last."""
        now = time.monotonic()
        if label != self._label or done == total or now - self._last >= MINIMUM_INTERVAL:
            self._label, self._last = label, now
            self._write(state="running", label=label, done=done, total=total)

    def made(self, version: str) -> None:
        """It ended in a version."""
        self._write(state="done", version=version)

    def failed(self, error: CreditError) -> None:
        """It ended without one."""
        self._write(state="failed", error={"what": error.what, "why": error.why, "remedy": error.remedy})

    def cancelled(self) -> None:
        """Nobody wants it any more."""
        self._write(state="cancelled")

    def _write(self, **values: Any) -> None:
        defaults = {"label": "", "done": 0, "total": 0, "version": None, "error": None}
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        whole = defaults | values | {"order": self.order, "asked": self.request_seq, "at": at}
        write_atomically(self.folder / f"{self.order}.json", json.dumps(whole, ensure_ascii=False).encode())
