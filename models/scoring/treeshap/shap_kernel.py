"""The compiled loops of :mod:`models.scoring.treeshap.exact_reasons`: down each tree with products, up with sums.

A single row is mostly scored when the processor has just done other work, so no branch depends on a row or a split: its
branch prediction would have to learn each of them first. All arrays are passed as one array of addresses.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.scoring.trees.array_pointers import array_at
from models.scoring.trees.flat_forest import NAN_LEFT_BIT, canonical_value, flat_at, goes_left, unpack
from models.scoring.trees.model_text import CATEGORICAL, ZERO_MISSING
from models.scoring.trees.numba_compile import compiled, inner
from models.scoring.treeshap.shap_layout import (
    BELOW_RIGHT,
    CHILDREN_WORD,
    DECISION,
    DIFFERENCE,
    FEATURE_BITS,
    LEFT_SHARE,
    ORIGIN,
    OWN_SHARE,
    PARENT_SLOT,
    PARENT_WORD,
    REPEATED_WORDS,
    RIGHT_SHARE,
    SIDE,
    SLOT,
    THRESHOLD,
    WORDS,
    ShapLayout,
)
from models.scoring.treeshap.simd import (
    WIDTH,
    all_bits,
    broadcast,
    clear_bits,
    is_positive,
    load,
    load_double,
    load_integer,
    lowest_bit,
    multiply_add,
    prefetch,
    select_side,
    store,
)

Floats = NDArray[np.float64]
PREFETCH_WORDS = 30 * WORDS  # how much of the next tree is prefetched
LOW = np.uint64(0xFFFF)


class QuadratureRules(NamedTuple):
    """Quadrature rules of 1, 2, … K nodes in vectors one after another, and the layout of the working memory."""

    first: NDArray[np.uint64]  # (K + 2,) vectors of nodes before each rule
    nodes: Floats  # three vectors per node: t, 1 - t, and weight / t (1 - t)
    place: NDArray[np.uint64]  # where each part of the memory starts, in vectors; see ``_memory_layout``


@inner
def _add_tree(trees: Any, layout: Any, tree: Any, rules: Any, work: Any) -> None:
    """Add the contributions of one tree to the results, for the rows or quadrature nodes in the vectors."""
    words, repeated, nodes = layout.split, layout.repeated, rules.nodes
    factors, agreements, slopes = rules.place[0], rules.place[1], rules.place[2]
    product, sums, results = rules.place[3], rules.place[4], rules.place[5]
    features, base = factors, layout.start[tree] * WORDS
    end = layout.start[tree + 1] * WORDS
    splits = (end - base) // WORDS
    for at in range(end, end + PREFETCH_WORDS, WORDS):  # prefetch the first records of the next tree
        prefetch(words, at)
    leaf = _side_factors(trees, layout, layout.start[tree], splits, work, factors)
    store(work, rules.place[6], leaf)
    before, many = (
        REPEATED_WORDS * layout.repeated_start[tree],
        layout.repeated_start[tree + 1] - layout.repeated_start[tree],
    )
    store(work, agreements, broadcast(1.0))
    for k in range(many):
        children_word = load_integer(repeated, before + REPEATED_WORDS * k)
        agrees = is_positive(
            load(work, factors + (children_word & LOW)) * load_double(repeated, before + REPEATED_WORDS * k + 2)
        )
        store(work, agreements + k + 1, load(work, agreements + (children_word >> 16)) * agrees)
    store(work, sums + splits, broadcast(0.0))
    count = np.uint64((layout.longest_path[tree] + 1) >> 1) if layout.longest_path[tree] else np.uint64(1)
    for node in range(rules.first[count], rules.first[count + 1]):
        t, rest = load(nodes, 3 * node), load(nodes, 3 * node + 1)
        store(work, slopes, t)
        for k in range(many):
            up = load(work, agreements + k + 1) * t
            store(
                work,
                slopes + k + 1,
                up / multiply_add(load_double(repeated, before + REPEATED_WORDS * k + 1), rest, up),
            )
        store(work, product, load(nodes, 3 * node + 2))
        for n in range(np.uint64(1), splits):
            at = base + n * WORDS
            parent_word = load_integer(words, at + PARENT_WORD)
            factor = load(work, factors + (parent_word & LOW)) * load_double(words, at + SIDE)
            edge_factor = multiply_add(
                load(work, slopes + unpack(parent_word, PARENT_SLOT)), factor, load_double(words, at + OWN_SHARE)
            )
            store(work, product + n, load(work, product + (parent_word & LOW)) * edge_factor)
        for back in range(splits):
            n = splits - 1 - back
            at = base + n * WORDS
            children_word = load_integer(words, at + CHILDREN_WORD)
            right = load(work, sums + unpack(children_word, BELOW_RIGHT))
            difference = load(work, sums + (children_word & LOW)) - right + load_double(words, at + DIFFERENCE)
            slope = load(work, slopes + unpack(children_word, SLOT))
            tilt = slope * load(work, factors + n)
            store(work, sums + n, multiply_add(difference, tilt + load_double(words, at + LEFT_SHARE), right))
            gain, here = difference * tilt, results + (children_word >> FEATURE_BITS)
            gain = gain - slope * gain
            store(work, here, multiply_add(load(work, product + n), gain, load(work, here)))
        results += features


@inner
def _side_factors(trees: Any, layout: Any, first: Any, splits: Any, work: Any, factors: Any) -> Any:
    """The factor of each row at each split of a tree: the share that goes the other way, negative where the row goes
    right.

    Returns the leaf of each row from the left: the first leaf that no split has excluded (Lucchese et al., QuickScorer,
    2015). There is no branch on a value: the way of a row cannot be predicted, and a wrong prediction costs time.
    """
    words, bits = layout.split, all_bits()
    for n in range(splits):
        at = (first + n) * WORDS
        parent_word, feature = load_integer(words, at + PARENT_WORD), load_integer(words, at) >> FEATURE_BITS
        left, right = load_double(words, at + LEFT_SHARE), load_double(words, at + RIGHT_SHARE)
        how = unpack(parent_word, DECISION)
        if how & (CATEGORICAL | ZERO_MISSING):
            for row in range(WIDTH):
                goes = goes_left(trees, first + (parent_word >> ORIGIN), work[feature * WIDTH + row])
                work[(factors + n) * WIDTH + row] = 1.0 if goes else -1.0
            factor = select_side(load(work, factors + n), broadcast(0.0), np.uint64(0), broadcast(0.0) - left, right)
        else:
            missing = (how >> NAN_LEFT_BIT) & 1
            factor = select_side(
                load(work, feature), load_double(words, at + THRESHOLD), missing, right, broadcast(0.0) - left
            )
        store(work, factors + n, factor)
        bits = clear_bits(bits, factor, load_double(layout.left, first + n))
    return lowest_bit(bits)


@compiled
def _unpack_arguments(addresses: Any) -> Any:
    """Forest, layout and rules from their addresses; as arguments of their own, Numba would unpack each of them."""
    layout = ShapLayout(
        array_at(addresses, 11, np.uint64),
        array_at(addresses, 12, np.uint64),
        array_at(addresses, 13, np.uint64),
        array_at(addresses, 14, np.uint64),
        array_at(addresses, 15, np.uint64),
        array_at(addresses, 16, np.uint64),
        array_at(addresses, 17, np.float64),
    )
    rules = QuadratureRules(
        array_at(addresses, 18, np.uint64), array_at(addresses, 19, np.float64), array_at(addresses, 20, np.uint64)
    )
    return flat_at(addresses), layout, rules


@compiled
def _aligned_memory(count: Any) -> Any:
    """Memory for ``count`` vectors that starts at a cache line."""
    work = np.empty((count + 1) * WIDTH)
    start = (8 * WIDTH - work.ctypes.data % (8 * WIDTH)) // 8
    return work[start : start + count * WIDTH]


@compiled
def kernel_one_row(addresses: Any, rows: Any, margins: Any, out: Any) -> None:
    """Margins and contributions row by row; the elements of a vector are nodes of the quadrature."""
    trees, layout, rules = _unpack_arguments(addresses)
    work = _aligned_memory(np.intp(rules.place[7]))
    features, results, end = np.uint64(rows.shape[1]), rules.place[5] * WIDTH, rules.place[6] * WIDTH
    for one in range(len(rows)):
        work[results:end] = 0.0
        for feature in range(features):
            store(work, feature, broadcast(canonical_value(rows[one, feature])))
        for tree in range(np.uint64(len(layout.longest_path))):
            _add_tree(trees, layout, tree, rules, work)
            margins[one] += layout.value[layout.start[tree] + tree + load_integer(work, end)]
        for first in range(results, end, features * WIDTH):
            for node in range(WIDTH):
                for feature in range(features):
                    out[one, feature] += work[first + feature * WIDTH + node]


@compiled
def kernel_eight_rows(addresses: Any, rows: Any, margins: Any, out: Any) -> None:
    """Margins and contributions of eight rows at a time; the elements of a vector are rows."""
    trees, layout, rules = _unpack_arguments(addresses)
    work = _aligned_memory(np.intp(rules.place[7]))
    features, results, end = np.uint64(rows.shape[1]), rules.place[5] * WIDTH, rules.place[6] * WIDTH
    for start in range(0, len(rows), WIDTH):
        work[results:end] = 0.0
        for row in range(WIDTH):
            for feature in range(features):
                work[feature * WIDTH + row] = canonical_value(rows[min(start + row, len(rows) - 1), feature])
        for tree in range(np.uint64(len(layout.longest_path))):
            _add_tree(trees, layout, tree, rules, work)
            for row in range(min(WIDTH, len(rows) - start)):
                margins[start + row] += layout.value[layout.start[tree] + tree + load_integer(work, end + row)]
        for first in range(results, end, features * WIDTH):
            for row in range(min(WIDTH, len(rows) - start)):
                for feature in range(features):
                    out[start + row, feature] += work[first + feature * WIDTH + row]
