"""What a column of a table is (列的角色): a key, a count of subjects, a share, an amount, an extreme."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum
from itertools import pairwise

from lab.airlock.files.grid import Column, Grid, is_total


class Part(StrEnum):
    """What a column is in a summary."""

    KEY = "key"  # what the rows are of
    COUNT = "count"  # counts subjects, by its name or as declared
    WHOLE = "whole"  # whole numbers under another name: may count
    SHARE = "share"
    EXTREME = "extreme"  # one subject's value: the largest, the smallest
    TOP = "top"  # the share of the largest
    AMOUNT = "amount"  # a sum over subjects
    NUMBER = "number"  # any other statistic


_TOP = r"top_?\d*_?(share|pct|ratio)|largest_share|max_share|concentration|.*(最大|前[一1三3五5十])\S*(占比|比例|份额)"
_SHARE = r".*(%|share|pct|percent|proportion|prevalence|rate|ratio|占比|比例|比率|率|份额|百分比)(_.*)?"
_EXTREME = (
    r"(.*_)?(max|maximum|min|minimum|largest|smallest|top_?[12]|first|second)(_.*)?"
    r"|.*(最大|最小|最高|最低|第[一二]大).*"
)
_COUNT = (
    r"[nk#]|nobs|size|数|(n|num|count|number)_.*"
    r"|(.*_)?(n|counts?|cnt|num|freq|frequency|obs|observations|subjects|firms|companies|enterprises|businesses)(_.*)?"
    r"|(.*_)?(support|samples?|cases|positives|negatives|population|defaulted)(_.*)?"
    r"|.*(户数|家数|个数|人数|数量|计数|频数|笔数|样本|主体数|企业数|条数|件数|次数)"
)
_AMOUNT = (
    r"(.*_)?(sum|total|amount|turnover|revenue|balance|value|tax|sales)(_.*)?"
    r"|.*(金额|总额|合计|余额|收入|销售额|税额|总和|总计)"
)
_KEY = (
    r"|unnamed.*|(.*_)?(year|month|quarter|day|date|week|period|decile|quantile|percentile|bin|bucket|band|group)(_.*)?"
    r"|(.*_)?(age|rank|order|index|row|id|no|step|round|tree|fold|seed|iteration|level|grade|score|threshold|lag)"
    r"|.*(年|月|季|季度|日期|年份|月份|分位|分组|分箱|等级|序号|排名|期限|档|期|评分|折)"
)
_PARTS = (  # the first that fits the name decides
    (Part.TOP, _TOP),
    (Part.SHARE, _SHARE),
    (Part.EXTREME, _EXTREME),
    (Part.COUNT, _COUNT),
    (Part.AMOUNT, _AMOUNT),
    (Part.KEY, _KEY),
)
_COMPILED = tuple((part, re.compile(pattern, re.I)) for part, pattern in _PARTS)
_BARE_TOTAL = re.compile(r"(row_|grand_)?(total|sum)|合计|总计", re.I)
ADDS_UP = re.compile(r"(.*_)?(total|sum|all|overall|grand_total)(_.*)?|合计|总计|总数|全部|小计|.*总额", re.I)


def part_of(column: Column, declared: Collection[str] = ()) -> Part:
    """What a column is; ``declared`` names columns that the context says count subjects."""
    if not column.numeric:
        return Part.KEY
    name = re.sub(r"[\s.-]+", "_", column.name.strip())
    if column.name in declared:
        return Part.COUNT
    part = next((part for part, pattern in _COMPILED if pattern.fullmatch(name)), None)
    if part is Part.AMOUNT and _BARE_TOTAL.fullmatch(name) and column.whole:
        return Part.WHOLE  # a total of counts or of amounts: its neighbours tell
    if part is Part.KEY and column.whole:
        return Part.KEY if _steps(column) else Part.WHOLE  # a name alone does not make counts a key
    if part is None or part is Part.KEY:
        if column.percent:
            return Part.SHARE
        if column.whole:
            return Part.KEY if _indexes(column) else Part.WHOLE
        return Part.NUMBER
    return part


def is_count(name: str) -> bool:
    """True for a name that says it counts subjects."""
    plain = re.sub(r"[\s.-]+", "_", name.strip())
    return bool(plain) and next((part for part, pattern in _COMPILED if pattern.fullmatch(plain)), None) is Part.COUNT


def parts_of(grid: Grid, declared: Collection[str] = ()) -> dict[int, Part]:
    """The part of each column, by its number."""
    return {column.number: part_of(column, declared) for column in grid.columns}


def total_rows(grid: Grid, parts: dict[int, Part]) -> frozenset[int]:
    """The rows that are totals: a key of theirs says so."""
    keys = [column for column in grid.columns if parts[column.number] is Part.KEY and not column.numeric]
    return frozenset(row for row in range(grid.rows) if any(is_total(column.texts[row]) for column in keys))


def _indexes(column: Column) -> bool:
    """True for 0, 1, 2 … or 1, 2, 3 … from top to bottom, and for years in a row."""
    numbers = [n for n in column.numbers if n is not None]
    steps = {b - a for a, b in pairwise(numbers)}
    starts = bool(numbers) and (numbers[0] in (0, 1) or 1980 <= numbers[0] <= numbers[-1] <= 2100)
    return len(numbers) > 2 and len(numbers) == len(column.numbers) and steps == {1} and starts


def _steps(column: Column) -> bool:
    """True when the values that occur are steps of one size, as years, deciles and bands are; one value is a step."""
    values = sorted({n for n in column.numbers if n is not None})
    steps = {b - a for a, b in pairwise(values)}
    return len(steps) <= 1 and steps <= {1, 2, 5, 10, 12, 20, 25, 50, 100, 1000}
