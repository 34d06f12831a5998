"""A table as a grid of cells (表格): columns of texts, and the numbers in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from lab.airlock.issue import display_name

HIDDEN = re.compile(
    r"|\*+|[<≤]\s*\d+|\[?[cxs]\]?|n/?a|nan|null|none|nat|\.{1,3}|[-–—]+|suppressed|masked|hidden|隐藏|保密", re.I
)
LARGEST = 1e18  # larger values are no counts, and sums of them would not be exact
TOTAL = re.compile(r"(grand )?totals?|all|sum|overall|合计|总计|小计|全部|总数|总体|全市", re.I)
_UNIT = r"%|户|家|个|人|笔|条|件|次|元|万元|亿元|firms|subjects"
_NUMBER = re.compile(
    rf"(?:n\s*=\s*)?([+-]?)(\d{{1,3}}(?:,\d{{3}})+|\d*)(\.\d*)?(e[+-]?\d{{1,3}})?\s*(?:{_UNIT})?", re.I
)
_PAIR = re.compile(r"([^()（）/]+?)\s*(?:[(（]([^()（）]+)[)）]|/\s*([^()（）/]+))")  # 12 (3.4%), 3/120


@dataclass(frozen=True)
class GridColumn:
    """A column: its name, its number from 0, and the text of each cell."""

    name: str
    number: int
    texts: tuple[str, ...]

    @property
    def display_name(self) -> str:
        """The column's name for messages; its number when the name may contain a subject's data."""
        return display_name(self.name, self.number)

    @cached_property
    def numbers(self) -> tuple[float | None, ...]:
        """The number in each cell, None for a cell without one; percentages as written (10% is 10)."""
        return tuple(number_of(text) for text in self.texts)

    @cached_property
    def numeric(self) -> bool:
        """True when at least half of the cells that are not hidden hold a number."""
        display_name = sum(not is_hidden(text) for text in self.texts)
        return 2 * sum(n is not None for n in self.numbers) >= max(display_name, 1)

    @cached_property
    def whole(self) -> bool:
        """True for a numeric column of non-negative whole numbers."""
        return self.numeric and all(n is None or (n >= 0 and n == int(n)) for n in self.numbers)

    @cached_property
    def percent(self) -> bool:
        """True for a numeric column with a percent sign in some cell."""
        return self.numeric and any(text.strip().endswith("%") for text in self.texts)

    @cached_property
    def decimals(self) -> int:
        """The largest number of decimals in a cell."""
        return max((decimals_of(t) for t, n in zip(self.texts, self.numbers, strict=True) if n is not None), default=0)

    @cached_property
    def hidden(self) -> tuple[int, ...]:
        """The numbers of the rows whose cell is hidden."""
        return tuple(row for row, text in enumerate(self.texts) if is_hidden(text))


@dataclass(frozen=True)
class Grid:
    """A table. ``label`` is its place in the file, or empty when the file is one table."""

    columns: tuple[GridColumn, ...]
    label: str = ""

    @classmethod
    def of(cls, header: Sequence[str], rows: Sequence[Sequence[str]], label: str = "") -> Grid:
        """A grid from a header and rows of equal length."""
        cells = zip(*rows, strict=True) if rows else [()] * len(header)
        named = [
            each for name, texts in zip(header, cells, strict=True) for each in _unfold(name.strip(), tuple(texts))
        ]
        return cls(tuple(GridColumn(name, n, texts) for n, (name, texts) in enumerate(named)), label)

    def transposed(self) -> Grid:
        """The transposed table; the first column holds the names of the new columns."""
        first, *others = self.columns
        rows = [[column.name, *column.texts] for column in others]
        return Grid.of(["", *first.texts], rows, f"{self.label} transposed".strip())

    @property
    def rows(self) -> int:
        """The number of rows without the header."""
        return len(self.columns[0].texts) if self.columns else 0

    @property
    def cells(self) -> int:
        """The number of cells without the header."""
        return self.rows * len(self.columns)


def _unfold(name: str, texts: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """A column of pairs, such as ``12 (3.4%)`` or ``3/120``, split into two columns; other columns unchanged."""
    pairs = [_PAIR.fullmatch(text.strip()) for text in texts]
    numbers = [m is not None and number_of(m[1]) is not None and number_of(m[2] or m[3]) is not None for m in pairs]
    if not any(numbers) or 2 * sum(numbers) < len(texts):
        return [(name, texts)]
    one = tuple(m[1] if m and right else text for m, right, text in zip(pairs, numbers, texts, strict=True))
    two = tuple(m[2] or m[3] if m and right else "" for m, right in zip(pairs, numbers, strict=True))
    share = any(text.strip().endswith("%") for text in two)
    return [(name, one), (f"{name} share" if share else f"{name} of", two)]


def number_of(text: str) -> float | None:
    """The number in a cell, with thousands separators, units and percent signs ignored; None without a number."""
    match = _NUMBER.fullmatch(text.strip())
    if not match or not (match[2] or (match[3] or "")[1:]):
        return None
    number = float("".join((match[1], match[2].replace(",", "") or "0", match[3] or "", match[4] or "")))
    return number if abs(number) < LARGEST else None


def decimals_of(text: str) -> int:
    """The number of decimals in a cell, without trailing zeros."""
    match = _NUMBER.fullmatch(text.strip())
    places = len((match[3] or ".").rstrip("0")) - 1 if match else 0
    exponent = int(match[4][1:]) if match and match[4] else 0
    return max(0, places - exponent)


def digits_of(text: str) -> int:
    """The number of significant digits in a cell; 0 without a number."""
    match = _NUMBER.fullmatch(text.strip())
    if not match:
        return 0
    whole, part = match[2].replace(",", ""), (match[3] or "")[1:]
    return len((whole + part).lstrip("0").rstrip("0") if part else whole.strip("0"))


def is_hidden(text: str) -> bool:
    """True for an empty cell and for marks that replace a number, such as ``*``, ``<10`` or ``n/a``."""
    return bool(HIDDEN.fullmatch(text.strip()))


def is_total(text: str) -> bool:
    """True for words that label a total, such as ``total`` or ``合计``."""
    return bool(TOTAL.fullmatch(text.strip()))
