"""The order of rows (行序): what it could carry, and the one order in which a table leaves whose own could carry much.

Rows in the order of a column, of its labels one group after the other, or with few exceptions, say nothing by it. Rows
in any order carry log2(n!) bits that no reader sees: 19,000 for 2,000 rows. Such a table is put in order by us.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from math import lgamma, log, log2

from lab.airlock.grid import TOTAL, number_of

KNOWN_ORDERS = 2.0  # bits: by value or by letters, up or down
Row = tuple[str, ...]
_DIGITS = re.compile(r"(\d+)")


def rows_in_order(rows: Sequence[Row], bits_at_most: float) -> list[int]:
    """The places of rows in the order in which they leave: their own unless it could carry more bits than that.

    A table of one column of numbers keeps its order, since that is what it shows.
    """
    own = list(range(len(rows)))
    if not rows or (len(rows[0]) == 1 and _numeric([row[0] for row in rows])) or order_bits(rows) <= bits_at_most:
        return own
    return sorted(own, key=lambda place: (_is_total(rows[place]), *map(_natural, rows[place]), place))


def order_bits(rows: Sequence[Row]) -> float:
    """How many bits the order of rows could carry at most, by the shortest description of it that we try."""
    kept = [row for row in rows if not _is_total(row)]
    columns = list(zip(*kept, strict=True))
    return min((_bits_by(keys, len(kept)) for keys in _keys(columns)), default=0.0)


def _keys(columns: Sequence[Row]) -> Iterator[list[Row]]:
    """Columns by which rows may be in order: those of labels from the left, or any one before these."""
    labels = [column for column in columns if not _numeric(column)]
    yield labels or list(columns[:1])
    for column in columns:
        yield [column, *(each for each in labels if each is not column)]


def _bits_by(keys: list[Row], rows: int) -> float:
    """The bits of an order by these columns: of each one's values, of rows out of order, and of rows alike in them."""
    in_order: list[tuple[int, ...]] = [()] * rows
    bits = 0.0
    for column in keys:
        if len(set(in_order)) == rows:
            break  # what follows decides nothing
        values = list(dict.fromkeys(column))
        bits += _value_bits(values)
        places = {value: place for place, value in enumerate(values)}
        in_order = [(*rank, places[value]) for rank, value in zip(in_order, column, strict=True)]
    alike = sum(_factorial_bits(count) for count in Counter(in_order).values())
    return min(bits + alike + _moved(in_order) * 2 * log2(rows + 1), _factorial_bits(rows))


def _value_bits(given: list[str]) -> float:
    """The bits of the order in which the values of a column come, beside the orders that are known."""
    bits = _factorial_bits(len(given))
    for known in (sorted(given, key=_natural), sorted(given)):
        places = {value: place for place, value in enumerate(known)}
        ranks = [(places[value],) for value in given]
        moved = min(_moved(ranks), _moved(ranks[::-1]))
        bits = min(bits, KNOWN_ORDERS + moved * 2 * log2(len(given) + 1))
    return bits


def _moved(ranks: Sequence[tuple[int, ...]]) -> int:
    """How many places must be moved for the rest to be in order: all but the longest run that never falls."""
    ends: list[tuple[int, ...]] = []
    for rank in ranks:
        at = bisect_right(ends, rank)
        ends[at : at + 1] = [rank]
    return len(ranks) - len(ends)


def _factorial_bits(count: int) -> float:
    return lgamma(count + 1) / log(2)


def _numeric(column: Sequence[str]) -> bool:
    return 2 * sum(number_of(text) is not None for text in column) >= len(column)


def _natural(text: str) -> tuple[int, float, list[tuple[int, int, str]], str]:
    """A text's place: numbers by value before labels, and numbers within labels by value."""
    number = number_of(text)
    parts = [(0, int(each), "") if each.isdigit() else (1, 0, each) for each in _DIGITS.split(text.casefold()) if each]
    return (1, 0.0, parts, text) if number is None else (0, number, parts, text)


def _is_total(row: Row) -> bool:
    return any(TOTAL.fullmatch(cell.strip()) for cell in row)
