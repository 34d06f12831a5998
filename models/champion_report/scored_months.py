"""The months that a version scored, from its snapshots, and from the excerpts that stay when these are destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from credit.seal import Kind, Seal
from credit.shelf import DESTROYED, DESTROYERS, OpenedSeal, Shelf
from models.champion_report.loan_events import ReportedLoans
from models.champion_report.loan_labels import label_of
from models.features.observations import add_months
from models.monitoring.vintages import Vintage, ripe_on
from models.scoring.snapshot_layout import map_answers, map_features, read_keys


@dataclass(frozen=True, slots=True)
class ScoredMonth:
    """A snapshot (or what remains of one) of a version; ``is_whole`` if every subject is in it."""

    month: str  # yyyy-mm
    as_of: date
    opened: OpenedSeal
    is_whole: bool

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the feature columns."""
        return tuple(self.opened.seal.terms["features"])

    def probability(self) -> NDArray[np.float64]:
        """The probabilities (n,)."""
        return np.asarray(map_answers(self.opened.path)["probability"], dtype=np.float64)

    def values(self) -> NDArray[np.float64]:
        """The features (n, F), NaN where missing."""
        return map_features(self.opened.path)

    def vintage(self, loans: ReportedLoans, window_months: int, settle_days: int) -> Vintage:
        """The subjects with their outcomes, as far as these are known; rows of other subjects have NaN."""
        ends = add_months(self.as_of, window_months)
        outcome = np.array(
            [
                label_of(loans.of_subject.get(key.tobytes().hex(), ()), self.as_of, ends)
                for key in read_keys(self.opened.path)
            ],
            dtype=np.float64,
        )
        return Vintage(self.month, self.probability(), outcome, ripe_on(self.month, window_months, settle_days))


def scored_months(shelf: Shelf, version: str) -> list[ScoredMonth]:
    """One of each month, oldest first: the last whole snapshot of the month, or else the excerpt with most subjects.

    Each is verified in full. A destroyed snapshot is left out.
    """
    best: dict[str, tuple[tuple[bool, str, int], Seal]] = {}
    for kind in (Kind.SNAPSHOT, Kind.EXCERPT):
        for seal in shelf.list(kind):
            if seal.terms.get("version") != version or "features" not in seal.terms:
                continue
            if shelf.pointer(f"{DESTROYED}-{seal.id}", DESTROYERS) is not None:
                continue
            as_of = str(seal.terms["as_of"])
            rank = (kind is Kind.SNAPSHOT, as_of, int(seal.terms["subjects"]))
            if as_of[:7] not in best or rank > best[as_of[:7]][0]:
                best[as_of[:7]] = (rank, seal)
    return [
        ScoredMonth(month, date.fromisoformat(rank[1]), shelf.open(seal.id), rank[0])
        for month, (rank, seal) in sorted(best.items())
    ]
