"""The pace at which files of workspaces are shown (读取额度): bytes a minute and a day of one person, in all projects.

The research ledger is the only record: what a person was shown within a day is read from it once, and counted on from
there. The entry is made before the bytes are sent.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import yaml

from credit.actor import Actor
from credit.ledger import Entry, Ledger
from credit.settings import BEIJING
from lab.gateway.error_responses import Busy, TooLarge

SHOWN = "file.shown"
DEFAULT_FILE = Path(__file__).with_suffix(".yaml")
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """The most bytes that one person is shown in any minute, and in any 24 hours."""

    bytes_a_minute: int
    bytes_a_day: int

    @classmethod
    @lru_cache
    def load(cls, path: Path = DEFAULT_FILE) -> Pace:
        """The pace in a file, which is read once per process."""
        return cls(**yaml.safe_load(path.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file that a person is shown: the project of its workspace, its place there, its SHA-256, and its bytes."""

    project: str
    name: str
    digest: str
    size: int


@dataclass(slots=True)
class DisplayPace:
    """What each person was shown in the last day, by the ledger. One gateway has one, for all workspaces."""

    ledger: Ledger
    pace: Pace = field(default_factory=Pace.load)
    _shown: dict[str, deque[tuple[datetime, int]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, file: ShownFile, *, by: Actor, now: datetime | None = None) -> None:
        """Enter that a person is shown a file.

        Raises :class:`Busy` with the time when the pace allows it again, and :class:`TooLarge` for a file that is
        larger than what may be shown in a minute or a day.
        """
        now, most = now or datetime.now(UTC), min(self.pace.bytes_a_minute, self.pace.bytes_a_day)
        if file.size > most:
            raise TooLarge("display-pace.too-large", size=_kib(file.size), most=_kib(most))
        with self._lock:
            shown = self._of(by.name, now)
            again = max(
                _again(shown, file.size, self.pace.bytes_a_minute, _MINUTE, now),
                _again(shown, file.size, self.pace.bytes_a_day, _DAY, now),
            )
            if again > now:
                at = again.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
                raise Busy(
                    "display-pace.too-much",
                    minute=_kib(self.pace.bytes_a_minute),
                    day=_kib(self.pace.bytes_a_day),
                    size=_kib(file.size),
                    at=at,
                )
            details = {"project": file.project, "name": file.name, "digest": file.digest, "bytes": file.size}
            self.ledger.append(SHOWN, object_of(by.name), by=by, details=details)
            shown.append((now, file.size))

    def _of(self, name: str, now: datetime) -> deque[tuple[datetime, int]]:
        if name not in self._shown:
            self._shown[name] = deque(_sizes(self.ledger.about(object_of(name)), now - _DAY))
        shown = self._shown[name]
        while shown and shown[0][0] <= now - _DAY:
            shown.popleft()
        return shown


def object_of(name: str) -> str:
    """The object of the entries about one person."""
    return f"home-{name}"


def _sizes(entries: Iterable[Entry], since: datetime) -> list[tuple[datetime, int]]:
    return [(each.at, int(each.details["bytes"])) for each in entries if each.verb == SHOWN and each.at > since]


def _again(shown: deque[tuple[datetime, int]], size: int, most: int, span: timedelta, now: datetime) -> datetime:
    """When so many bytes, no more than ``most``, fit into a span again: now, if they do."""
    recent = [(at, count) for at, count in shown if at > now - span]
    total = sum(count for _, count in recent)
    again = now
    for at, count in recent:
        if total + size <= most:
            break
        total, again = total - count, at + span
    return again


def _kib(size: int) -> int:
    return -(-size // 1024)
