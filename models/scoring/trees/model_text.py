"""The strict reader of a LightGBM text model. LightGBM's own parser never reads a text that has not passed here.

LightGBM 4.7 trusts its text: an index out of range is a segmentation fault, a cycle among the nodes hangs, a short
array
aborts the process, and none of these is a Python exception. So a text must have the one shape that ``train`` writes:
binary objective, numerical splits only, missing values either none or NaN, every child after its parent and referenced
once (so a tree has no cycles), every number finite, counts that add up, and sizes that match byte for byte. ``foreign``
also allows what else LightGBM writes for numbers: categorical splits, zero as missing, and trees of one leaf.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from credit.errors import Malformed
from credit.messages import Text

MAXIMUM_BYTES = 16 << 20
MAXIMUM_TREES = 5_000
MAXIMUM_LEAVES = 256
MAXIMUM_FEATURES = 1_000
MAXIMUM_WORDS = 1 << 16  # of categories, 32 to a word
MAXIMUM_VALUE = 1e3  # of a leaf, in log-odds; even a whole forest has less
LARGEST = 1e300  # what LightGBM itself writes in place of an infinity

_INTEGER = re.compile(r"-?\d{1,10}")
_NUMBER = r"-?\d{1,30}(?:\.\d{1,40})?(?:e[+-]?\d{1,3})?"
# One match for a whole array: a tree has a dozen arrays, and a match per number costs more than parsing.
_INTEGERS = re.compile(rf"{_INTEGER.pattern}(?: {_INTEGER.pattern})*+")
_NUMBERS = re.compile(rf"{_NUMBER}(?: {_NUMBER})*+")
_ENDLESS = re.compile(rf"(?:{_NUMBER}|inf)(?: (?:{_NUMBER}|inf))*+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_HEADER = (
    "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective",
    "feature_names", "monotone_constraints", "feature_infos", "tree_sizes",
)  # fmt: skip
_FIXED = {
    "version": "v4",
    "num_class": "1",
    "num_tree_per_iteration": "1",
    "label_index": "0",
    "objective": "binary sigmoid:1",
}
_TREE = (
    "num_leaves", "num_cat", "split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child",
    "leaf_value", "leaf_weight", "leaf_count", "internal_value", "internal_weight", "internal_count", "cat_boundaries",
    "cat_threshold", "is_linear", "shrinkage",
)  # fmt: skip
CATEGORICAL, MISSING_LEFT, ZERO_MISSING, NAN_MISSING = 1, 2, 4, 8  # the bits of a decision
_OURS = (0, 2, 8, 10)
_FOREIGN = (*_OURS, 4, 6, 1, 3, 5, 7, 9, 11)
END = "end of trees\n"


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree of L leaves and L-1 splits. A child ``c >= 0`` is the split ``c``, a child ``c < 0`` the leaf ``~c``.

    A categorical split's threshold is the number ``n`` of its set: the categories whose bits stand in
    ``words[bounds[n]:bounds[n + 1]]``, 32 to a word, go left.
    """

    split_feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    decision: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    leaf_value: NDArray[np.float64]
    leaf_count: NDArray[np.int64]
    inside: NDArray[np.int64]  # rows of each split
    bounds: NDArray[np.int64]
    words: NDArray[np.int64]

    @property
    def missing_left(self) -> NDArray[np.bool_]:
        """Where a missing value goes left (L-1,)."""
        return (self.decision & MISSING_LEFT) > 0

    @property
    def missing_is_nan(self) -> NDArray[np.bool_]:
        """Where NaN is the missing value (L-1,); elsewhere NaN is taken for 0."""
        return (self.decision & NAN_MISSING) > 0


@dataclass(frozen=True, slots=True)
class Forest:
    """A whole text: the names of its features (F,), their declared directions and its trees."""

    features: tuple[str, ...]
    directions: tuple[int, ...]
    trees: tuple[Tree, ...]

    @property
    def leaves(self) -> int:
        """The number of leaves of all trees: the size of the model."""
        return sum(len(tree.leaf_value) for tree in self.trees)


def without_settings(text: str) -> str:
    """The header and trees of a newly trained text, without LightGBM's list of settings."""
    return text[: text.index(END)] + END


def read(text: str, features: Sequence[str], *, foreign: bool = False) -> Forest:
    """Read a text for exactly these ``features``; raises :class:`Malformed` with what is wrong."""
    if len(text) > MAXIMUM_BYTES or not text.isascii():
        _refuse(Text.of("model-text.too-large"))
    if not text.startswith("tree\n") or not text.endswith(END):
        _refuse(Text.of("model-text.start-or-end"))
    head, gap, rest = text[len("tree\n") : -len(END)].partition("\n\n")
    header = _fields(head.split("\n"), _HEADER, optional="monotone_constraints")
    for name, value in _FIXED.items():
        if header[name] != value:
            _refuse(Text.of("model-text.setting", name=name, value=value))
    names = tuple(header["feature_names"].split(" "))
    if names != tuple(features) or not all(map(_NAME.fullmatch, names)) or len(names) > MAXIMUM_FEATURES:
        _refuse(Text.of("model-text.features"))
    if header["max_feature_idx"] != str(len(names) - 1) or len(header["feature_infos"].split(" ")) != len(names):
        _refuse(Text.of("model-text.feature-count"))
    for info in header["feature_infos"].split(" "):
        _check_info(info, foreign)
    signs = _integers(header.get("monotone_constraints", " ".join("0" for _ in names)), len(names), -1, 1)
    sizes = [int(size) for size in header["tree_sizes"].split(" ") if _INTEGER.fullmatch(size)]
    if not gap or not 1 <= len(sizes) <= MAXIMUM_TREES or header["tree_sizes"] != " ".join(map(str, sizes)):
        _refuse(Text.of("model-text.tree-count"))
    if any(size <= 0 for size in sizes) or sum(sizes) != len(rest):
        _refuse(Text.of("model-text.tree-sizes"))
    trees, start = [], 0
    for number, size in enumerate(sizes):
        trees.append(_tree(rest[start : start + size], number, len(names), foreign))
        start += size
    return Forest(names, tuple(signs), tuple(trees))


def _tree(block: str, number: int, features: int, foreign: bool) -> Tree:
    first, _, body = block.partition("\n")
    if first != f"Tree={number}" or not body.endswith("\n\n\n"):
        _refuse(Text.of("model-text.tree-start", number=number))
    fields = _fields(body[:-3].split("\n"), _TREE, optional="cat_boundaries cat_threshold")
    leaves = _integers(fields["num_leaves"], 1, 1 if foreign else 2, MAXIMUM_LEAVES)[0]
    splits = leaves - 1
    sets = _integers(fields["num_cat"], 1, 0, splits if foreign else 0)[0]
    if (
        fields["is_linear"] != "0"
        or (sets > 0) != ("cat_threshold" in fields)
        or (sets > 0) != ("cat_boundaries" in fields)
    ):
        _refuse(Text.of("model-text.linear", number=number))
    feature = _integers(fields["split_feature"], splits, 0, features - 1)
    left = _integers(fields["left_child"], splits, -leaves, splits - 1)
    right = _integers(fields["right_child"], splits, -leaves, splits - 1)
    if any(0 <= child <= node for node, pair in enumerate(zip(left, right, strict=True)) for child in pair):
        _refuse(Text.of("model-text.child-first", number=number))
    if splits and sorted(left + right) != [*range(-leaves, 0), *range(1, splits)]:
        _refuse(Text.of("model-text.unreached", number=number))
    decision = _integers(fields["decision_type"], splits, 0, 11)
    if not set(decision) <= set(_FOREIGN if foreign else _OURS):
        _refuse(Text.of("model-text.decision", number=number))
    count = _integers(fields["leaf_count"], leaves, 1, 2**31 - 1)
    inside = _integers(fields["internal_count"], splits, 1, 2**31 - 1)
    rows = inside + count[::-1]  # by node: a leaf's number counts from the end
    if any(rows[one] + rows[other] != all_ for one, other, all_ in zip(left, right, inside, strict=True)):
        _refuse(Text.of("model-text.counts", number=number))
    for name, length in (("split_gain", splits), ("internal_value", splits), ("internal_weight", splits)):
        _numbers(fields[name], length)
    if splits or fields["leaf_weight"]:
        _numbers(fields["leaf_weight"], leaves)
    _numbers(fields["shrinkage"], 1)
    value = _numbers(fields["leaf_value"], leaves)
    if not -MAXIMUM_VALUE <= min(value) <= max(value) <= MAXIMUM_VALUE:
        _refuse(Text.of("model-text.leaf", number=number))
    threshold = _numbers(fields["threshold"], splits, endless=True)
    bounds, words = _categories(fields, sets, number)
    if sorted(at for at, how in zip(threshold, decision, strict=True) if how & CATEGORICAL) != list(range(sets)):
        _refuse(Text.of("model-text.category-sets", number=number))
    return Tree(
        _whole(feature), np.array(threshold, dtype=np.float64), _whole(decision), _whole(left), _whole(right),
        np.array(value, dtype=np.float64), _whole(count), _whole(inside), _whole(bounds), _whole(words),
    )  # fmt: skip


def _whole(numbers: list[int]) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def _categories(fields: Mapping[str, str], sets: int, number: int) -> tuple[list[int], list[int]]:
    if not sets:
        return [0], []
    bounds = _integers(fields["cat_boundaries"], sets + 1, 0, MAXIMUM_WORDS)
    if bounds[0] != 0 or any(end <= start for start, end in itertools.pairwise(bounds)):
        _refuse(Text.of("model-text.category-order", number=number))
    return bounds, _integers(fields["cat_threshold"], bounds[-1], 0, 2**32 - 1)


def _fields(lines: Sequence[str], names: Sequence[str], optional: str = "") -> Mapping[str, str]:
    """``name=value`` lines with these names and no others, in this order."""
    values = dict(line.partition("=")[::2] for line in lines)
    wanted = [name for name in names if name in values or name not in optional.split()]
    if list(values) != wanted or len(lines) != len(wanted):
        _refuse(Text.of("model-text.lines"))
    return values


def _integers(text: str, length: int, low: int, high: int) -> list[int]:
    numbers = list(map(int, text.split(" "))) if _INTEGERS.fullmatch(text) else []
    if len(numbers) != length or (text and not numbers):
        _refuse(Text.of("model-text.whole-numbers"))
    if numbers and not low <= min(numbers) <= max(numbers) <= high:
        _refuse(Text.of("model-text.out-of-range"))
    return numbers


def _numbers(text: str, length: int, *, endless: bool = False) -> list[float]:
    """Finite numbers; ``endless`` allows ``inf``, a threshold that separates known from missing values."""
    numbers = list(map(float, text.split(" "))) if (_ENDLESS if endless else _NUMBERS).fullmatch(text) else []
    if len(numbers) != length or (text and not numbers):
        _refuse(Text.of("model-text.finite-numbers"))
    if not all(-LARGEST <= number <= LARGEST or (endless and number == math.inf) for number in numbers):
        _refuse(Text.of("model-text.not-finite"))
    return numbers


def _check_info(info: str, foreign: bool) -> None:
    if foreign and info[:1] != "[" and info != "none":
        words = info.split(":")
        _integers(" ".join(words), len(words), -1, 2**31 - 1)  # the categories of a feature
    elif info != "none":
        bounds = info[1:-1].split(":")
        if info[:1] + info[-1:] != "[]" or len(bounds) != 2:
            _refuse(Text.of("model-text.not-number"))
        _numbers(" ".join(bounds), 2)


def _refuse(why: Text) -> NoReturn:
    raise Malformed("model-text.not-model-text-ours", why=why)
