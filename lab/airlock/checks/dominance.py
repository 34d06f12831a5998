"""One subject must not make up a sum (优势度规则): the (n,k) and the p% rule, where a table shows what they need."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.airlock.checks.column_roles import Part
from lab.airlock.checks.small_cells import TableCase, fractions
from lab.airlock.checks.trouble import Check, Trouble, fail, places, review
from lab.airlock.files.grid import Column
from lab.airlock.thresholds import Thresholds

_LARGEST = re.compile(r"(.*_)?(max|maximum|largest|top_?1?|first)(_.*)?|.*最大.*|.*最高.*|.*第一大.*", re.I)
_SECOND = re.compile(r"(.*_)?(second|top_?2)(_.*)?|.*第二大.*", re.I)
_FIX = "Merge the group with others, or hide its sum and its largest value"


def dominated(case: TableCase, t: Thresholds) -> Iterator[Trouble]:
    """The largest gives at most ``dominance_share_at_most`` of the sum; beside the two largest enough is left.

    (n,k) rule with n = 1, and p% rule: sum − x₁ − x₂ ≥ p · x₁ (Hundepool et al., Statistical Disclosure Control, §4.2).
    """
    most, rest = t["dominance_share_at_most"], t["dominance_rest_at_least"]
    tops = [
        (row, column.shown)
        for column in case.of(Part.TOP)
        for row, share in enumerate(fractions(column))
        if share is not None and share > most
    ]
    if tops:
        yield fail(f"the largest make up more than {most:.0%}", _FIX, **places(tops))
    extremes = case.of(Part.EXTREME)
    sums = [column for column in case.grid.columns if case.parts[column.number] in (Part.AMOUNT, Part.WHOLE)]
    found = []
    for first in (column for column in extremes if _LARGEST.fullmatch(column.name)):
        second = next((column for column in extremes if _SECOND.fullmatch(column.name)), None)
        for total in sums:
            found += [(row, f"{first.shown} of {total.shown}") for row in _dominated(first, second, total, most, rest)]
    if found:
        yield fail("one subject makes up nearly all of a sum", _FIX, **places(found))


def extremes(case: TableCase, t: Thresholds) -> Iterator[Trouble]:
    """A largest or smallest value is one subject's: a person looks, and a percentile tells as much."""
    found = [column.shown for column in case.of(Part.EXTREME) if any(n is not None for n in column.numbers)]
    if found:
        why = "a largest or smallest value is that of one subject"
        yield review(why, "Give the 5th and 95th percentile instead", columns=found)


def amounts_have_counts(case: TableCase, t: Thresholds) -> Iterator[Trouble]:
    """Beside a sum stands how many subjects are in it."""
    amounts = case.of(Part.AMOUNT)
    if amounts and not case.of(Part.COUNT):
        why = "sums without the number of subjects in them"
        yield review(why, "Add a column `n` of the subjects behind each row", columns=[each.shown for each in amounts])


def _dominated(first: Column, second: Column | None, total: Column, most: float, rest: float) -> Iterator[int]:
    for row, (one, whole) in enumerate(zip(first.numbers, total.numbers, strict=True)):
        two = second.numbers[row] if second is not None else 0.0
        if one is None or whole is None or one <= 0 or whole < one:
            continue
        if one > most * whole or (second is not None and two is not None and whole - one - two < rest * one):
            yield row


CHECKS: tuple[Check[TableCase], ...] = (
    ("dominance", dominated),
    ("extremes", extremes),
    ("counts beside sums", amounts_have_counts),
)
