"""A comparison of two versions as the page draws it: the table of grades, the bands, and the difference on a scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lab.console.production.differences import PairedMeasure
from lab.console.production.verdict_pictures import WIDTH, Scale

KINDS = ("better", "same", "worse")


@dataclass(frozen=True, slots=True)
class MoveCell:
    """One cell of the table of grades: the rows that moved so, and whether that is better or worse for them."""

    rows: int
    kind: str


@dataclass(frozen=True, slots=True)
class MoveBand:
    """The rows that moved one way, as a part of the bar."""

    kind: str
    rows: int
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class ShownMeasure:
    """What compute measured, for the page; ``rows`` and ``columns`` are the table old × new."""

    zone: str
    seq: int
    at: datetime
    gain: Mapping[str, float]
    changes: Mapping[str, Any]
    conclusion: str
    scale: Scale
    bands: tuple[MoveBand, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[MoveCell, ...]], ...]

    @classmethod
    def of(cls, measured: PairedMeasure) -> ShownMeasure:
        """A measure with what is drawn of it."""
        value, low, high = (measured.gain[name] for name in ("value", "low", "high"))
        reach = max(abs(value), abs(low), abs(high), 0.01) * 1.1
        conclusion = "better" if low > 0 else "worse" if high < 0 else "open"
        columns, rows = _table(measured.changes)
        return cls(
            measured.zone,
            measured.seq,
            measured.at,
            measured.gain,
            measured.changes,
            conclusion,
            Scale("gain", value, -reach, reach, low=low, high=high, least=0.0),
            _bands(measured.changes),
            columns,
            rows,
        )


def _bands(changes: Mapping[str, Any]) -> tuple[MoveBand, ...]:
    whole = sum(int(changes.get(kind, 0)) for kind in KINDS)
    bands, left = [], 0.0
    for kind in KINDS if whole else ():
        width = changes[kind] / whole * WIDTH
        bands.append(MoveBand(kind, int(changes[kind]), round(left, 1), round(width, 1)))
        left += width
    return tuple(bands)


def _table(changes: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[MoveCell, ...]], ...]]:
    """The grades that occur: those of the new version as columns, those of the old one as rows with their cells."""
    if not changes:
        return (), ()
    cells = {(was, now): int(rows) for was, now, rows in changes["moved"]}
    old = [grade for grade in changes["grades"]["old"] if any(was == grade for was, _ in cells)]
    new = [grade for grade in changes["grades"]["new"] if any(now == grade for _, now in cells)]
    places = [{grade: place for place, grade in enumerate(changes["grades"][name])} for name in ("old", "new")]

    def kind(was: str, now: str) -> str:
        before, after = places[0][was], places[1][now]
        return "same" if before == after else "better" if after < before else "worse"

    table = [(was, tuple(MoveCell(cells.get((was, now), 0), kind(was, now)) for now in new)) for was in old]
    return tuple(new), tuple(table)
