"""Dominance (优势度规则): no subject makes up most of a sum, by the (n,k) rule and the p% rule.

The rules apply where a table shows the values that they need. Sources: Hundepool et al., Statistical Disclosure Control
(2012), section 4.2; for the limit of 50 % and for maxima and minima, the ESSNet Guidelines for the checking of output
based on microdata research (2010).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from credit.messages import Text
from lab.airlock.checks.column_roles import ColumnRole
from lab.airlock.checks.small_cells import TableCase, fractions
from lab.airlock.grid import GridColumn
from lab.airlock.issue import Check, Issue, fail, places, review
from lab.airlock.thresholds import Thresholds

_LARGEST = re.compile(r"(.*_)?(max|maximum|largest|top_?1?|first)(_.*)?|.*最大.*|.*最高.*|.*第一大.*", re.I)
_SECOND = re.compile(r"(.*_)?(second|top_?2)(_.*)?|.*第二大.*", re.I)
_FIX = Text.of("airlock.dominance-fix")


def dominated_sums(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """The largest value is at most ``dominance_share_at_most`` of the sum, and enough remains beside the two largest.

    (n,k) rule with n = 1: x₁ ≤ k · sum. p% rule: sum − x₁ − x₂ ≥ p · x₁, with p = ``dominance_rest_at_least``.
    """
    maximum, rest = t["dominance_share_at_most"], t["dominance_rest_at_least"]
    large_shares = [
        (row, column.display_name)
        for column in case.columns_of(ColumnRole.TOP_SHARE)
        for row, share in enumerate(fractions(column))
        if share is not None and share > maximum
    ]
    if large_shares:
        yield fail(Text.of("airlock.dominance-largest", share=maximum), _FIX, **places(large_shares))
    extremes = case.columns_of(ColumnRole.EXTREME)
    sums = [
        column
        for column in case.grid.columns
        if case.roles[column.number] in (ColumnRole.AMOUNT, ColumnRole.POSSIBLE_COUNT)
    ]
    dominated = []
    for first in (column for column in extremes if _LARGEST.fullmatch(column.name)):
        second = next((column for column in extremes if _SECOND.fullmatch(column.name)), None)
        for total in sums:
            dominated += [
                (row, f"{first.display_name} of {total.display_name}")
                for row in _dominated(first, second, total, maximum, rest)
            ]
    if dominated:
        yield fail(Text.of("airlock.dominance-one"), _FIX, **places(dominated))


def extremes(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """A maximum or minimum is the value of one subject, so a reviewer decides; a percentile serves the same purpose."""
    extreme_columns = [
        column.display_name
        for column in case.columns_of(ColumnRole.EXTREME)
        if any(n is not None for n in column.numbers)
    ]
    if extreme_columns:
        why = Text.of("airlock.extreme")
        yield review(why, Text.of("airlock.extreme-fix"), columns=extreme_columns)


def amounts_have_counts(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """A table of sums also shows the number of subjects in each sum."""
    amounts = case.columns_of(ColumnRole.AMOUNT)
    if amounts and not case.columns_of(ColumnRole.COUNT):
        why = Text.of("airlock.sums-without-counts")
        yield review(why, Text.of("airlock.add-n"), columns=[each.display_name for each in amounts])


def _dominated(
    first: GridColumn, second: GridColumn | None, total: GridColumn, maximum: float, rest: float
) -> Iterator[int]:
    for row, (one, whole) in enumerate(zip(first.numbers, total.numbers, strict=True)):
        two = second.numbers[row] if second is not None else 0.0
        if one is None or whole is None or one <= 0 or whole < one:
            continue
        if one > maximum * whole or (second is not None and two is not None and whole - one - two < rest * one):
            yield row


CHECKS: tuple[Check[TableCase], ...] = (
    ("dominance", dominated_sums),
    ("extremes", extremes),
    ("counts beside sums", amounts_have_counts),
)
