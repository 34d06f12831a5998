"""What a column of a table is (列的角色): a key, a count of subjects, a share, an amount, an extreme."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum
from itertools import pairwise

from lab.airlock.files.grid import Grid, GridColumn, is_total


class ColumnRole(StrEnum):
    """What a column is in a summary."""

    KEY = "key"  # what the rows are of
    COUNT = "count"  # counts subjects, by its name or as declared
    POSSIBLE_COUNT = "whole"  # whole numbers under another name: may count
    SHARE = "share"
    EXTREME = "extreme"  # one subject's value: the largest, the smallest
    TOP_SHARE = "top"  # the share of the largest
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
_PATTERNS = (  # the first that fits the name decides
    (ColumnRole.TOP_SHARE, _TOP),
    (ColumnRole.SHARE, _SHARE),
    (ColumnRole.EXTREME, _EXTREME),
    (ColumnRole.COUNT, _COUNT),
    (ColumnRole.AMOUNT, _AMOUNT),
    (ColumnRole.KEY, _KEY),
)
_COMPILED_PATTERNS = tuple((role, re.compile(pattern, re.I)) for role, pattern in _PATTERNS)
_BARE_TOTAL = re.compile(r"(row_|grand_)?(total|sum)|合计|总计", re.I)
TOTAL_NAME = re.compile(r"(.*_)?(total|sum|all|overall|grand_total)(_.*)?|合计|总计|总数|全部|小计|.*总额", re.I)


def role_of(column: GridColumn, declared: Collection[str] = ()) -> ColumnRole:
    """What a column is; ``declared`` names columns that the context says count subjects."""
    if not column.numeric:
        return ColumnRole.KEY
    name = re.sub(r"[\s.-]+", "_", column.name.strip())
    if column.name in declared:
        return ColumnRole.COUNT
    role = next((role for role, pattern in _COMPILED_PATTERNS if pattern.fullmatch(name)), None)
    if role is ColumnRole.AMOUNT and _BARE_TOTAL.fullmatch(name) and column.whole:
        return ColumnRole.POSSIBLE_COUNT  # a total of counts or of amounts: its neighbours tell
    if role is ColumnRole.KEY and column.whole:
        return (
            ColumnRole.KEY if _has_regular_steps(column) else ColumnRole.POSSIBLE_COUNT
        )  # a name alone does not make counts a key
    if role is None or role is ColumnRole.KEY:
        if column.percent:
            return ColumnRole.SHARE
        if column.whole:
            return ColumnRole.KEY if _is_row_index(column) else ColumnRole.POSSIBLE_COUNT
        return ColumnRole.NUMBER
    return role


def names_a_count(name: str) -> bool:
    """True for a name that says it counts subjects."""
    normalized = re.sub(r"[\s.-]+", "_", name.strip())
    return (
        bool(normalized)
        and next((role for role, pattern in _COMPILED_PATTERNS if pattern.fullmatch(normalized)), None)
        is ColumnRole.COUNT
    )


def roles_of(grid: Grid, declared: Collection[str] = ()) -> dict[int, ColumnRole]:
    """The part of each column, by its number."""
    return {column.number: role_of(column, declared) for column in grid.columns}


def total_rows(grid: Grid, roles: dict[int, ColumnRole]) -> frozenset[int]:
    """The rows that are totals: a key of theirs says so."""
    keys = [column for column in grid.columns if roles[column.number] is ColumnRole.KEY and not column.numeric]
    return frozenset(row for row in range(grid.rows) if any(is_total(column.texts[row]) for column in keys))


def _is_row_index(column: GridColumn) -> bool:
    """True for 0, 1, 2 … or 1, 2, 3 … from top to bottom, and for years in a row."""
    numbers = [n for n in column.numbers if n is not None]
    steps = {b - a for a, b in pairwise(numbers)}
    starts = bool(numbers) and (numbers[0] in (0, 1) or 1980 <= numbers[0] <= numbers[-1] <= 2100)
    return len(numbers) > 2 and len(numbers) == len(column.numbers) and steps == {1} and starts


def _has_regular_steps(column: GridColumn) -> bool:
    """True when the values that occur are steps of one size, as years, deciles and bands are; one value is a step."""
    values = sorted({n for n in column.numbers if n is not None})
    steps = {b - a for a, b in pairwise(values)}
    return len(steps) <= 1 and steps <= {1, 2, 5, 10, 12, 20, 25, 50, 100, 1000}
