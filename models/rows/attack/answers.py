"""Answers: the rows that are nearest to what an attacker knows, and how many answers are right, or alone.

Distances are between mid-ranks of what is shown, so that no unit counts more than another. Rows that look the same are
one answer: an attacker who meets them guesses among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.rows.partition.columns import Column, is_text, missing_in

_SAME = 1e-6  # distances that differ by less are equal
FEW = 5


@dataclass(frozen=True, slots=True)
class AttackFigures:
    """Shares of the ``targets``: found as the only answer, among at most five, and the mean chance of a right guess."""

    targets: int
    alone: float
    in_five: float
    guess_right: float

    def as_json(self) -> dict[str, float]:
        """The figures, rounded to four digits."""
        shares = {name: round(getattr(self, name), 4) for name in ("alone", "in_five", "guess_right")}
        return {"targets": self.targets, **shares}

    def worst(self, other: AttackFigures) -> AttackFigures:
        """The larger of each figure, when an attacker may choose between two ways."""
        return AttackFigures(
            max(self.targets, other.targets),
            max(self.alone, other.alone),
            max(self.in_five, other.in_five),
            max(self.guess_right, other.guess_right),
        )


NO_TARGETS = AttackFigures(0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What an attacker meets: the distinct rows by ``kinds`` (n,), and the shown ``columns`` (n,)."""

    columns: dict[str, Column]
    kinds: NDArray[np.int64]

    @classmethod
    def of(cls, columns: dict[str, Column], count: int) -> Answers:
        """The answers among ``count`` rows that show these columns."""
        return cls(columns, alike(columns, count))

    def figures(
        self, own: NDArray[np.int64], known: dict[str, Column], informed: dict[str, NDArray[np.bool_]]
    ) -> AttackFigures:
        """Figures for targets (t,) whose own rows are ``own``, from what is ``known`` where ``informed`` (t,).

        A target about whom nothing is known in any column meets all rows at the same distance.
        """
        if not len(own):
            return NO_TARGETS
        distinct = np.unique(self.kinds, return_index=True)[1]
        sizes = np.bincount(self.kinds)
        distance = np.zeros((len(own), len(distinct)), dtype=np.float32)
        for name, column in self.columns.items():
            if name not in known or not bool(informed[name].any()):
                continue
            shown, wanted = _ranks(column, known[name])
            apart = wanted.astype(np.float32)[:, None] - shown.astype(np.float32)[distinct][None, :]
            np.abs(apart, out=apart)
            if is_text(column):
                np.minimum(apart, 1.0, out=apart)  # texts are the same or not
            if not bool(informed[name].all()):
                apart *= informed[name].astype(np.float32)[:, None]
            distance += apart
        nearest = distance <= distance.min(axis=1)[:, None] + _SAME
        met = nearest @ sizes
        right = nearest[np.arange(len(own)), self.kinds[own]]
        return AttackFigures(
            len(own),
            float(np.mean(right & (met == 1))),
            float(np.mean(right & (met <= FEW))),
            float(np.mean(right / met)),
        )

    def own_figures(self, rows: NDArray[np.int64]) -> AttackFigures:
        """Figures of an attacker who knows all that ``rows`` show, as the partition can be replayed."""
        if not len(rows):
            return NO_TARGETS
        met = np.bincount(self.kinds)[self.kinds[rows]]
        return AttackFigures(len(rows), float(np.mean(met == 1)), float(np.mean(met <= FEW)), float(np.mean(1.0 / met)))


def alike(columns: dict[str, Column], count: int) -> NDArray[np.int64]:
    """Numbers (n,) from 0, equal for rows that show the same in every column."""
    kinds = np.zeros(count, dtype=np.int64)
    for column in columns.values():
        missing = missing_in(column)
        values = np.where(missing, "", column).astype(np.str_) if is_text(column) else np.where(missing, 0.0, column)
        codes = np.unique(values, return_inverse=True)[1].astype(np.int64) + 1
        codes[missing] = 0
        kinds = np.unique(kinds * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[1].astype(np.int64)
    return kinds


def _ranks(shown: Column, known: Column) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mid-ranks of the shown values (n,) and of the known ones (t,) among them, in 0 to 1; missing is below all."""
    if is_text(shown):
        texts = {text: float(place) for place, text in enumerate(sorted({str(value) for value in shown}))}
        return (
            np.array([texts[str(value)] for value in shown]),
            np.array([texts.get(str(value), -1.0) for value in known]),
        )
    values = np.where(missing_in(shown), -np.inf, np.asarray(shown, dtype=np.float64))
    wanted = np.where(missing_in(known), -np.inf, np.asarray(known, dtype=np.float64))
    ordered = np.sort(values)
    count = max(1, len(ordered))

    def rank(each: NDArray[np.float64]) -> NDArray[np.float64]:
        low, high = np.searchsorted(ordered, each, "left"), np.searchsorted(ordered, each, "right")
        return np.asarray((low + high) / 2.0 / count, dtype=np.float64)

    return rank(values), rank(wanted)
