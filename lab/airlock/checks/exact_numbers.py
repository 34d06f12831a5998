"""Numbers from which one subject could be computed by subtraction (精确数值), wherever a file has them.

Counts that are all multiples of the rounding base, and of nothing larger, stand for ranges. Everything else could be
exact, whatever its column is called and however few digits it has: 30 firms less one are 29, and 0.74 of fifty firms
are 37. Numbers in labels, in names of columns and in sentences are numbers too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

from lab.airlock.checks.column_roles import ColumnRole
from lab.airlock.checks.number_words import numbers_in_words
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.checks.table_alignment import normalized
from lab.airlock.grid import Grid, GridColumn, digits_of
from lab.airlock.parcel_context import FileDescription

WORDS = "numbers in words"  # the label of the table of numbers that stand in labels or sentences
TRANSPOSED = "transposed"
Fact = tuple[tuple[str, ...], str, Decimal]
"""A number with the labels of its row and the name of its column."""
CELLS_OF_ROUNDING = 4  # from so many counts on, all multiples of the base, it is rounding and no scale
_NUMBER = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_DATE = re.compile(r"(?:19|20)\d\d(?:(?:0[1-9]|1[0-2])(?:[0-3]\d)?)?")
_BAND = re.compile(r"\d\s*(?:-|–|—|~|～|to|至|到)\s*\d|^\s*(?:[<>≤≥]|p\d|top)|(?:\+|以上|以下|以内)\s*$", re.I)
_USUAL_IN_CODE = {str(n) for n in (255, 360, 365, 366, 999, *(2**n for n in range(7, 17)))}
DIGITS_IN_CODE = 2  # constants of so many digits are no values of subjects


@lru_cache(maxsize=1024)
def exact_facts(case: TableCase, base: int) -> frozenset[Fact]:
    """The numbers of a table that could be exact, with their places; empty where every value stands for a range."""
    labels = [column for column in case.grid.columns if not column.numeric]
    facts: set[Fact] = set()
    for column in case.grid.columns:
        if not column.numeric or _is_regular_key(case, column) or _is_rounded(case, column, base):
            continue
        for row, number in enumerate(column.numbers):
            if number:
                keys = tuple(normalized(each.texts[row]) for each in labels)
                facts.add((keys, normalized(column.name), Decimal(str(number)).normalize()))
    return frozenset(facts)


def numbers_in_labels(grid: Grid, about: FileDescription) -> TableCase | None:
    """The numbers in the labels and in the names of the columns of a table, as a table of one column.

    The edges of bands are none, unless they have more digits than a band needs.
    """
    labels = [text for column in grid.columns if not column.numeric for text in column.texts]
    numbers = []
    for text in (*(column.name for column in grid.columns), *labels):
        band = _BAND.search(text) is not None
        numbers += [each for each in _numbers(text) if not (band and _is_edge(each))]
    return _as_table(numbers, about)


def numbers_in_text(words: str, code: str, about: FileDescription) -> TableCase | None:
    """The numbers of sentences, in digits or spelled out, and the unusual ones of code; None without any."""
    of_code = [n for n in _numbers(code) if n not in _USUAL_IN_CODE and digits_of(n) > DIGITS_IN_CODE]
    return _as_table([*_numbers(words), *of_code], about)


def _as_table(numbers: list[str], about: FileDescription) -> TableCase | None:
    return TableCase(Grid.of(["number"], [[each] for each in numbers], WORDS), about) if numbers else None


def _numbers(text: str) -> Iterator[str]:
    """Every number from ten on, and every one with decimals, that is no date."""
    for match in _NUMBER.finditer(text):
        number = match[0].replace(",", "")
        if (float(number) >= 10 or "." in number) and not _DATE.fullmatch(number):
            yield number
    yield from (str(number) for number in numbers_in_words(text) if number >= 10)


def _is_edge(number: str) -> bool:
    """True for an edge of bands as people choose them: 50, 1000, 4999."""
    return digits_of(number) <= 2 or (number.isdigit() and digits_of(str(int(number) + 1)) <= 2)


def _is_regular_key(case: TableCase, column: GridColumn) -> bool:
    """True for years, deciles and the like; one or two numbers under such a name could be anything but years."""
    if case.roles[column.number] is not ColumnRole.KEY:
        return False
    values = {n for n in column.numbers if n is not None}
    return len(values) > 2 or all(1900 <= n <= 2100 for n in values)


def _is_rounded(case: TableCase, column: GridColumn, base: int) -> bool:
    """True for counts that were rounded: counts times a number are multiples of it too, but of more than the base."""
    if case.roles[column.number] not in (ColumnRole.COUNT, ColumnRole.POSSIBLE_COUNT):
        return False
    values = [int(n) for n in column.numbers if n]
    return column.whole and len(values) >= CELLS_OF_ROUNDING and math.gcd(*values) == base
