"""Pairs of files that differ in one unit, by a generator of tricks over invented units, and what a receiver computes.

A receiver knows the trick: the scale, the shift, and which value of one file belongs to which of the other. From two
values as they were written follows an interval for the value of the one unit; an interval of at most 1 % on either side
is the unit's value.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

GROUPS = ("retail", "food", "logistics", "building", "services", "farming")
STATISTICS = ("count", "sum", "mean", "variance", "median", "p75")
PRECISE = 0.01  # of the unit's value


@dataclass(frozen=True, slots=True)
class Units:
    """Invented units: the group and the value of each; one of them is left out of the second file."""

    groups: tuple[str, ...]
    values: tuple[float, ...]
    left_out: int
    moved: frozenset[int] = frozenset()  # units of other groups that are not in the second file either

    @classmethod
    def draw(cls, draw: random.Random) -> Units:
        """Some hundred units with values as firms have them: a few are large."""
        named = GROUPS[: draw.randint(1, len(GROUPS))]
        groups = [name for name in named for _ in range(draw.choice((12, 30, 100, 400)))]
        return cls(tuple(groups), tuple(draw.lognormvariate(4, 1.2) for _ in groups), draw.randrange(len(groups)))

    def of_group(self, name: str, *, less_one: bool) -> list[float]:
        """The values of a group, perhaps without the unit that is left out."""
        every = enumerate(zip(self.groups, self.values, strict=True))
        missing = {self.left_out, *self.moved} if less_one else set()
        return [value for n, (group, value) in every if group == name and n not in missing]


@dataclass(frozen=True, slots=True)
class Column:
    """A column as a file writes it: the texts of its cells, and the scale and shift that the receiver takes away."""

    texts: tuple[str, ...]
    scale: float
    shift: float

    def interval(self, row: int) -> tuple[float, float]:
        """The least and the largest value of which the cell's text is the rounding."""
        text = self.texts[row].rstrip("%‰")
        half = float(Decimal(1).scaleb(Decimal(text).as_tuple().exponent)) / 2  # type: ignore[arg-type]
        ends = sorted((float(text) + sign * half - self.shift) / self.scale for sign in (-1, 1))
        return ends[0], ends[1]


SCALES: dict[str, tuple[float, float, str]] = {  # scale, shift, and the sign behind each value
    "as it is": (1.0, 0.0, ""),
    "times seven and three": (7.0, 3.0, ""),
    "in tens": (10.0, 0.0, ""),
    "in thousandths": (0.001, 0.0, ""),
    "per cent of a known total": (100 / 2437, 0.0, "%"),
    "per mille of a known total": (1000 / 2437, 0.0, ""),
    "shifted far": (1.0, 100_000.0, ""),
}
ROUNDINGS: dict[str, Callable[[float], str]] = {
    "whole": lambda value: str(round(value)),
    "four decimals": lambda value: f"{value:.4f}",
    "one decimal": lambda value: f"{value:.1f}",
    "fives": lambda value: str(5 * round(value / 5)),
    "three digits": lambda value: _digits(value, 3),
    "two digits": lambda value: _digits(value, 2),
}
PRECISE_ROUNDINGS = ("whole", "four decimals", "one decimal", "four decimals")


def statistic(name: str, values: Sequence[float]) -> float:
    """A statistic of some values; 0 for none."""
    ordered, n = sorted(values), len(values)
    if not n:
        return 0.0
    mean = sum(ordered) / n
    return {
        "count": float(n),
        "sum": sum(ordered),
        "mean": mean,
        "variance": sum((value - mean) ** 2 for value in ordered) / n,
        "median": ordered[n // 2],
        "p75": ordered[3 * n // 4],
    }[name]


def unit_bounds(name: str, whole: tuple[float, float], rest: tuple[float, float], n: int) -> tuple[float, float] | None:
    """The interval of the left-out unit's contribution, from those of a statistic with and without it; None where the
    statistic does not give it. ``n`` is the number of units with it, which an all-knowing receiver has.
    """
    if name in ("count", "sum"):
        return whole[0] - rest[1], whole[1] - rest[0]
    if name == "mean":
        return n * whole[0] - (n - 1) * rest[1], n * whole[1] - (n - 1) * rest[0]
    return None


def is_computed(bounds: tuple[float, float] | None, value: float, whole: bool) -> bool:
    """True when an interval holds the value, and no other that it could be: no other whole number, or none that is
    1 % away.
    """
    wide = 1.0 if whole else 2 * PRECISE * abs(value)
    return bounds is not None and bounds[0] <= value <= bounds[1] and bounds[1] - bounds[0] <= wide


def written(name: str, form: str, keys: Sequence[str], column: Column, title: str) -> tuple[str, bytes]:
    """A file in one of several forms with one column; returns its name and bytes."""
    rows = list(zip(keys, column.texts, strict=True))
    if form == "json":
        return f"{name}.json", json.dumps(
            [{"group": key, title: float(text.rstrip("%"))} for key, text in rows]
        ).encode()
    if form == "prose":
        lines = [f"In the group {key} the value is {text.rstrip('%')}." for key, text in rows]
        return f"{name}.md", "\n\n".join(["# Results", *lines]).encode()
    if form == "notebook":
        cell = {
            "cell_type": "markdown",
            "metadata": {},
            "source": "\n\n".join(f"{key} has {text}" for key, text in rows),
        }
        return f"{name}.ipynb", json.dumps(
            {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
        ).encode()
    if form == "column names":
        header = ",".join(f"{key} {text.rstrip('%')}" for key, text in rows)
        return f"{name}.csv", f"kind,{header}\nyes{',high' * len(rows)}\nno{',low' * len(rows)}\n".encode()
    if form == "labels":
        lines = [f"{key} of {text.rstrip('%')},high" for key, text in rows]
        return f"{name}.csv", "\n".join(["group,level", *lines]).encode() + b"\n"
    if form == "on its side":
        header, values = ",".join(key for key, _ in rows), ",".join(text for _, text in rows)
        return f"{name}.csv", f"what,{header}\n{title},{values}\n".encode()
    return f"{name}.csv", "\n".join([f"group,{title}", *(f"{key},{text}" for key, text in rows)]).encode() + b"\n"


FORMS = ("csv", "csv", "csv", "json", "prose", "notebook", "column names", "labels", "on its side")
TITLES = (
    "n",
    "firms",
    "index",
    "value",
    "turnover_sum",
    "mean_turnover",
    "level",
    "score",
    "rate",
    "year",
    "户数",
    "金额",
)


def renamed(draw: random.Random, keys: Sequence[str]) -> list[str]:
    """The keys as they are, or under other names."""
    return list(keys) if draw.random() < 0.5 else [f"kind {chr(65 + n)}" for n in range(len(keys))]


def _digits(value: float, digits: int) -> str:
    return format(Decimal(f"{value:.{digits - 1}e}"), "f") if value else "0"
