"""Progress of a step, in a file that its agent writes and the desk reads: ids, labels and numbers, never a row."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from credit.canonical import canonical
from credit.files import write_atomically

LEAST = 0.1  # seconds between two writes of the same label
KEPT = 600.0  # seconds for which a private result lies ready for the person who asked
READABLE = 0o640  # by the group of the zones


@dataclass(slots=True)
class StepProgress:
    """The progress of one step of one request; ``folder`` is the zone's own."""

    folder: Path
    request: str
    step: int
    _label: str = ""
    _last: float = field(default=0.0, repr=False)

    def write(self, label: str, done: int, total: int) -> None:
        """Write it, unless the same label was written less than :data:`LEAST` ago and the count has not ended."""
        now = time.monotonic()
        if label == self._label and done != total and now - self._last < LEAST:
            return
        self._label, self._last = label, now
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        content = {"request": self.request, "step": self.step, "label": label, "done": done, "total": total, "at": at}
        write_atomically(self._path, json.dumps(content, ensure_ascii=False).encode(), mode=READABLE)

    def end(self) -> None:
        """Remove the file: the ledger has the result."""
        self._path.unlink(missing_ok=True)

    @property
    def _path(self) -> Path:
        return self.folder / f"{self.request}.json"


def read_progress(folder: Path, request: str) -> dict[str, Any]:
    """What the agent last wrote of a request; empty when there is nothing."""
    return _read(folder / f"{request}.json")


def write_private_result(folder: Path, request: str, result: dict[str, Any]) -> None:
    """Leave a result that no ledger may hold (codes of subjects, a text) for the front desk."""
    write_atomically(folder / f"{request}.result", canonical(result), mode=READABLE)


def read_private_result(folder: Path, request: str) -> dict[str, Any]:
    """The private result of a request; empty when there is none."""
    return _read(folder / f"{request}.result")


def remove_old_results(folder: Path, now: float) -> None:
    """Forget the private results that have lain ready for :data:`KEPT` seconds; ``now`` is in seconds since 1970."""
    for path in folder.glob("*.result"):
        with suppress(OSError):
            if now - path.stat().st_mtime > KEPT:
                path.unlink()


def write_broken(folder: Path, request: str, failure: dict[str, Any]) -> None:
    """Say that a step cannot be carried out since a ledger does not verify: then no entry can say so."""
    write_atomically(folder / f"{request}.broken", canonical(failure), mode=READABLE)


def read_broken(folder: Path, request: str) -> dict[str, Any]:
    """What :func:`write_broken` wrote of a request; empty when there is nothing."""
    return _read(folder / f"{request}.broken")


def remove_broken(folder: Path) -> None:
    """Take back all that :func:`write_broken` wrote, once an entry could be written."""
    for path in folder.glob("*.broken"):
        path.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty for a file that is not there or holds anything else."""
    with suppress(OSError, ValueError):
        data = json.loads(path.read_bytes())
        if isinstance(data, dict):
            return data
    return {}
