"""The strict reader of a LightGBM text model. Nothing reaches LightGBM's own parser before it has passed here.

LightGBM 4.7 trusts its text: an index out of range is a segmentation fault, a cycle among the nodes hangs, a short
array aborts the process, and none of these is a Python exception. So the text is held to the one shape that ``train``
writes: binary objective, numerical splits only, missing values either none or NaN, every child after its parent and
referenced once (hence a tree without cycles), every number finite, counts that add up, and sizes that match byte for
byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from credit.errors import Malformed

MAXIMUM_BYTES = 16 << 20
MAXIMUM_TREES = 5_000
MAXIMUM_LEAVES = 256
MAXIMUM_FEATURES = 1_000
LARGEST = 1e300  # what LightGBM itself writes in place of an infinity

_INTEGER = re.compile(r"-?\d{1,10}")
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,40})?(e[+-]?\d{1,3})?")
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
    "leaf_value", "leaf_weight", "leaf_count", "internal_value", "internal_weight", "internal_count", "is_linear",
    "shrinkage",
)  # fmt: skip
_DECISIONS = (0, 2, 8, 10)  # bit 2: missing goes left; bit 8: NaN is missing. Not: categorical (1), zero is missing (4)
END = "end of trees\n"


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree of L leaves and L-1 splits. A child ``c >= 0`` is the split ``c``, a child ``c < 0`` the leaf ``~c``."""

    split_feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    missing_is_nan: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    leaf_value: NDArray[np.float64]
    leaf_count: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Forest:
    """A whole text: the names of its features (F), their declared directions and its trees."""

    features: tuple[str, ...]
    directions: tuple[int, ...]
    trees: tuple[Tree, ...]

    @property
    def leaves(self) -> int:
        """All leaves of all trees: the size of the model."""
        return sum(len(tree.leaf_value) for tree in self.trees)


def plain(text: str) -> str:
    """The part of a freshly trained text that says something: header and trees, without LightGBM's list of settings."""
    return text[: text.index(END)] + END


def read(text: str, features: Sequence[str]) -> Forest:
    """Read a text for exactly these ``features``; raises :class:`Malformed` saying what is wrong with it."""
    if len(text) > MAXIMUM_BYTES or not text.isascii():
        _refuse("it is too large or not ASCII")
    if not text.startswith("tree\n") or not text.endswith(END):
        _refuse("it does not start or end as one")
    head, gap, rest = text[len("tree\n") : -len(END)].partition("\n\n")
    header = _fields(head.split("\n"), _HEADER, optional="monotone_constraints")
    for name, value in _FIXED.items():
        if header[name] != value:
            _refuse(f"{name} is not {value}")
    names = tuple(header["feature_names"].split(" "))
    if names != tuple(features) or not all(map(_NAME.fullmatch, names)) or len(names) > MAXIMUM_FEATURES:
        _refuse("its features are not the declared ones")
    if header["max_feature_idx"] != str(len(names) - 1) or len(header["feature_infos"].split(" ")) != len(names):
        _refuse("its number of features differs from their names")
    for info in header["feature_infos"].split(" "):
        _check_info(info)
    signs = _integers(header.get("monotone_constraints", " ".join("0" for _ in names)), len(names), -1, 1)
    sizes = [int(size) for size in header["tree_sizes"].split(" ") if _INTEGER.fullmatch(size)]
    if not gap or not 1 <= len(sizes) <= MAXIMUM_TREES or header["tree_sizes"] != " ".join(map(str, sizes)):
        _refuse("its number of trees is not within bounds")
    if any(size <= 0 for size in sizes) or sum(sizes) != len(rest):
        _refuse("the sizes of its trees are not theirs")
    trees, start = [], 0
    for number, size in enumerate(sizes):
        trees.append(_tree(rest[start : start + size], number, len(names)))
        start += size
    return Forest(names, tuple(int(sign) for sign in signs), tuple(trees))


def _tree(block: str, number: int, features: int) -> Tree:
    first, _, body = block.partition("\n")
    if first != f"Tree={number}" or not body.endswith("\n\n\n"):
        _refuse(f"tree {number} does not start or end as one")
    told = _fields(body[:-3].split("\n"), _TREE)
    leaves = int(_integers(told["num_leaves"], 1, 2, MAXIMUM_LEAVES)[0])
    splits = leaves - 1
    if told["num_cat"] != "0" or told["is_linear"] != "0":
        _refuse(f"tree {number} has categorical splits or linear leaves")
    feature = _integers(told["split_feature"], splits, 0, features - 1)
    left = _integers(told["left_child"], splits, -leaves, splits - 1)
    right = _integers(told["right_child"], splits, -leaves, splits - 1)
    for child in (left, right):
        if bool(np.any((child >= 0) & (child <= np.arange(splits)))):
            _refuse(f"tree {number} has a child before its parent")
    if sorted([*left.tolist(), *right.tolist()]) != [*range(-leaves, 0), *range(1, splits)]:
        _refuse(f"tree {number} does not reach every node once")
    decision = _integers(told["decision_type"], splits, 0, 10)
    if not set(decision.tolist()) <= set(_DECISIONS):
        _refuse(f"tree {number} decides in a way that is not ours")
    count = _integers(told["leaf_count"], leaves, 1, 2**31 - 1)
    inside = _integers(told["internal_count"], splits, 1, 2**31 - 1)
    for node in range(splits):
        below = sum(int(inside[c]) if c >= 0 else int(count[~c]) for c in (left[node], right[node]))
        if below != inside[node]:
            _refuse(f"the counts of tree {number} do not add up")
    for name, length in (("split_gain", splits), ("leaf_weight", leaves), ("internal_value", splits)):
        _numbers(told[name], length)
    _numbers(told["internal_weight"], splits)
    _numbers(told["shrinkage"], 1)
    value = _numbers(told["leaf_value"], leaves)
    threshold = _numbers(told["threshold"], splits, endless=True)
    return Tree(feature, threshold, (decision & 2) > 0, (decision & 8) > 0, left, right, value, count)


def _fields(lines: Sequence[str], names: Sequence[str], optional: str = "") -> Mapping[str, str]:
    """``name=value`` lines, these names and no others, in this order."""
    told = dict(line.partition("=")[::2] for line in lines)
    wanted = [name for name in names if name in told or name != optional]
    if list(told) != wanted or len(lines) != len(wanted):
        _refuse("its lines are not the expected ones")
    return told


def _integers(text: str, length: int, low: int, high: int) -> NDArray[np.int64]:
    words = text.split(" ")
    if len(words) != length or not all(map(_INTEGER.fullmatch, words)):
        _refuse("an array is of another length or not of whole numbers")
    numbers = np.array([int(word) for word in words], dtype=np.int64)
    if bool(np.any((numbers < low) | (numbers > high))):
        _refuse("an index or a count is out of range")
    return numbers


def _numbers(text: str, length: int, *, endless: bool = False) -> NDArray[np.float64]:
    """Finite numbers; ``endless`` lets ``inf`` pass, the threshold that parts what is known from what is missing."""
    words = text.split(" ")
    if len(words) != length or not all(_NUMBER.fullmatch(word) or (endless and word == "inf") for word in words):
        _refuse("an array is of another length or not of finite numbers")
    numbers = np.array([float(word) for word in words])
    if not bool(np.all((np.abs(numbers) <= LARGEST) | (endless & (numbers == np.inf)))):
        _refuse("a number is not finite")
    return numbers


def _check_info(info: str) -> None:
    if info != "none":
        bounds = info[1:-1].split(":")
        if info[:1] + info[-1:] != "[]" or len(bounds) != 2:
            _refuse("a feature is not a number")
        _numbers(" ".join(bounds), 2)


def _refuse(why: str) -> NoReturn:
    raise Malformed("This is not a model text of ours", why=why, remedy="Train it again from its order")
