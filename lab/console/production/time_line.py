"""The line of time (时间线) of what was in production: one band a change, drawn as a picture with a table beneath."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from credit.champion_history import ChampionChange

WIDTH = 1000  # units of the drawing
LEAST = 6.0  # units that a band has at least, so that a short time is seen


@dataclass(frozen=True, slots=True)
class Band:
    """The time in which one version was in production; ``until`` is None for the one that is now."""

    change: ChampionChange
    until: datetime | None
    left: float
    width: float
    shade: int

    @property
    def days(self) -> float:
        """How long it was, or has been, in production (days)."""
        return ((self.until or datetime.now(self.change.at.tzinfo)) - self.change.at) / timedelta(days=1)


def time_line(changes: Sequence[ChampionChange], now: datetime) -> list[Band]:
    """The bands of a model's changes, the oldest first; widths are shares of the time from the first one to ``now``."""
    if not changes:
        return []
    ends = [*(each.at for each in changes[1:]), max(now, changes[-1].at)]
    whole = max((ends[-1] - changes[0].at).total_seconds(), 1.0)
    widths = [
        max((end - each.at).total_seconds() / whole * WIDTH, LEAST) for each, end in zip(changes, ends, strict=True)
    ]
    scale = WIDTH / sum(widths)
    shades = {version: number % 6 for number, version in enumerate(dict.fromkeys(each.version for each in changes))}
    bands, left = [], 0.0
    for number, (change, width) in enumerate(zip(changes, widths, strict=True)):
        until = ends[number] if number + 1 < len(changes) else None
        bands.append(Band(change, until, round(left, 2), round(width * scale, 2), shades[change.version]))
        left += width * scale
    return bands
