"""The column rules of the catalogue as SQL: each rule says how a raw value is changed before it leaves custody.

A column without a rule is dropped; an unknown rule, or one that does not fit the column's type, is :class:`Malformed`.
``month_after`` is the first of a month on or after the day: no record is visible early, and a record of the first of a
month is visible on that day. With observation days on the first of a month, a release by month and one by day
therefore show the same records.
"""

from __future__ import annotations

import re

from credit.catalogue import Table
from credit.errors import Malformed
from credit.fields import Field
from privacy.duckdb_engine import quoted

DROP = "drop"
_FORM = re.compile(r"([a-z_]+)(?:\(([-0-9., ]*)\))?")
_DATES = {
    "month": "CAST(date_trunc('month', {0}) AS DATE)",
    "month_after": "CAST(date_trunc('month', {0} + INTERVAL 1 MONTH - INTERVAL 1 DAY) AS DATE)",
    "year": "CAST(date_trunc('year', {0}) AS DATE)",
}
_YEAR_AFTER = "CAST(date_trunc('year', {0} + INTERVAL 1 YEAR - INTERVAL 1 DAY) AS DATE)"


def value_sql(field: Field, purpose: str, value: str) -> str | None:
    """SQL for ``value`` of ``field`` under the purpose's rule; None when it is dropped.

    For ``subject`` and ``pseudonym`` this is the raw value, to which the release joins the pseudonym. Raises
    :class:`Malformed` for a rule that does not fit the type of the field.
    """
    rule = field.rule(purpose)
    name, numbers = _parse(rule, field)
    match name, field.type:
        case "drop", _:
            return None
        case "keep", _:
            return value
        case (("subject" | "pseudonym" | "show"), "string"):
            return value
        case "show_text", "string":
            return masked_sql(value)
        case (("month" | "month_after" | "year"), "date"):
            return _DATES[name].format(value)
        case "band", ("number" | "integer") if numbers == sorted(set(numbers)) and numbers:
            steps = " ".join(f"WHEN {value} >= {edge!r} THEN {edge!r}" for edge in reversed(numbers))
            return f"CAST(CASE {steps} END AS {_sql_type(field)})"
        case "round", ("number" | "integer") if len(numbers) == 1 and numbers[0] > 0:
            rounded = f"round(round({value} / {numbers[0]!r}) * {numbers[0]!r}, 6)"
            # -0.0 equals 0.0 but has other bytes: equal rows would give releases with different digests.
            return f"CAST(CASE WHEN {rounded} = 0 THEN 0 ELSE {rounded} END AS {_sql_type(field)})"
        case "top", ("number" | "integer") if len(numbers) == 1:
            highest = f"if({value} > {numbers[0]!r}, {numbers[0]!r}, {value})"
            return f"CAST({highest} AS {_sql_type(field)})"
        case "prefix", "string" if len(numbers) == 1 and numbers[0] >= 1:
            return f"substr({value}, 1, {int(numbers[0])})"
        case _:
            raise Malformed("column-rules.rule-not-one-for", rule=rule, column=field.column, type=field.type)


def masked_sql(value: str) -> str:
    """SQL for a free text in which everything with the form of an ID or mobile phone number is replaced by 〔隐去〕."""
    masked = value
    for pattern in (r"[1-9][0-9]{16}[0-9Xx]", r"1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}"):
        masked = f"regexp_replace({masked}, '{pattern}', '〔隐去〕', 'g')"
    return masked


def _parse(rule: str, field: Field) -> tuple[str, list[float]]:
    form = _FORM.fullmatch(rule.strip())
    try:
        numbers = [float(part) for part in (form.group(2) or "").split(",") if part.strip()] if form else []
    except ValueError:
        form = None
    if form is None or (form.group(2) is not None) != (form.group(1) in ("band", "round", "top", "prefix")):
        raise Malformed("column-rules.rule-not-known", rule=rule, column=field.column)
    return form.group(1), numbers


def _sql_type(field: Field) -> str:
    return "BIGINT" if field.type == "integer" else "DOUBLE"


def name_in_release(field: Field, purpose: str) -> str:
    """The name of a column in a release: ``subject`` for the subject's column, unchanged for every other."""
    return "subject" if field.rule(purpose) == "subject" else field.column


def time_columns_sql(table: Table, purpose: str, prefix: str = "") -> tuple[str, str, str] | None:
    """SQL for ``_happened``, ``_known`` and ``_ends`` under the purpose's rules; None for an undated release.

    ``_known`` is never before the day a record happened or reached the platform. Raises :class:`Malformed` when the
    known or end day of a dated table has no rule, or a rule by which a record would appear early, or its end appear
    more than a month late.
    """
    happened = table.time.happened
    if happened is None or happened.rule(purpose) == DROP:
        return None
    day = prefix + quoted(happened.column)
    happened_sql = value_sql(happened, purpose, day)
    known = table.time.known
    if known is None:
        after = {"keep": "{0}", "month": _DATES["month_after"], "month_after": _DATES["month_after"]}
        known_sql = after.get(happened.rule(purpose), _YEAR_AFTER).format(day)
    else:
        known_sql = _later(table, known, purpose, f"greatest({prefix}{quoted(known.column)}, {day})")
    ends = table.time.ends
    ends_sql = "CAST(NULL AS DATE)" if ends is None else _later(table, ends, purpose, prefix + quoted(ends.column))
    return f"CAST({happened_sql} AS DATE)", f"CAST({known_sql} AS DATE)", ends_sql


def _later(table: Table, field: Field, purpose: str, value: str) -> str:
    later = value_sql(field, purpose, value) if field.rule(purpose) in ("keep", "month_after") else None
    if later is None:
        raise Malformed(
            "column-rules.rule-for-must-be-keep", table_name=table.name, column=field.column, purpose=purpose
        )
    return later
