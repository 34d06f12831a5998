"""The progress of a training (训练进度): one small file per order, ``<runs>/<order id>.json``, read by the research
zone.

::

    {"order", "state": running|done|failed|cancelled, "label": sample|search|…, "done", "total", "at", "asked",
     "version": id or null, "error": {"what", "why", "remedy"} or null}

It is for people who wait, and always replaced as a whole; the result of an order is in the compute ledger.
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

MINIMUM_INTERVAL = 0.1  # seconds between two writes of the same step


@dataclass(slots=True)
class TrainingProgress:
    """The progress file of one order, written by its worker. ``request_seq`` is the ledger entry of the request it
    serves."""

    folder: Path
    order: str
    request_seq: int
    _label: str = ""
    _last: float = field(default=0.0, repr=False)

    def step(self, label: str, done: int, total: int) -> None:
        """Write the progress; a step written less than :data:`MINIMUM_INTERVAL` ago is skipped unless it is the
        last."""
        now = time.monotonic()
        if label != self._label or done == total or now - self._last >= MINIMUM_INTERVAL:
            self._label, self._last = label, now
            self._write(state="running", label=label, done=done, total=total)

    def made(self, version: str) -> None:
        """Write that the training ended with this version."""
        self._write(state="done", version=version)

    def failed(self, error: CreditError) -> None:
        """Write that the training ended with this error."""
        self._write(state="failed", error={"what": error.what, "why": error.why, "remedy": error.remedy})

    def cancelled(self) -> None:
        """Write that the request was withdrawn."""
        self._write(state="cancelled")

    def _write(self, **values: Any) -> None:
        defaults = {"label": "", "done": 0, "total": 0, "version": None, "error": None}
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        whole = defaults | values | {"order": self.order, "asked": self.request_seq, "at": at}
        write_atomically(self.folder / f"{self.order}.json", json.dumps(whole, ensure_ascii=False).encode())
