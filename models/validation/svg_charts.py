"""Charts as SVG text: curves, bars and reasons. Text stays text, so that a browser's own fonts show Chinese."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, EDGE = 340, 260, 50
INK, SOFT, GOOD, BAD, GRID = "#1c2733", "#7d8a97", "#1f7a5c", "#b3412f", "#e3e8ed"
Point = tuple[float, float]


class Plot:
    """A chart of the plane from (x0, y0) to (x1, y1); ``svg()`` gives the SVG."""

    def __init__(self, title: str, x: tuple[float, float], y: tuple[float, float], labels: tuple[str, str]) -> None:
        self._x, self._y = x, y
        self._parts = [_text(WIDTH / 2, 16, title, size=13, bold=True)]
        self._parts.append(_text(WIDTH / 2, HEIGHT - 4, labels[0], colour=SOFT))
        middle = f'transform="rotate(-90 11 {HEIGHT / 2})"'
        self._parts.append(_text(11, HEIGHT / 2, labels[1], colour=SOFT, more=middle))
        for share in (0, 0.25, 0.5, 0.75, 1):
            across, up = x[0] + share * (x[1] - x[0]), y[0] + share * (y[1] - y[0])
            self.line([(x[0], up), (x[1], up)], GRID, 1)
            self._parts.append(
                _text(EDGE - 4, self.at((x[0], up))[1] + 3, _short(up), size=9, anchor="end", colour=SOFT)
            )
            self._parts.append(
                _text(self.at((across, y[0]))[0], HEIGHT - EDGE + 13, _short(across), size=9, colour=SOFT)
            )

    def at(self, point: Point) -> Point:
        """The position of a point of the plane in the picture."""
        across = (point[0] - self._x[0]) / ((self._x[1] - self._x[0]) or 1)
        up = (point[1] - self._y[0]) / ((self._y[1] - self._y[0]) or 1)
        return EDGE + across * (WIDTH - EDGE - 14), HEIGHT - EDGE - up * (HEIGHT - EDGE - 26)

    def line(self, points: Sequence[Point], colour: str, width: float = 2, dashes: str = "") -> None:
        """A line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self.at, points))
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self._parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashed}/>')

    def dot(self, point: Point, colour: str, radius: float = 3.5) -> None:
        """A dot."""
        x, y = self.at(point)
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>')

    def text_at(self, point: Point, text: str, colour: str = INK, anchor: str = "start") -> None:
        """Text at a point."""
        x, y = self.at(point)
        self._parts.append(_text(x, y, text, anchor=anchor, colour=colour))

    def svg(self) -> str:
        """The SVG text."""
        return _svg("".join(self._parts), WIDTH, HEIGHT)


def roc(false: Sequence[float], true: Sequence[float], ks: float, caption: str, holdout: str) -> str:
    """The ROC curve (thinned) with the KS distance drawn where it is largest."""
    plot = Plot(f"ROC and KS, {holdout}", (0, 1), (0, 1), ("false positive rate", "true positive rate"))
    plot.line([(0, 0), (1, 1)], SOFT, 1, "4 4")
    plot.line(list(zip(false, true, strict=True)), GOOD)
    x, y = max(zip(false, true, strict=True), key=lambda point: point[1] - point[0])
    plot.line([(x, x), (x, y)], BAD, 1.5)
    plot.text_at((min(x + 0.03, 0.72), (x + y) / 2), f"KS {ks:.3f}", BAD)
    plot.text_at((0.98, 0.06), caption, INK, "end")
    return plot.svg()


def calibration(bins: Sequence[Mapping[str, Any]]) -> str:
    """Predicted against observed default rates, bin by bin, with the 95 % interval (Wilson 1927) of the observed
    rate."""
    spans = [wilson(each["observed"], each["rows"]) for each in bins]
    top = max([0.02, *(high for _, high in spans), *(each["predicted"] for each in bins)]) * 1.05
    plot = Plot("Calibration", (0, top), (0, top), ("default probability foretold", "share that defaulted"))
    plot.line([(0, 0), (top, top)], SOFT, 1, "4 4")
    for each, (low, high) in zip(bins, spans, strict=True):
        plot.line([(each["predicted"], low), (each["predicted"], high)], GOOD, 1)
        plot.dot((each["predicted"], each["observed"]), GOOD)
    return plot.svg()


def wilson(share: float, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share seen in ``rows`` rows."""
    z = 1.96
    centre = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    reach = z / (1 + z * z / rows) * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return max(0.0, centre - reach), min(1.0, centre + reach)


def grades(shares: Mapping[str, float]) -> str:
    """The share of subjects in each of the nine grades."""
    names = list(shares)
    top = max([0.05, *shares.values()]) * 1.12
    wide = (WIDTH - EDGE - 14) / max(1, len(names))
    parts = [_text(WIDTH / 2, 16, "Subjects by grade", size=13, bold=True)]
    for place, name in enumerate(names):
        tall = shares[name] / top * (HEIGHT - EDGE - 26)
        x, y = EDGE + place * wide, HEIGHT - EDGE - tall
        colour = {"A": GOOD, "B": "#5a9c86", "C": "#d09a3a", "D": BAD}.get(name[0], SOFT)
        parts.append(f'<rect x="{x + 2:.1f}" y="{y:.1f}" width="{wide - 4:.1f}" height="{tall:.1f}" fill="{colour}"/>')
        parts.append(_text(x + wide / 2, y - 4, f"{shares[name]:.1%}", size=9))
        parts.append(_text(x + wide / 2, HEIGHT - EDGE + 14, name, size=11))
    return _svg("".join(parts), WIDTH, HEIGHT)


def grades_before_and_now(now: Mapping[str, float], then: Mapping[str, float]) -> str:
    """The share of subjects in each grade: last month as an outline beside this month's bar."""
    top = max([0.05, *now.values(), *then.values()]) * 1.12
    wide = (WIDTH - EDGE - 14) / max(1, len(now))
    parts = [_text(WIDTH / 2, 16, "Grades: last month (outline) and this", size=13, bold=True)]
    for place, name in enumerate(now):
        colour = {"A": GOOD, "B": "#5a9c86", "C": "#d09a3a", "D": BAD}.get(name[0], SOFT)
        for share, look, shift in (
            (then.get(name, 0.0), f'fill="none" stroke="{SOFT}"', 2),
            (now[name], f'fill="{colour}"', wide * 0.35),
        ):
            tall = share / top * (HEIGHT - EDGE - 26)
            x, y = EDGE + place * wide + shift, HEIGHT - EDGE - tall
            parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide * 0.55:.1f}" height="{tall:.1f}" {look}/>')
        parts.append(_text(EDGE + (place + 0.6) * wide, HEIGHT - EDGE - now[name] / top * (HEIGHT - EDGE - 26) - 4,
                           f"{now[name]:.1%}", size=8))  # fmt: skip
        parts.append(_text(EDGE + (place + 0.5) * wide, HEIGHT - EDGE + 14, name, size=11))
    return _svg("".join(parts), WIDTH, HEIGHT)


def diverging_bars(rows: Sequence[tuple[str, float | None, float | None]], unit: str) -> str:
    """For each row, the share or count that fell as a bar to the left and that rose to the right; None is too small
    to show."""
    biggest = max([1e-9, *(value for _, *both in rows for value in both if value)])
    high, wide, words_end, axis_at, span = 24, 620, 240, 430, 120
    parts = []
    for number, (words, down, up) in enumerate(rows):
        y = number * high + 8
        parts.append(_text(words_end, y + 12, words, anchor="end", size=12))
        for value, way, colour, anchor in ((down, -1, BAD, "end"), (up, 1, GOOD, "start")):
            long = (value or 0) / biggest * span
            x = axis_at - (long if way < 0 else 0)
            parts.append(f'<rect x="{x:.1f}" y="{y}" width="{max(long, 0.5):.1f}" height="16" fill="{colour}"/>')
            label = "few" if value is None else f"{value:.1f}{unit}" if unit else f"{value:.0f}"
            parts.append(_text(axis_at + way * (long + 4), y + 12, label, anchor=anchor, size=11))
    axis = f'<line x1="{axis_at}" y1="4" x2="{axis_at}" y2="{len(rows) * high + 8}" stroke="{INK}"/>'
    return _svg("".join(parts) + axis, wide, len(rows) * high + 14)


def reasons(answer: Mapping[str, Any], most: int = 9) -> str:
    """From the base points to the subject's points, one bar per reason; the remaining reasons are one bar."""
    shown = list(answer["reasons"])[:most]
    rest = round(sum(r["points"] for r in list(answer["reasons"])[most:]), 2)
    rows = [(f"{r['zh']}", float(r["points"])) for r in shown] + ([("其余 all others", rest)] if rest else [])
    biggest = max([1.0, *(abs(points) for _, points in rows)])
    high, wide, words_end, axis_at, span = 24, 760, 300, 520, 150
    parts = []
    for number, (words, points) in enumerate(rows):
        y, long = number * high + 8, abs(points) / biggest * span
        x = axis_at - (long if points < 0 else 0)
        colour = GOOD if points > 0 else BAD
        parts.append(_text(words_end, y + 12, words, anchor="end", size=12))
        parts.append(f'<rect x="{x:.1f}" y="{y}" width="{max(long, 0.5):.1f}" height="16" fill="{colour}"/>')
        side = x + long + 4 if points > 0 else x - 4
        parts.append(_text(side, y + 12, f"{points:+.2f}", anchor="start" if points > 0 else "end", size=11))
    axis = f'<line x1="{axis_at}" y1="4" x2="{axis_at}" y2="{len(rows) * high + 8}" stroke="{INK}"/>'
    return _svg("".join(parts) + axis, wide, len(rows) * high + 14)


def _svg(inside: str, wide: float, tall: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" role="img" width="{wide}">{inside}</svg>'
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 11,
    anchor: str = "middle",
    colour: str = INK,
    bold: bool = False,
    more: str = "",
) -> str:
    weight = ' font-weight="600"' if bold else ""
    where = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {where} fill="{colour}"{weight} {more}>{escape(text)}</text>'


def _short(number: float) -> str:
    return f"{number:.3g}"
