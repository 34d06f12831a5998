"""The role of each column of a table (列的角色): key, count of subjects, share, amount, extreme value.

The rules of disclosure control differ by role. A role is derived from the column's name and its values, since a file
does not declare it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum
from itertools import pairwise

from lab.airlock.grid import Grid, GridColumn, is_total


class ColumnRole(StrEnum):
    """The role of a column in a summary table."""

    KEY = "key"  # names the group of a row
    COUNT = "count"  # counts subjects, by its name or by declaration
    POSSIBLE_COUNT = "whole"  # whole numbers under another name, which may be counts
    SHARE = "share"
    EXTREME = "extreme"  # the value of one subject: a maximum or minimum
    TOP_SHARE = "top"  # the share of the largest contributors
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
_PATTERNS = (  # the first pattern that matches the name decides
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
    """The role of a column; ``declared`` names columns that the context declares to be counts of subjects."""
    if not column.numeric:
        return ColumnRole.KEY
    name = re.sub(r"[\s.-]+", "_", column.name.strip())
    if column.name in declared:
        return ColumnRole.COUNT
    role = next((role for role, pattern in _COMPILED_PATTERNS if pattern.fullmatch(name)), None)
    if role is ColumnRole.AMOUNT and _BARE_TOTAL.fullmatch(name) and column.whole:
        return ColumnRole.POSSIBLE_COUNT  # a total of counts or of amounts; the name alone does not decide
    if role is ColumnRole.KEY and column.whole:
        # The name alone does not make a column of counts a key.
        return ColumnRole.KEY if _has_regular_steps(column) else ColumnRole.POSSIBLE_COUNT
    if role is None or role is ColumnRole.KEY:
        if column.percent:
            return ColumnRole.SHARE
        if column.whole:
            return ColumnRole.KEY if _is_row_index(column) else ColumnRole.POSSIBLE_COUNT
        return ColumnRole.NUMBER
    return role


def names_a_count(name: str) -> bool:
    """True for a column or row name that means a count of subjects."""
    normalized = re.sub(r"[\s.-]+", "_", name.strip())
    return (
        bool(normalized)
        and next((role for role, pattern in _COMPILED_PATTERNS if pattern.fullmatch(normalized)), None)
        is ColumnRole.COUNT
    )


def roles_of(grid: Grid, declared: Collection[str] = ()) -> dict[int, ColumnRole]:
    """The role of each column, by its number."""
    return {column.number: role_of(column, declared) for column in grid.columns}


def total_rows(grid: Grid, roles: dict[int, ColumnRole]) -> frozenset[int]:
    """The numbers of the rows that are totals, as one of their keys states."""
    keys = [column for column in grid.columns if roles[column.number] is ColumnRole.KEY and not column.numeric]
    return frozenset(row for row in range(grid.rows) if any(is_total(column.texts[row]) for column in keys))


def _is_row_index(column: GridColumn) -> bool:
    """True for 0, 1, 2 … or 1, 2, 3 … from top to bottom, and for consecutive years."""
    numbers = [n for n in column.numbers if n is not None]
    steps = {b - a for a, b in pairwise(numbers)}
    starts = bool(numbers) and (numbers[0] in (0, 1) or 1980 <= numbers[0] <= numbers[-1] <= 2100)
    return len(numbers) > 2 and len(numbers) == len(column.numbers) and steps == {1} and starts


def _has_regular_steps(column: GridColumn) -> bool:
    """True when the distinct values have one regular step, as years, deciles and bands have, or for one value."""
    values = sorted({n for n in column.numbers if n is not None})
    steps = {b - a for a, b in pairwise(values)}
    return len(steps) <= 1 and steps <= {1, 2, 5, 10, 12, 20, 25, 50, 100, 1000}
