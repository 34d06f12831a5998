"""Counts of subjects that cells write in words (单元格中的文字计数): “three firms” is as small a cell as 3.

A cell or a name of a column that counts subjects is read as a sentence is. A column of number words is a column of
counts where its name or the context says so; under another name it may be one, unless it only numbers its rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from credit.messages import Text
from lab.airlock.checks.column_roles import names_a_count
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.grid import GridColumn, is_hidden
from lab.airlock.issue import Check, Issue, fail, places, review
from lab.airlock.kinds.texts.counts_in_words import counts_in, number_in_words
from lab.airlock.thresholds import Thresholds

_UNIT = re.compile(r"(?i)^n ?= ?|(?:[户家个人笔条件次]|\s(?:firms?|subjects?))$")


def counts_in_cells(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """No cell and no name of a column counts 1 to ``count_at_least - 1`` subjects in words."""
    least = t["count_at_least"]
    sure: list[tuple[int, str]] = []
    possible: list[tuple[int, str]] = []
    for column in case.grid.columns:
        for _, number, known in counts_in(column.name):
            if 1 < number < least:
                (sure if known else possible).append((0, column.display_name))
        if column.numeric:
            continue
        for row, text in enumerate(column.texts):
            for _, number, known in counts_in(text):
                if 0 < number < least:
                    (sure if known and number > 1 else possible).append((row, column.display_name))
        numbers = _number_words(column)
        counts = column.name in case.about.counts or names_a_count(column.name)
        if counts or not _numbers_rows(numbers):
            small = [(row, column.display_name) for row, n in enumerate(numbers) if n is not None and 0 < n < least]
            (sure if counts else possible).extend(each for each in small if each not in sure)
    fix = Text.of("airlock.small-cells-fix", least=least)
    if sure:
        yield fail(Text.of("airlock.small-cells", least=least), fix, **places(sure))
    if possible:
        why = Text.of("airlock.possible-small-cells", least=least)
        yield review(why, Text.of("airlock.possible-small-cells-fix", fix=fix), **places(possible))


def _number_words(column: GridColumn) -> list[int | None]:
    """The number that each cell writes in words; empty for a column of which most cells write none."""
    numbers = [number_in_words(_UNIT.sub("", text.strip())) for text in column.texts]
    shown = sum(not is_hidden(text) for text in column.texts)
    return numbers if 2 * sum(n is not None for n in numbers) >= max(shown, 1) else []


def _numbers_rows(numbers: list[int | None]) -> bool:
    """True for one, two, three … from top to bottom, and for a few such labels over and over."""
    values = sorted({n for n in numbers if n is not None})
    return values in (list(range(1, len(values) + 1)), list(range(len(values))))


CHECKS: tuple[Check[TableCase], ...] = (("counts in words", counts_in_cells),)
