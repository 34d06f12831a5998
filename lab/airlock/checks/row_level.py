"""Row-level data (个体数据): a table has no row per subject, no column of codes, and no more rows than a summary."""

from __future__ import annotations

import re
from collections.abc import Iterator

from credit.messages import Text
from lab.airlock.checks.column_roles import ColumnRole
from lab.airlock.checks.hidden_identifiers import hidden_identifiers, pseudonyms
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.grid import GridColumn, digits_of
from lab.airlock.issue import Check, Issue, fail, places, review
from lab.airlock.thresholds import Thresholds

_CODE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+/=_-]{8,}|[0-9a-fA-F]{8,}|\d{6,}")
_FIX = Text.of("airlock.row-level-fix")
_FORMULA = re.compile(r"\s*([=@\t\r]|[+-](?![\d.]))\S")


def named_subjects(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """No cell or column name contains a pseudonym, a social credit code (GB 32100), an ID number or a phone number."""
    whole = 0
    for column in case.grid.columns:
        texts = (column.name, *column.texts)
        keys = sum(next(pseudonyms(text), None) is not None for text in texts)
        whole += keys
        if keys:
            why = Text.of("airlock.pseudonyms-in-column", column=column.display_name)
            yield fail(why, _FIX, column=column.display_name, how_many=keys)
        identified = hidden_identifiers(texts)
        if identified:
            why = Text.of("airlock.identifiers-in-column", column=column.display_name)
            yield fail(
                why,
                Text.of("airlock.leave-column-out"),
                column=column.display_name,
                **identified,
            )
    rows = [" ".join(texts) for texts in zip(*(column.texts for column in case.grid.columns), strict=True)]
    in_parts = sum(next(pseudonyms(row), None) is not None for row in rows)
    if in_parts and not whole:
        yield fail(Text.of("airlock.pseudonyms"), _FIX, how_many=in_parts)


def keyed_rows(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """No column identifies subjects by a different code in every row."""
    for column in case.grid.columns:
        texts = [text.strip() for text in column.texts if text.strip()]
        codes = {text for text in texts if _CODE.fullmatch(text)}
        if len(codes) < t["unique_key_rows"] or len(codes) < 0.9 * len(texts):
            continue
        if (
            case.roles[column.number] in (ColumnRole.COUNT, ColumnRole.POSSIBLE_COUNT)
            and len({len(text) for text in codes}) > 1
        ):
            continue  # codes have one length, large counts differ in length
        make_issue = review if case.roles[column.number] is ColumnRole.COUNT else fail
        why = Text.of("airlock.key-column", column=column.display_name)
        yield make_issue(why, _FIX, column=column.display_name, rows=len(texts))


def summary_rows(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """A summary has few rows, a count in each row, and far fewer rows than subjects (汇总而非明细)."""
    grid, subjects = case.grid, case.about.subjects
    if grid.rows > t["rows_at_most"] or grid.cells > t["cells_at_most"]:
        yield fail(
            Text.of("airlock.too-many-cells", rows=grid.rows, cells=grid.cells), _FIX, rows=grid.rows, cells=grid.cells
        )
    elif len(grid.columns) > t["columns_at_most"]:
        yield fail(Text.of("airlock.too-many-columns", columns=len(grid.columns)), _FIX, columns=len(grid.columns))
    elif grid.rows >= t["rows_review_from"]:
        yield review(Text.of("airlock.many-rows", rows=grid.rows), Text.of("airlock.only-needed"), rows=grid.rows)
    if 0 < subjects < t["count_at_least"]:
        yield fail(
            Text.of("airlock.few-subjects", subjects=subjects), Text.of("airlock.larger-population"), subjects=subjects
        )
    if subjects and grid.rows >= t["unique_key_rows"] and grid.rows >= t["rows_per_subject_at_most"] * subjects:
        yield fail(
            Text.of("airlock.no-summary", rows=grid.rows, subjects=subjects), _FIX, rows=grid.rows, subjects=subjects
        )
    if not subjects:
        yield review(Text.of("airlock.subjects-not-said"), Text.of("airlock.say-subjects"))
    if case.columns_of(ColumnRole.COUNT):
        return
    distinct = len(set(zip(*(column.texts for column in grid.columns), strict=True)))
    if grid.rows > t["rows_without_counts_at_most"] and distinct >= 0.9 * grid.rows:
        yield fail(Text.of("airlock.all-different", rows=grid.rows), _FIX, rows=grid.rows)
    elif grid.rows > t["rows_without_counts_review_from"]:
        why = Text.of("airlock.no-count", rows=grid.rows)
        yield review(why, Text.of("airlock.add-n"), rows=grid.rows)


def counts_add_up(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """The counts are plausible for the stated subjects: not the same in every row, and not more than there are."""
    grid, subjects = case.grid, case.about.subjects
    for column in case.columns_of(ColumnRole.COUNT):
        numbers = [n for row, n in enumerate(column.numbers) if n is not None and row not in case.totals]
        if len(numbers) >= t["unique_key_rows"] and len(set(numbers)) == 1:
            why = Text.of("airlock.same-in-every-row", column=column.display_name)
            yield review(why, Text.of("airlock.say-how-counted"), column=column.display_name)
    if (
        case.columns_of(ColumnRole.COUNT)
        and subjects
        and grid.rows * t["count_at_least"] > max(subjects, t["count_at_least"] * 20)
    ):
        why = Text.of("airlock.more-rows-than-fit", rows=grid.rows, subjects=subjects, least=t["count_at_least"])
        yield review(why, Text.of("airlock.fewer-groups"), rows=grid.rows)


def long_cells(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """A cell holds a word or a number, not a text or a list."""
    maximum = t["cell_length_at_most"]
    long = [
        (row, column.display_name)
        for column in case.grid.columns
        for row, text in enumerate(column.texts)
        if len(text) > maximum
    ]
    if long or any(len(column.name) > maximum for column in case.grid.columns):
        yield fail(Text.of("airlock.long-cells", limit=maximum), Text.of("airlock.long-cells-fix"), **places(long))


def precision(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """Numbers have no more digits than a reader needs; long numbers may be one subject's value or hide a message."""
    maximum, digits = t["decimals_at_most"], t["digits_at_most"]
    long = [column.display_name for column in case.grid.columns if column.numeric and column.decimals > maximum]
    if long:
        yield fail(
            Text.of("airlock.decimals", limit=maximum),
            Text.of("airlock.decimals-fix", limit=maximum),
            columns=long[:10],
            how_many=len(long),
        )
    wide = [
        (row, column.display_name)
        for column in case.grid.columns
        if column.numeric and not column.decimals > maximum
        for row, text in enumerate(column.texts)
        if digits_of(text) > digits
    ]
    if wide:
        yield fail(Text.of("airlock.digits", limit=digits), Text.of("airlock.digits-fix"), **places(wide))


def formulas(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """No cell is a formula, since a spreadsheet would execute it when the parcel is opened (CSV injection, OWASP)."""
    cells = [(row, column.display_name) for column in case.grid.columns for row in _formulas(column)]
    if cells:
        yield fail(Text.of("airlock.formulas"), Text.of("airlock.formulas-fix"), **places(cells))


def _formulas(column: GridColumn) -> Iterator[int]:
    return (row for row, text in enumerate(column.texts) if _FORMULA.match(text) and text.strip(" -–—"))


CHECKS: tuple[Check[TableCase], ...] = (
    ("named subjects", named_subjects),
    ("keys of subjects", keyed_rows),
    ("row-level data", summary_rows),
    ("counts that add up", counts_add_up),
    ("long cells", long_cells),
    ("precision", precision),
    ("formulas", formulas),
)
