"""What changes for subjects when one version takes the place of another: grades and reasons, on the same rows.

It is computed in compute, where both versions and the rows are. Counts are of merged grades, in multiples of five, and
a cell of fewer than ``evidence_subjects`` subjects is no number: a grade may be any condition on a subject.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.privacy.floors import load_floors
from models.privacy.merged_parts import merge_bins
from models.scoring.scorer import Scorer, Scores
from models.validation.evidence import SHARE_DECIMALS, rounded_count, rounded_share

MOST_ROWS = 20_000  # evenly spaced; contributions of more rows would take minutes and change no figure
REASONS = 3  # the reasons that lower a subject's points most, as an answer to a bank shows them first
Floats = NDArray[np.float64]


def subject_changes(
    new: Scorer, new_features: Floats, old: Scorer, old_features: Floats, subjects: NDArray[Any]
) -> dict[str, Any]:
    """What differs for the subjects of n rows, as plain values, when ``new`` takes the place of ``old``.

    ``{rows, grades: {new: [names], old: [names]}, moved: [[from, to, rows]], better, same, worse, few, points: {middle,
    most}, reasons: {first, overlap}}``. ``moved`` are the cells of the table old × new with their rows, ``few`` the
    rows of all cells that are too small to be shown. ``better`` and ``worse`` compare the places of the grades,
    counted from the best. ``points`` are the median and the 95th percentile of the absolute difference in points.
    ``reasons`` are the shares of rows with the same first reason, and of the first three that both have by name of the
    feature. Empty when there are too few subjects. ``new_features`` (n, F) and ``old_features`` (n, G) are of the same
    rows; ``subjects`` (n,).
    """
    step = max(1, -(-len(subjects) // MOST_ROWS))
    units = np.asarray(subjects)[::step]
    floors = load_floors()
    if len(np.unique(units)) < floors.evidence_subjects:
        return {}
    after, before = new.score(new_features[::step]), old.score(old_features[::step])
    places = [_places(scorer, scores, units) for scorer, scores in ((new, after), (old, before))]
    cells, few = _cells(places[1], places[0], units)
    moved = [[old.card.grades[was], new.card.grades[now], rows] for was, now, rows in cells]
    change = places[0] - places[1]
    apart = np.abs(after.points - before.points)
    return {
        "rows": len(units),
        "grades": {"new": list(new.card.grades), "old": list(old.card.grades)},
        "moved": moved,
        "few": few,
        **{
            name: rounded_count(int(rows.sum()), floors.evidence_base)
            for name, rows in (("better", change < 0), ("same", change == 0), ("worse", change > 0))
        },
        "points": {"middle": round(float(np.median(apart))), "most": round(float(np.quantile(apart, 0.95)))},
        "reasons": _reasons(new.card.names, after, old.card.names, before, floors.evidence_base),
    }


def _places(scorer: Scorer, scores: Scores, units: NDArray[Any]) -> NDArray[np.int64]:
    """The place (n,) of each row's grade, 0 for the best; a grade of a few subjects is its neighbour."""
    index = {grade: place for place, grade in enumerate(scorer.card.grades)}
    places = np.array([index[grade] for grade in scores.grades], dtype=np.int64)
    once = np.zeros(len(places), dtype=np.bool_)
    return np.asarray(merge_bins(places, once, units, load_floors().evidence_subjects), dtype=np.int64)


def _cells(
    before: NDArray[np.int64], after: NDArray[np.int64], units: NDArray[Any]
) -> tuple[list[tuple[int, int, int]], int]:
    """The cells (from, to, rows) of the table of grades, and the rows of all those that are too small."""
    floors, cells, few = load_floors(), [], 0
    for was, now in sorted(set(zip(before.tolist(), after.tolist(), strict=True))):
        of_cell = (before == was) & (after == now)
        if len(np.unique(units[of_cell])) < floors.evidence_subjects:
            few += int(of_cell.sum())
        else:
            cells.append((was, now, rounded_count(int(of_cell.sum()), floors.evidence_base)))
    return cells, rounded_count(few, floors.evidence_base)


def _reasons(
    names: tuple[str, ...], scores: Scores, other_names: tuple[str, ...], others: Scores, base: int
) -> dict[str, float]:
    own, theirs = _strongest(names, scores), _strongest(other_names, others)
    first = np.mean([one[:1] == other[:1] for one, other in zip(own, theirs, strict=True)])
    overlap = [
        len(set(one) & set(other)) / max(len(set(one) | set(other)), 1) if one or other else 1.0
        for one, other in zip(own, theirs, strict=True)
    ]
    return {
        "first": round(rounded_share(float(first), len(own), base), SHARE_DECIMALS),
        "overlap": round(rounded_share(float(np.mean(overlap)), len(own), base), SHARE_DECIMALS),
    }


def _strongest(names: tuple[str, ...], scores: Scores) -> list[list[str]]:
    """Of each row the features that lower its points most, the strongest first."""
    order = np.argsort(scores.point_contributions, axis=1, kind="stable")[:, :REASONS]
    values = np.take_along_axis(scores.point_contributions, order, axis=1)
    return [
        [names[place] for place, value in zip(row, lowered, strict=True) if value < 0]
        for row, lowered in zip(order.tolist(), values.tolist(), strict=True)
    ]
