"""Three ways to fit a calibration map on margins that the model was not trained on, from the simplest to the most
flexible.

Each map rises strictly, by at least :data:`MINIMUM_SLOPE` per unit of margin, also where there are no rows: so points
rank subjects exactly as margins do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration.maps import MAXIMUM_KNOTS, Beta, CalibrationMap, Isotonic
from models.calibration.platt import fit_platt, smoothed_targets
from models.metrics.logistic_regression import logistic

Array = NDArray[Any]
Floats = NDArray[np.float64]
Fit = Callable[[Array, Array, int], CalibrationMap]
MINIMUM_SLOPE = 1e-3  # log-odds per unit of margin
MINIMUM_GAP = 1e-6  # margins closer than this are treated as equal


def fit_beta(labels: Array, raw: Array) -> Beta:
    """Beta calibration (Kull, Silva Filho and Flach 2017): a logistic regression on ln s and -ln(1 - s) of n rows.

    ``s`` is the sigmoid of the margin. ``a`` and ``b`` are at least :data:`MINIMUM_SLOPE`: the fit is repeated with
    neither, either and both of them fixed there, and the best valid one is taken. As the loss is convex, it is the
    optimum.
    """
    margins, targets = np.asarray(raw, dtype=np.float64), smoothed_targets(labels)
    columns, ones = np.column_stack([-np.logaddexp(0, -margins), np.logaddexp(0, margins)]), np.ones((len(margins), 1))
    best_map, lowest_loss = (MINIMUM_SLOPE, MINIMUM_SLOPE, 0.0), np.inf
    for free in ([0, 1], [0], [1], []):
        fixed = [part for part in (0, 1) if part not in free]
        line, loss = logistic(
            targets, np.hstack([columns[:, free], ones]), MINIMUM_SLOPE * columns[:, fixed].sum(axis=1)
        )
        if (line[:-1] >= MINIMUM_SLOPE).all() and loss < lowest_loss:
            slopes = dict(zip(free, line.tolist(), strict=False))
            best_map, lowest_loss = (slopes.get(0, MINIMUM_SLOPE), slopes.get(1, MINIMUM_SLOPE), float(line[-1])), loss
    return Beta(*best_map)


def fit_isotonic(labels: Array, raw: Array, least_rows: int) -> Isotonic:
    """Centered isotonic regression (Oron and Flournoy 2017) of groups of rows that are neighbours by margin.

    Plain isotonic regression gives steps. Here each step becomes a knot at the mean margin of its rows, with
    straight lines
    between knots, so that no two margins are tied. A knot has ``least_rows`` rows or more (also a privacy bound),
    plus one
    row with the overall default rate, so that its log-odds are finite. Outside the outer knots the slope is
    :data:`MINIMUM_SLOPE`.
    """
    margins, outcome = np.asarray(raw, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    order = np.argsort(margins, kind="stable")
    size = max(least_rows, -(-len(margins) // (MAXIMUM_KNOTS - 10)))
    parts = np.array_split(order, max(1, len(order) // size))
    rows = np.array([float(len(part)) for part in parts])
    bad = np.array([outcome[part].sum() for part in parts])
    x, share, _ = pool_adjacent_violators(
        np.array([margins[part].mean() for part in parts]), (bad + outcome.mean()) / (rows + 1), rows
    )
    odds = np.log(share / (1 - share))
    for knot in range(1, len(odds)):
        odds[knot] = max(odds[knot], odds[knot - 1] + MINIMUM_SLOPE * (x[knot] - x[knot - 1]))
    x, odds = (
        np.concatenate([[x[0] - 1], x, [x[-1] + 1]]),
        np.concatenate([[odds[0] - MINIMUM_SLOPE], odds, [odds[-1] + MINIMUM_SLOPE]]),
    )
    return Isotonic(tuple(x.tolist()), tuple(odds.tolist()))


def pool_adjacent_violators(x: Floats, y: Floats, rows: Floats) -> tuple[Floats, Floats, Floats]:
    """Pool neighbours whose y does not rise or whose x is equal: means of x and y (m,) and rows (m,) of each pool.

    The means are the isotonic regression of y on x, weighted by rows (the pool adjacent violators algorithm).
    """
    pools: list[list[float]] = []  # sum of x, sum of y, rows
    for point in zip(x * rows, y * rows, rows, strict=True):
        pools.append(list(point))
        while len(pools) > 1 and _must_pool(pools[-2], pools[-1]):
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    sums = np.array(pools)
    return sums[:, 0] / sums[:, 2], sums[:, 1] / sums[:, 2], sums[:, 2]


def _must_pool(before: list[float], after: list[float]) -> bool:
    near = after[0] / after[2] - before[0] / before[2] < MINIMUM_GAP
    return near or before[1] * after[2] >= after[1] * before[2]


FITS: dict[str, Fit] = {
    "platt": lambda labels, raw, least_rows: fit_platt(labels, raw),
    "beta": lambda labels, raw, least_rows: fit_beta(labels, raw),
    "isotonic": fit_isotonic,
}
