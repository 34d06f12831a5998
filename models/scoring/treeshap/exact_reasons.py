"""Exact reasons (评分原因): path-dependent TreeSHAP (Lundberg et al. 2020), equal to LightGBM's ``pred_contrib``.

A leaf with value v below features j, each with its share z of rows and o = 1 where the row agrees with every split on
j, else 0, gives feature i its Shapley value as an integral (Owen 1972)::

    v (o_i - z_i)  ∫ over t in [0, 1] of  Π over j ≠ i of (z_j (1 - t) + o_j t)

which is a polynomial in t, so that Gauss-Legendre quadrature is exact with one node for every two features on a path.
At each node of the quadrature, the factors of a split's two edges are taken relative to the last split above on the
same
feature; then they sum to 1. Let r be the share of a split's rows that go left, and let the side factor k be 1 - r where
the row goes left and -r where it goes right. The left edge has the factor r + T k and the right edge the rest. T is t
for a feature that occurs first at this split; where it occurred above, T is t / (z (1 - t) + t) if the row agreed
there,
else 0. One pass down a tree multiplies the factors into P, one pass up combines the two sides of each split into V, and
a split on feature i adds

    P (V_left - V_right) k T (1 - T) / t (1 - t)

to i; only a repeated feature needs a division. All loops use :mod:`models.scoring.treeshap.simd`: the elements of a
vector are eight rows, or for a single row eight nodes of the quadrature, by the same code and with the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.scoring.trees import walk
from models.scoring.trees.array_pointers import addresses
from models.scoring.trees.flat_forest import FlatForest
from models.scoring.treeshap.shap_kernel import QuadratureRules, kernel_eight_rows, kernel_one_row
from models.scoring.treeshap.shap_layout import MAXIMUM_LEAF_BITS, ShapLayout, layout_for_shap
from models.scoring.treeshap.simd import WIDTH, aligned_vectors

Floats = NDArray[np.float64]
SINGLE_ROWS = 3  # rows that are faster one by one


@dataclass(frozen=True, slots=True)
class TreeShap:
    """A forest prepared for the computation of contributions."""

    trees: FlatForest
    features: int
    layout: ShapLayout
    leaves: int  # of the largest tree
    alone: QuadratureRules
    together: QuadratureRules
    packed: tuple[NDArray[np.uint64], ...] = field(
        init=False, repr=False, compare=False
    )  # the addresses of all these arrays

    def __post_init__(self) -> None:
        both = (addresses((*self.trees, *self.layout, *rules)) for rules in (self.alone, self.together))
        object.__setattr__(self, "packed", tuple(both))

    def __reduce__(self) -> tuple[Any, ...]:
        return TreeShap.of, (self.trees, self.features)  # addresses are valid in one process only

    @classmethod
    def of(cls, trees: FlatForest, features: int) -> TreeShap:
        """Choose the quadrature rule of each tree by the largest number of features on one of its paths."""
        layout = layout_for_shap(trees)
        splits, repeated = (int(np.diff(start).max()) for start in (layout.start, layout.repeated_start))
        highest = (max(1, int(layout.longest_path.max())) + 1) // 2
        alone, together = (_quadrature(highest, arrange) for arrange in (_nodes_in_vector, _node_in_every_element))
        places = (_memory_layout(features, splits, repeated, rule[0]) for rule in (alone, together))
        return cls(
            trees,
            features,
            layout,
            splits + 1,
            *(QuadratureRules(*r, p) for r, p in zip((alone, together), places, strict=True)),
        )

    def contributions(self, rows: Floats) -> Floats:
        """Contributions (n, F) of rows (n, F) to their margins; with
        :func:`models.scoring.trees.walk.expected_margin` they sum to
        the margins.
        """
        return self.margins_and_contributions(rows)[1]

    def margins_and_contributions(self, rows: Floats) -> tuple[Floats, Floats]:
        """Margins (n,) of rows (n, F), with the bits of :func:`models.scoring.trees.walk.margins`, and contributions
        (n, F).

        Eight rows at once, or a multiple of eight, cost far less per row than one row.
        """
        rows = np.ascontiguousarray(rows, dtype=np.float64)
        margins, out = np.zeros(len(rows)), np.zeros((len(rows), self.features))
        end = len(rows) - rest if (rest := len(rows) % WIDTH) <= SINGLE_ROWS else len(rows)
        for sweep, packed, some in (
            (kernel_eight_rows, self.packed[1], slice(0, end)),
            (kernel_one_row, self.packed[0], slice(end, None)),
        ):
            if len(rows[some]):
                sweep(packed, rows[some], margins[some], out[some])
        return (margins if self.leaves <= MAXIMUM_LEAF_BITS else walk.margins(self.trees, rows)), out


def _memory_layout(features: int, splits: int, repeated: int, first: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Where each part of the working memory starts, in vectors of eight, after the features of the rows.

    The parts: the side factor of each split, the agreement and the slope of repeated features, the products P and
    the sums
    V of each split, the results, the leaves, and the end. Results are kept by node of the rule and by feature, so
    that the
    sum over the nodes has one order in either use.
    """
    margins_and_contributions = features * int(np.diff(first).max())
    return np.cumsum(
        [features, splits, repeated + 1, repeated + 1, max(1, splits), splits + 1, margins_and_contributions, 1]
    ).astype(np.uint64)


def _nodes_in_vector(values: Floats) -> Floats:
    """The nodes of a rule side by side in vectors, padded with 0."""
    return np.pad(values, (0, -len(values) % WIDTH))


def _node_in_every_element(values: Floats) -> Floats:
    return np.repeat(values, WIDTH)


def _quadrature(highest: int, layout: Callable[[Floats], Floats]) -> tuple[NDArray[np.uint64], Floats]:
    margins_and_contributions, first = [], [0, 0]
    for count in range(1, highest + 1):
        places, weights = np.polynomial.legendre.leggauss(count)
        rest = (1 - places) / 2
        three = [layout(values).reshape(-1, WIDTH) for values in (1 - rest, rest, weights / 2 / rest / (1 - rest))]
        three[1][three[1] == 0] = 1.0  # an element without a node: avoid a division by 0; its weight is 0
        margins_and_contributions.append(np.stack(three, axis=1).ravel())
        first.append(first[-1] + len(three[0]))
    nodes = aligned_vectors(3 * first[-1])
    nodes[:] = np.concatenate(margins_and_contributions)
    return np.array(first, dtype=np.uint64), nodes
