"""The sweeps of :mod:`models.scoring.treeshap.exact_reasons` over the trees: down with the products, up with the sums.

A row alone mostly comes when the processor has just done something else, so no branch hangs on a row or a split (it
would guess each of them anew, and many wrongly), and what the loops read is handed over by one array of addresses.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.scoring.trees.array_pointers import array_at
from models.scoring.trees.flat_forest import NAN_LEFT_BIT, as_asked, flat_at, goes_left, part
from models.scoring.trees.model_text import CATEGORICAL, ZERO_MISSING
from models.scoring.trees.numba_compile import compiled, inner
from models.scoring.treeshap.shap_layout import (
    AGAIN,
    ASKS,
    BELOW_RIGHT,
    DECISION,
    DIFFERENCE,
    LEFT_SHARE,
    ORIGIN,
    OWN_SHARE,
    PARENT_SLOT,
    RIGHT_SHARE,
    SIDE,
    SLOT,
    THRESHOLD,
    WHENCE,
    WHICH,
    WORDS,
    ShapLayout,
)
from models.scoring.treeshap.simd import (
    WIDTH,
    ahead,
    every_bit,
    first_bit,
    fused,
    led,
    load,
    number,
    positive,
    spread,
    store,
    whole,
    without,
)

Floats = NDArray[np.float64]
AHEAD = 30 * WORDS  # what is asked for early of the next tree
LOW = np.uint64(0xFFFF)


class QuadratureRules(NamedTuple):
    """Rules of 1, 2, … K nodes, laid in lanes one after another, and where each lies in the memory it works in."""

    first: NDArray[np.uint64]  # (K + 2,) lanes of nodes before each rule
    nodes: Floats  # three lanes for each: t, 1 - t, and weight / t (1 - t)
    place: NDArray[np.uint64]  # where each part of the memory begins, in lanes; see ``_places``


@inner
def _tree(trees: Any, laid: Any, tree: Any, rules: Any, work: Any) -> None:
    """Add a tree's contributions to what is told, for the rows and nodes of the quadrature that are in the lanes."""
    words, again, nodes = laid.split, laid.again, rules.nodes
    leans, holds, steep = rules.place[0], rules.place[1], rules.place[2]
    product, sums, told = rules.place[3], rules.place[4], rules.place[5]
    features, base = leans, laid.start[tree] * WORDS
    end = laid.start[tree + 1] * WORDS
    splits = (end - base) // WORDS
    for at in range(end, end + AHEAD, WORDS):  # of the next tree: on their way meanwhile
        ahead(words, at)
    leaf = _lean(trees, laid, laid.start[tree], splits, work, leans)
    store(work, rules.place[6], leaf)
    before, many = AGAIN * laid.again_start[tree], laid.again_start[tree + 1] - laid.again_start[tree]
    store(work, holds, spread(1.0))
    for k in range(many):
        which = whole(again, before + AGAIN * k)
        agrees = positive(load(work, leans + (which & LOW)) * number(again, before + AGAIN * k + 2))
        store(work, holds + k + 1, load(work, holds + (which >> 16)) * agrees)
    store(work, sums + splits, spread(0.0))
    count = np.uint64((laid.most[tree] + 1) >> 1) if laid.most[tree] else np.uint64(1)
    for node in range(rules.first[count], rules.first[count + 1]):
        t, rest = load(nodes, 3 * node), load(nodes, 3 * node + 1)
        store(work, steep, t)
        for k in range(many):
            up = load(work, holds + k + 1) * t
            store(work, steep + k + 1, up / fused(number(again, before + AGAIN * k + 1), rest, up))
        store(work, product, load(nodes, 3 * node + 2))
        for n in range(np.uint64(1), splits):
            at = base + n * WORDS
            whence = whole(words, at + WHENCE)
            lean = load(work, leans + (whence & LOW)) * number(words, at + SIDE)
            taken = fused(load(work, steep + part(whence, PARENT_SLOT)), lean, number(words, at + OWN_SHARE))
            store(work, product + n, load(work, product + (whence & LOW)) * taken)
        for back in range(splits):
            n = splits - 1 - back
            at = base + n * WORDS
            which = whole(words, at + WHICH)
            right = load(work, sums + part(which, BELOW_RIGHT))
            apart = load(work, sums + (which & LOW)) - right + number(words, at + DIFFERENCE)
            slope = load(work, steep + part(which, SLOT))
            bend = slope * load(work, leans + n)
            store(work, sums + n, fused(apart, bend + number(words, at + LEFT_SHARE), right))
            gain, here = apart * bend, told + (which >> ASKS)
            gain = gain - slope * gain
            store(work, here, fused(load(work, product + n), gain, load(work, here)))
        told += features


@inner
def _lean(trees: Any, laid: Any, first: Any, splits: Any, work: Any, leans: Any) -> Any:
    """How each row leans at each split of a tree: the share that went the other way, negative where it goes right.

    Gives the leaf of each row, from the left: the first that no split has left behind (Lucchese et al., QuickScorer,
    2015).

    Without a branch on a value: which way a row goes cannot be foretold, and a processor that guesses wrong waits.
    """
    words, bits = laid.split, every_bit()
    for n in range(splits):
        at = (first + n) * WORDS
        whence, feature = whole(words, at + WHENCE), whole(words, at) >> ASKS
        left, right = number(words, at + LEFT_SHARE), number(words, at + RIGHT_SHARE)
        how = part(whence, DECISION)
        if how & (CATEGORICAL | ZERO_MISSING):
            for row in range(WIDTH):
                goes = goes_left(trees, first + (whence >> ORIGIN), work[feature * WIDTH + row])
                work[(leans + n) * WIDTH + row] = 1.0 if goes else -1.0
            lean = led(load(work, leans + n), spread(0.0), np.uint64(0), spread(0.0) - left, right)
        else:
            missing = (how >> NAN_LEFT_BIT) & 1
            lean = led(load(work, feature), number(words, at + THRESHOLD), missing, right, spread(0.0) - left)
        store(work, leans + n, lean)
        bits = without(bits, lean, number(laid.left, first + n))
    return first_bit(bits)


@compiled
def _opened(held: Any) -> Any:
    """Trees, the same laid out and rules, from where they are: unpacked by Numba they would be many arguments."""
    laid = ShapLayout(
        array_at(held, 11, np.uint64),
        array_at(held, 12, np.uint64),
        array_at(held, 13, np.uint64),
        array_at(held, 14, np.uint64),
        array_at(held, 15, np.uint64),
        array_at(held, 16, np.uint64),
        array_at(held, 17, np.float64),
    )
    rules = QuadratureRules(
        array_at(held, 18, np.uint64), array_at(held, 19, np.float64), array_at(held, 20, np.uint64)
    )
    return flat_at(held), laid, rules


@compiled
def _memory(count: Any) -> Any:
    """So many lanes, from where a cache line begins."""
    work = np.empty((count + 1) * WIDTH)
    start = (8 * WIDTH - work.ctypes.data % (8 * WIDTH)) // 8
    return work[start : start + count * WIDTH]


@compiled
def one_by_one(held: Any, rows: Any, margins: Any, out: Any) -> None:
    """The lanes are nodes of the quadrature."""
    trees, laid, rules = _opened(held)
    work = _memory(np.intp(rules.place[7]))
    features, told, end = np.uint64(rows.shape[1]), rules.place[5] * WIDTH, rules.place[6] * WIDTH
    for one in range(len(rows)):
        work[told:end] = 0.0
        for feature in range(features):
            store(work, feature, spread(as_asked(rows[one, feature])))
        for tree in range(np.uint64(len(laid.most))):
            _tree(trees, laid, tree, rules, work)
            margins[one] += laid.value[laid.start[tree] + tree + whole(work, end)]
        for first in range(told, end, features * WIDTH):
            for node in range(WIDTH):
                for feature in range(features):
                    out[one, feature] += work[first + feature * WIDTH + node]


@compiled
def eight_by_eight(held: Any, rows: Any, margins: Any, out: Any) -> None:
    """The lanes are rows."""
    trees, laid, rules = _opened(held)
    work = _memory(np.intp(rules.place[7]))
    features, told, end = np.uint64(rows.shape[1]), rules.place[5] * WIDTH, rules.place[6] * WIDTH
    for start in range(0, len(rows), WIDTH):
        work[told:end] = 0.0
        for row in range(WIDTH):
            for feature in range(features):
                work[feature * WIDTH + row] = as_asked(rows[min(start + row, len(rows) - 1), feature])
        for tree in range(np.uint64(len(laid.most))):
            _tree(trees, laid, tree, rules, work)
            for row in range(min(WIDTH, len(rows) - start)):
                margins[start + row] += laid.value[laid.start[tree] + tree + whole(work, end + row)]
        for first in range(told, end, features * WIDTH):
            for row in range(min(WIDTH, len(rows) - start)):
                for feature in range(features):
                    out[start + row, feature] += work[first + feature * WIDTH + row]
