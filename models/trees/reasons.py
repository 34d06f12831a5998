"""Exact reasons (评分原因): path-dependent TreeSHAP (Lundberg et al. 2020), equal to LightGBM's ``pred_contrib``.

A leaf with value v below features j, each with its share z of rows and o = 1 where the row agrees with every split on
j, else 0, gives feature i its Shapley value as an integral (Owen 1972)::

    v (o_i - z_i)  ∫ over t in [0, 1] of  Π over j ≠ i of (z_j (1 - t) + o_j t)

which is a polynomial in t, so that Gauss-Legendre quadrature is exact with one node for every two features asked on a
path. At each node of the quadrature one sweep down a tree multiplies the factors into P, one sweep up sums the leaves
below into V (without what P holds), and a split on i adds

    P (o_left V_left + o_right V_right - V) / (1 - t)

to i, in which only a feature asked again takes a division. No branch hangs on a row or a split: a processor that has
just done something else would guess each of them anew, and half of them wrongly. Everything goes through
:mod:`models.trees.lanes`: the lanes are eight rows, or for a row alone eight nodes of the quadrature, by the same code
and with the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.trees.compiled import compiled, inner
from models.trees.flat import ABOVE, FEATURE, LEFT, NAN_LEFT_BIT, RIGHT, Flat, as_asked, goes_left, part
from models.trees.lanes import WIDTH, ahead, at_most, fused, lanes, load, spread, store
from models.trees.model_text import CATEGORICAL, ZERO_MISSING

Floats = NDArray[np.float64]
FEW = 3  # rows that are faster one by one
AHEAD = 32  # splits of the next tree whose numbers are asked for early


class Rules(NamedTuple):
    """Rules of 1, 2, … K nodes, laid in lanes one after another, and where each lies in the memory it works in."""

    first: NDArray[np.uint64]  # (K + 2,) lanes of nodes before each rule
    nodes: Floats  # three lanes for each: t, 1 - t, and weight / (1 - t)
    place: NDArray[np.uint64]  # where each part of the memory begins, in lanes; see ``_places``


@dataclass(frozen=True, slots=True)
class Reasons:
    """A forest made ready to give reasons."""

    trees: Flat
    features: int
    most: NDArray[np.uint64]  # (T,) features asked on a path of each tree
    alone: Rules
    together: Rules

    @classmethod
    def of(cls, trees: Flat, features: int) -> Reasons:
        """Choose the rule of each tree by the most features asked on one of its paths."""
        leaves = (trees.start + np.arange(len(trees.start), dtype=np.uint64)).astype(np.int64)
        most = np.maximum.reduceat(trees.asked, leaves[:-1]).astype(np.uint64)
        splits, deepest = int(np.diff(trees.start).max()), int(most.max())
        alone, together = (_rules((max(1, deepest) + 1) // 2, laid) for laid in (_in_lanes, _in_every_lane))
        return cls(
            trees,
            features,
            most,
            *(Rules(*rule, _places(features, splits, rule[0])) for rule in (alone, together)),
        )

    def contributions(self, rows: Floats) -> Floats:
        """Contributions (n, F) of rows (n, F) to their margins; with :func:`models.trees.walk.expected` they sum."""
        out, rows = np.zeros((len(rows), self.features)), np.ascontiguousarray(rows, dtype=np.float64)
        few = len(rows) <= FEW
        rules = self.alone if few else self.together
        (_one_by_one if few else _eight_by_eight)(self.trees, self.most, rules, lanes(int(rules.place[-1])), rows, out)
        return out


def _places(features: int, splits: int, first: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Where, in lanes, after the rows' features.

    First the agreement of each edge, then what takes its factor out, P and V of each node, and what is told.

    What is told is kept by node of the rule and by feature: so the sum over the nodes has one order in either use.
    """
    nodes = 2 * splits + 1
    told = features * int(np.diff(first).max())
    return np.cumsum([features, nodes, nodes, nodes, nodes, told]).astype(np.uint64)


def _in_lanes(values: Floats) -> Floats:
    """The nodes of a rule side by side, 0 where they do not fill the lanes."""
    return np.pad(values, (0, -len(values) % WIDTH))


def _in_every_lane(values: Floats) -> Floats:
    return np.repeat(values, WIDTH)


def _rules(highest: int, laid: Callable[[Floats], Floats]) -> tuple[NDArray[np.uint64], Floats]:
    told, first = [], [0, 0]
    for count in range(1, highest + 1):
        places, weights = np.polynomial.legendre.leggauss(count)
        rest = (1 - places) / 2
        three = [laid(values).reshape(-1, WIDTH) for values in (1 - rest, rest, weights / 2 / rest)]
        three[1][three[1] == 0] = 1.0  # a lane without a node: nothing is divided by 0, and its weight is 0
        told.append(np.stack(three, axis=1).ravel())
        first.append(first[-1] + len(three[0]))
    nodes = lanes(3 * first[-1])
    nodes[:] = np.concatenate(told)
    return np.array(first, dtype=np.uint64), nodes


@inner
def _tree(trees: Any, tree: Any, most: Any, rules: Any, work: Any) -> None:
    """Add a tree's contributions to what is told, for the rows and nodes of the quadrature that are in the lanes."""
    agrees, out, product, sums, told = rules.place[0], rules.place[1], rules.place[2], rules.place[3], rules.place[4]
    features, first = agrees, trees.start[tree]
    splits, leaf = trees.start[tree + 1] - first, first + tree
    for n in range(0, AHEAD, WIDTH):  # of the next tree, about as large: its numbers are on their way meanwhile
        i = first + splits + n
        ahead(trees.split, i)
        ahead(trees.threshold, i)
        ahead(trees.share, 2 * i)
        ahead(trees.share, 2 * i + 8)
        ahead(trees.value, i + tree + 1)
    _agree(trees, first, splits, work, agrees)
    number = np.uint64((most + 1) >> 1) if most else np.uint64(1)
    for node in range(rules.first[number], rules.first[number + 1]):
        t, rest = load(rules.nodes, 3 * node), load(rules.nodes, 3 * node + 1)
        store(work, product, load(rules.nodes, 3 * node + 2))
        store(work, out + 2 * splits, spread(1.0))
        for n in range(trees.again_start[tree], trees.again_start[tree + 1]):
            edge = trees.again[n]
            factor = fused(load(work, agrees + edge), t, rest * spread(trees.share[2 * first + edge]))
            store(work, out + edge, spread(1.0) / factor)
        for n in range(splits):
            i, p = first + n, load(work, product + n)
            split = trees.split[i]
            above = part(split, ABOVE)
            p = p * load(work, out + above)  # without the factor of where the feature was last asked
            store(work, product + n, p)
            left = fused(load(work, agrees + 2 * n), t, rest * spread(trees.share[2 * i]))
            right = fused(load(work, agrees + 2 * n + 1), t, rest * spread(trees.share[2 * i + 1]))
            store(work, product + part(split, LEFT), p * left)
            store(work, product + part(split, RIGHT), p * right)
            store(work, sums + splits + n, spread(trees.value[leaf + n]))
        store(work, sums + 2 * splits, spread(trees.value[leaf + splits]))  # one leaf more than splits
        for back in range(splits):
            n = splits - 1 - back
            i = first + n
            split = trees.split[i]
            above = part(split, ABOVE)
            o_left, o_right = load(work, agrees + 2 * n), load(work, agrees + 2 * n + 1)
            v_left, v_right = load(work, sums + part(split, LEFT)), load(work, sums + part(split, RIGHT))
            v = fused(o_right, t, rest * spread(trees.share[2 * i + 1])) * v_right
            v = fused(fused(o_left, t, rest * spread(trees.share[2 * i])), v_left, v)
            was = load(work, agrees + above)
            v = v * load(work, out + above)
            store(work, sums + n, v)
            gain = fused(o_left, v_left, fused(o_right, v_right, spread(0.0) - was * v))
            here = told + part(split, FEATURE)
            store(work, here, fused(load(work, product + n), gain, load(work, here)))
        told += features


@inner
def _agree(trees: Any, first: Any, splits: Any, work: Any, agrees: Any) -> None:
    """Fill the agreement of every edge of a tree with the rows whose features are the first lanes of ``work``.

    Without a branch on a value: which way a row goes cannot be foretold, and a processor that guesses wrong waits.
    """
    store(work, agrees + 2 * splits, spread(1.0))
    for n in range(splits):
        i = first + n
        how, feature = trees.decision[i], part(trees.split[i], FEATURE)
        was, left = load(work, agrees + part(trees.split[i], ABOVE)), agrees + 2 * n
        if how & (CATEGORICAL | ZERO_MISSING):
            for row in range(WIDTH):
                work[left * WIDTH + row] = 1.0 if goes_left(trees, i, work[feature * WIDTH + row]) else 0.0
            o_left = was * load(work, left)
        else:
            missing = np.float64((how >> NAN_LEFT_BIT) & 1)
            o_left = was * at_most(load(work, feature), spread(trees.threshold[i]), spread(missing))
        store(work, left, o_left)
        store(work, left + 1, was - o_left)


@compiled
def _one_by_one(trees: Any, most: Any, rules: Any, work: Any, rows: Any, out: Any) -> None:
    """The lanes are nodes of the quadrature."""
    features, told, end = np.uint64(rows.shape[1]), rules.place[4] * WIDTH, rules.place[5] * WIDTH
    for number in range(len(rows)):
        work[told:end] = 0.0
        for feature in range(features):
            store(work, feature, spread(as_asked(rows[number, feature])))
        for tree in range(np.uint64(len(most))):
            _tree(trees, tree, most[tree], rules, work)
        for first in range(told, end, features * WIDTH):
            for node in range(WIDTH):
                for feature in range(features):
                    out[number, feature] += work[first + feature * WIDTH + node]


@compiled
def _eight_by_eight(trees: Any, most: Any, rules: Any, work: Any, rows: Any, out: Any) -> None:
    """The lanes are rows."""
    features, told, end = np.uint64(rows.shape[1]), rules.place[4] * WIDTH, rules.place[5] * WIDTH
    for start in range(0, len(rows), WIDTH):
        work[told:end] = 0.0
        for row in range(WIDTH):
            for feature in range(features):
                work[feature * WIDTH + row] = as_asked(rows[min(start + row, len(rows) - 1), feature])
        for tree in range(np.uint64(len(most))):
            _tree(trees, tree, most[tree], rules, work)
        for first in range(told, end, features * WIDTH):
            for row in range(min(WIDTH, len(rows) - start)):
                for feature in range(features):
                    out[start + row, feature] += work[first + feature * WIDTH + row]
