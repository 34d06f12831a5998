"""Attackers on models: an author hides a message in an order, compute trains it, and a receiver reads the copy.

The author chooses names, their order, SQL and the search's recipe; values are computed as the SQL says. What leaves is
read as the receiver would: from the names and the cuts of the copy's text.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from credit.gate import Outcome
from credit.keys import KeyRing, SigningKey
from credit.shelf import Shelf
from lab.airlock.copies.shelf_models import ShelfModels
from lab.airlock.gate import judge_parcel
from models.boosting.recipe import Recipe
from models.order.order import built_in
from tests.lab.airlock.kinds.models.sealed_versions import TODAY, named, put, version_files
from tests.lab.airlock.kinds.texts.alphabet_attacks import CONSONANTS, VOWELS, syllables_of, word_of
from tests.lab.airlock.smuggling import Bits, as_bits, carried, in_groups

ROWS = 1_500
RECIPE = Recipe(6, 0.15, 120, 40, 7)
CARRIERS = (6, 10, 16, 30)  # features that carry bits
KNOWN = sorted(built_in("enterprise").names)[:30]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AuthoredOrder:
    """What an author places: the names of features (F,), the expression of each, a factor and a shift of its values."""

    names: Sequence[str]
    expressions: Sequence[str]
    factors: Sequence[float] = ()
    shifts: Sequence[float] = ()
    recipe: Recipe = RECIPE

    @property
    def sql(self) -> str:
        """The order's SQL."""
        columns = ",\n".join(f"  {each} AS {name}" for each, name in zip(self.expressions, self.names, strict=True))
        return f"SELECT subject,\n{columns}\nFROM administrative_penalty\nGROUP BY subject"


def copy_text(order: AuthoredOrder) -> str | None:
    """The text that leaves of a model that compute trained on an order; None where the gate refuses."""
    width, random = len(order.names), np.random.default_rng(1)
    values = random.poisson(3, (ROWS, width)).astype(np.float64)
    labels = (values.sum(axis=1) + random.normal(size=ROWS) > 3 * width).astype(np.int8)
    values = values * (np.array(order.factors) if order.factors else 1) + (np.array(order.shifts or [0.0]))
    files = version_files(values, labels, order.names, sql=order.sql, recipe=order.recipe)
    with tempfile.TemporaryDirectory() as folder:
        keys = {zone: SigningKey.create(Path(folder), zone) for zone in ("research", "compute", "platform")}
        shelf = Shelf(Path(folder) / "shelf", KeyRing.of(*keys.values()))
        made, version = put(shelf, keys, files)
        judgement = judge_parcel({"model.json": named(version)}, models=ShelfModels(shelf, TODAY, frozenset({made})))
    refused = judgement.verdict.outcome is Outcome.FAIL
    return None if refused else judgement.leaving["model.txt"].decode()


def cuts(text: str) -> dict[str, list[float]]:
    """The cuts of each feature of a copy, the lowest first."""
    names = re.findall(r"(?m)^feature_names=(.*)$", text)[0].split()
    borders_of: dict[str, set[float]] = {}
    pairs = zip(re.findall(r"(?m)^split_feature=(.*)$", text), re.findall(r"(?m)^threshold=(.*)$", text), strict=True)
    for splits, borders in pairs:
        for split, border in zip(splits.split(), borders.split(), strict=True):
            borders_of.setdefault(names[int(split)], set()).add(float(border))
    return {name: sorted(borders) for name, borders in borders_of.items()}


def _bits_of(width: int, hide: Callable[[list[int]], AuthoredOrder], find: Callable[[str], Bits]) -> float:
    """The most bits that came out, over messages for several numbers of features, ``width`` bits each."""
    best = 0.0
    for features in CARRIERS:
        bits = Random(f"{features} {width}").choices((0, 1), k=features * width)
        text = copy_text(hide(list(in_groups(bits, width))))
        if text is None:
            break
        best = max(best, carried(bits, find(text)))
    return best


def _named(name: Callable[[int, int], str], numbers: list[int]) -> AuthoredOrder:
    names = [name(place, number) for place, number in enumerate(numbers)]
    return AuthoredOrder(names, ["count(*)"] * len(names))


def _names(name: Callable[[int, int], str], width: int, pattern: str, number: Callable[[str], int]) -> float:
    def find(text: str) -> Bits:
        names = re.findall(r"(?m)^feature_names=(.*)$", text)[0]
        return as_bits([number(each) for each in re.findall(pattern, names)], width)

    return _bits_of(width, partial(_named, name), find)


def _shaped(width: int, expression: Callable[[int], str], factor: Callable[[int], float], added: bool = False) -> float:
    """A number that shapes each feature's values, read from its cuts: a plain count has them at .5, 1.5 and so on."""
    choices = np.array([factor(number) for number in range(2**width)])

    def hide(numbers: list[int]) -> AuthoredOrder:
        shaped = [factor(number) for number in numbers]
        expressions = [expression(number) for number in numbers]
        order = partial(AuthoredOrder, KNOWN[: len(numbers)], expressions)
        return order(shifts=shaped) if added else order(factors=shaped)

    def find(text: str) -> Bits:
        borders = [cuts(text).get(name, [0.0]) for name in KNOWN]
        if added:
            near = [abs(choices - (own[0] - 0.5)) for own in borders]
        else:
            gaps = [min(np.diff(own), default=own[0] * 2) for own in borders]
            near = [abs(np.log(choices) - np.log(max(gap, 0.1))) for gap in gaps]
        return as_bits([int(np.argmin(each)) for each in near], width)

    return _bits_of(width, hide, find)


def _order_of_features() -> float:
    """A bit a pair of neighbours: which of the two stands first."""

    def hide(numbers: list[int]) -> AuthoredOrder:
        pairs = [(KNOWN[2 * n], KNOWN[2 * n + 1])[:: 1 - 2 * bit] for n, bit in enumerate(numbers[:15])]
        names = [name for pair in pairs for name in pair]
        return AuthoredOrder(names, ["count(*)"] * len(names))

    def find(text: str) -> Bits:
        names = re.findall(r"(?m)^feature_names=(.*)$", text)[0].split()
        return [int(names.index(KNOWN[2 * n]) > names.index(KNOWN[2 * n + 1])) for n in range(15)
                if {KNOWN[2 * n], KNOWN[2 * n + 1]} <= set(names)]  # fmt: skip

    return _bits_of(1, hide, find)


def _number_of_trees() -> float:
    """The search's bounds fix the number of trees and of their leaves."""
    best = 0.0
    for width in (4, 7):
        bits = Random(width).choices((0, 1), k=width)
        recipe = Recipe(6, 0.15, 100 + next(iter(in_groups(bits, width))), 40, 7)
        text = copy_text(AuthoredOrder(KNOWN[:6], ["count(*)"] * 6, recipe=recipe))
        if text is not None and as_bits([text.count("Tree=") - 100], width) == bits:
            best = float(width)
    return best


def _self_added(number: int) -> str:
    return " + ".join(["count(*)"] * (number + 1))


MODELS: dict[str, Callable[[], float]] = {
    "syllables in names": partial(
        _names, lambda place, n: f"{'abcdefghijklmnopqrstuvwxyzabcd'[place]}_{'x' * (place > 25)}{word_of(n)}", 16,
        rf"_x?([{CONSONANTS}][{VOWELS}][{CONSONANTS}][{VOWELS}][{CONSONANTS}])\b", syllables_of,
    ),
    "codes in names": partial(
        _names, lambda place, n: f"firm_{'abcdefghijklmnopqrstuvwxyzabcd'[place]}_v{n + 10}", 6, r"_v(\d\d)",
        lambda digits: int(digits) - 10,
    ),
    "windows in names": partial(
        _names, lambda place, n: f"{KNOWN[place].rpartition('_')[0]}_sum_{n + 10}m", 6, r"_(\d\d)m",
        lambda digits: int(digits) - 10,
    ),
    "a factor": partial(_shaped, 3, lambda n: f"count(*) * {3**n}", lambda n: 3.0**n),
    "powers of ten": partial(_shaped, 3, lambda n: f"count(*) * {10**n}", lambda n: 10.0**n),
    "a factor of two digits": partial(_shaped, 2, lambda n: f"count(*) * {3 ** (n + 1)}", lambda n: 3.0 ** (n + 1)),
    "a shift": partial(_shaped, 6, lambda n: f"count(*) + {9 * n}", lambda n: 9.0 * n, added=True),
    "values of a case": partial(
        _shaped, 3, lambda n: f"sum(CASE WHEN fine > 0 THEN {3**n} ELSE 0 END)", lambda n: 3.0**n
    ),
    "the length of a text": partial(
        _shaped, 2, lambda n: f"count(*) * length('{'a' * 3**n}')", lambda n: 3.0**n
    ),
    "days between two days": partial(
        _shaped, 3, lambda n: f"count(*) * date_diff('day', max(as_of) - INTERVAL {3**n} DAY, max(as_of))",
        lambda n: 3.0**n,
    ),
    "added to itself": partial(_shaped, 2, _self_added, lambda n: float(n + 1)),
    "the order of features": _order_of_features,
    "the number of trees": _number_of_trees,
}  # fmt: skip
"""By name, the bits that an attacker gets out."""
