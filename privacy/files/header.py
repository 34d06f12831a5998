"""Find the header of a file: below title lines, over one or two rows, under official codes or titles.

``known`` are the names that a header may have, in their :func:`comparable` form; a file for which none are known has
its header in its first row.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from credit.messages import Text
from privacy.files.block import BLANK, SECOND_HEADER, TITLE

ROWS = 30  # within which a header is looked for
_LEAST = 2  # known names that make a row a header
_OUT = re.compile(r"[\s*:：'\"‘’“”`]|[\u200b-\u200f\u2060\ufeff]")
UNNAMED = "column {}"
_VALUE = re.compile(r"\d{6}")  # what no name of a column has
_CELLS = 3  # with a value: from as many on a line with a value in it is no title
HOLDS_DATA = Text.of("intake.reason.header-holds-data")


def comparable(name: str) -> str:
    """A name of a column without what differs between files: width, case, blanks, quotation marks, asterisks."""
    text = unicodedata.normalize("NFKC", name)
    return _OUT.sub("", text).casefold()


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns, the number of records up to the first row, and what stood among them that is no row.

    ``unnamed`` are the names given to columns without one, ``is_known`` is True when known names were recognised.
    ``data`` are the numbers of the records up to the header that hold what a row has: a damaged header may have
    swallowed one, or rows stand above it. They are rows that cannot be read, not titles.
    """

    names: list[str]
    records: int
    others: dict[str, int]
    unnamed: frozenset[str]
    is_known: bool
    data: tuple[int, ...] = ()

    @property
    def named(self) -> int:
        """The number of columns up to the last one that has a name in the file."""
        return max((at + 1 for at, name in enumerate(self.names) if name not in self.unnamed), default=0)


def score(records: Sequence[Sequence[str]], known: Collection[str]) -> int:
    """How many known names the best header among these records has."""
    return max((number for _, _, number in _candidates(records, known)), default=0)


def find(records: Sequence[Sequence[str]], known: Collection[str], damaged: Collection[int] = ()) -> Header | None:
    """The header among the first records of a file, or None when none of them has a cell with a value.

    ``damaged`` are the numbers of records that could not be read and may hold a row: none of them is a title.
    """
    candidates = _candidates(records, known)
    if not candidates:
        return None
    best = max(candidates, key=lambda candidate: candidate[2])
    first_filled = next(at for at, record in enumerate(records) if any(cell.strip() for cell in record))
    at, names, number = best
    is_known = number >= _LEAST or (number == 1 and sum(bool(name) for name in names) == 1)
    if not is_known:
        at, names = first_filled, [_shown(cell) for cell in records[first_filled]]
    others: dict[str, int] = {}
    data = [number for number, record in enumerate(records[: at + 1]) if number in damaged or holds_data(record)]
    for number, record in enumerate(records[:at]):
        if number in data:
            continue
        kind = TITLE if any(cell.strip() for cell in record) else BLANK
        others[kind] = others.get(kind, 0) + 1
    end = at + 1
    while is_known and end < len(records) and _is_header_too(records[end], names, known):
        others[SECOND_HEADER] = others.get(SECOND_HEADER, 0) + 1
        end += 1
    whole, unnamed = _distinct(names)
    return Header(whole, end, others, frozenset(unnamed), is_known, tuple(data))


def _candidates(records: Sequence[Sequence[str]], known: Collection[str]) -> list[tuple[int, list[str], int]]:
    """(row, names, known names) of each row that may be the header: as it is, with the cells of the row above for its
    empty ones (a merged cell has its text in its first row), or with the row below."""
    candidates: list[tuple[int, list[str], int]] = []
    for at, record in enumerate(records[:ROWS]):
        names = [_shown(cell) for cell in record]
        if any(names):
            candidates.append((at, names, _number(names, known)))
            above = [_shown(cell) for cell in records[at - 1]] if at else []
            if any(above):
                both = _combined(above, names, known)
                candidates.append((at, both, _number(both, known)))
    return candidates


def _combined(above: list[str], below: list[str], known: Collection[str]) -> list[str]:
    width = max(len(above), len(below))
    pairs = zip(above + [""] * (width - len(above)), below + [""] * (width - len(below)), strict=True)
    return [low if comparable(low) in known or comparable(high) not in known else high for high, low in pairs]


def _number(names: Sequence[str], known: Collection[str]) -> int:
    return len({comparable(name) for name in names if name} & set(known))


def _is_header_too(record: Sequence[str], names: Sequence[str], known: Collection[str]) -> bool:
    """Whether a row below the header names the columns once more: in words, or by their codes."""
    if holds_data(record):
        return False
    cells = [comparable(cell) for cell in record if cell.strip()]
    again = len(set(cells) & (set(known) | {comparable(name) for name in names}))
    return again >= _LEAST and again * 2 >= len(cells)


def holds_data(record: Sequence[str]) -> bool:
    """Whether a record has the cells and a value of a row, which neither a title nor a header has."""
    filled = [cell for cell in record if cell.strip()]
    return len(filled) >= _CELLS and any(_VALUE.search(cell) for cell in filled)


def name_for_report(column: str) -> str:
    """The name of a column for reports and ledgers: a header may be a row of data, with names and numbers.

    A name is shown that is a field code of the national standards (Latin letters, digits, underscores; at most 40
    characters, no six digits in a row). Of another the report says that it is not shown; the file has it.
    """
    is_code = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", column) is not None
    return column if is_code and not re.search(r"\d{6}", column) else "a name that is not shown"


def _shown(cell: str) -> str:
    return " ".join(cell.replace("\ufeff", "").split())


def _distinct(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names, with one of its own for a column without a name and for one whose name stands twice."""
    whole: list[str] = []
    unnamed: list[str] = []
    for number, name in enumerate(names, 1):
        given = name or UNNAMED.format(number)
        while given in whole:
            given = f"{given} ({number})"
        whole.append(given)
        if not name:
            unnamed.append(given)
    return whole, unnamed
