"""The types and constraints of the catalogue as one generated SQL query: text in, typed columns and a reason out.

``_why`` is NULL for a good row, else the first fault of the row, without the value: reasons are counted and shown, the
value stays in the quarantine table.
"""

from __future__ import annotations

from datetime import date

from credit.catalogue import Table
from credit.fields import Field
from privacy.duckdb_engine import quoted, text, texts
from privacy.intake import uscc_sql

FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y%m%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S",
    "%Y年%m月%d日",
)
SQL_TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "date": "DATE", "boolean": "BOOLEAN"}
TRUE, FALSE = ("true", "1", "是", "有", "Y", "yes"), ("false", "0", "否", "无", "N", "no")
UNITS = ("元", "万元", "亿元", "千元", "人", "天", "%")
_REGISTERED = "LEFT JOIN (SELECT code AS _registered, registered_on FROM register) r"
_BLANKS = text(" \t\r\n　\xa0")


def typed_rows_sql(table: Table, source: str, *, today: date, more: tuple[tuple[str, str], ...] = ()) -> str:
    """SQL over the relation ``source``: the typed columns and ``_why``.

    ``source`` has the table's columns as text, ``_line``, and for columns that the catalogue does not have ``_unknown``
    (their names) and ``_unknown_values``. The query needs the relation ``register(code, registered_on)``. ``more`` are
    additional checks, (reason, SQL that is true for a bad row).
    """
    cleaned = ", ".join(f"nullif(trim({quoted(f.column)}, {_BLANKS}), '') AS {quoted(f.column)}" for f in table.fields)
    values = ", ".join(
        f"{quoted(f.column)} AS {_text_of(f)}, {_value(f, code=f is table.subject and not table.surrogate)} "
        f"AS {quoted(f.column)}"
        for f in table.fields
    )
    code = quoted(table.subject.column)
    faults = [("'it has a value in a column that the catalogue does not know: ' || _unknown", "_unknown IS NOT NULL")]
    for field in table.fields:
        faults += _faults(field, dated=field in (table.time.happened, table.time.known), today=today)
    if not table.surrogate:
        kinds = " and ".join(kind.replace("_", " ") for kind in table.subjects)
        faults.append(("_fault", "_fault IS NOT NULL"))
        faults.append((text(f"the kind of subject does not fit: {table.name} is of {kinds}"), "_misfit"))
    itself = any(field.column == "registered_on" for field in table.fields)
    registered = "" if itself else f"{_REGISTERED} ON _registered = v.{code}"
    written = [
        (check.reason, check.bad.replace("r.registered_on", "registered_on") if itself else check.bad)
        for check in table.checks
    ]
    faults += [(text(reason), f"({bad})") for reason, bad in (*written, *more)]
    why = "\n    ".join(f"WHEN {bad} THEN {reason}" for reason, bad in faults)
    return f"""
WITH cleaned AS (SELECT _line, _unknown, _unknown_values, {cleaned} FROM {source}),
valued AS (SELECT _line, _unknown, _unknown_values, {values} FROM cleaned),
codes AS (
    SELECT DISTINCT {code} AS _code, {uscc_sql.fault(code)} AS _fault,
        NOT {uscc_sql.of_kinds(code, table.subjects)} AS _misfit FROM valued
)
SELECT v.*, CASE {why} END AS _why
FROM valued v LEFT JOIN codes ON _code = v.{code}
{registered}"""


def columns(table: Table) -> str:
    """The typed columns of a raw table, as SQL."""
    return ", ".join(quoted(field.column) for field in table.fields)


def original_row_sql(table: Table) -> str:
    """SQL for the original row as JSON text."""
    pairs = ", ".join(f"{text(field.name)}, {_text_of(field)}" for field in table.fields)
    return f"CAST(json_object({pairs}) AS VARCHAR)"


def _text_of(field: Field) -> str:
    return quoted(f"_text_{field.column}")


def _value(field: Field, *, code: bool) -> str:
    original = quoted(field.column)
    match field.type:
        case "integer":
            whole = f"regexp_extract({original}, '^([+-]?[0-9]+)(\\.0+)?{_unit(field)}$', 1)"
            value = f"try_cast(nullif({whole}, '') AS BIGINT)"
            return value if field.scale == 1 else f"CAST({value} * {field.scale} AS BIGINT)"
        case "number":
            number = "[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]{1,2})?"
            value = f"try_cast(nullif(regexp_extract({original}, '^({number}){_unit(field)}$', 1), '') AS DOUBLE)"
            value = value if field.scale == 1 else f"{value} * {field.scale}"
            return f"if({value} = 0, 0, {value})"  # never -0.0
        case "date":
            return f"CAST(try_strptime({original}, [{texts((*field.formats, *FORMATS))}]) AS DATE)"
        case "boolean":
            yes, no = ((field.enum[:1], field.enum[1:2])) if field.enum else (TRUE, FALSE)
            return f"CASE WHEN {original} IN ({texts(yes)}) THEN true WHEN {original} IN ({texts(no)}) THEN false END"
        case _ if code:
            return uscc_sql.canonical(original)
        case _:
            return original


def _unit(field: Field) -> str:
    """A regular expression for the unit that may follow a number: only the unit declared in the catalogue."""
    return f" *({field.unit})?" if field.unit in UNITS else ""


def _faults(field: Field, *, dated: bool, today: date) -> list[tuple[str, str]]:
    """(reason as SQL text, SQL that is true for a bad row), the basic ones first: the first that applies is the
    reason.
    """
    original, value, label = _text_of(field), quoted(field.column), f"{field.column} ({field.title})"
    faults: list[tuple[str, str]] = []

    def add(reason: str, bad: str) -> None:
        faults.append((text(f"{label} {reason}"), bad))

    if field.required:
        add("is missing", f"{original} IS NULL")
    if field.type in ("number", "integer") and field.unit in UNITS:
        others = "|".join(unit for unit in UNITS if unit != field.unit)
        add(
            f"is in the wrong unit: the catalogue wants {field.unit}",
            f"{value} IS NULL AND regexp_full_match({original}, '[-+0-9.,]+ *({others})')",
        )
    if field.type == "boolean" and field.enum:
        add("is not one of the values the catalogue allows", f"{value} IS NULL AND {original} IS NOT NULL")
    elif field.type != "string":
        article = "an" if field.type == "integer" else "a"
        add(f"is not {article} {field.type} that can be read", f"{value} IS NULL AND {original} IS NOT NULL")
    elif field.enum:
        add("is not one of the values the catalogue allows", f"{value} NOT IN ({texts(field.enum)})")
    if field.type == "date":
        add("is not a plausible date", f"{value} NOT BETWEEN DATE '1900-01-01' AND DATE '2200-12-31'")
        if dated:
            add("lies in the future", f"{value} > DATE '{today}'")
    unit = f" {field.unit}" if field.unit else ""
    smaller = {"万元": ": is it in 元?", "亿元": ": is it in 万元?"}.get(field.unit or "", "")
    if field.type in ("number", "integer") and field.minimum is not None:
        add(f"is below {field.minimum:g}{unit}", f"{value} < {field.minimum}")
    if field.type in ("number", "integer") and field.maximum is not None:
        add(f"is above {field.maximum:,.10g}{unit}{smaller}", f"{value} > {field.maximum}")
    if field.type == "string" and field.pattern:
        add("does not have the form the catalogue asks for", f"NOT regexp_full_match({value}, {text(field.pattern)})")
    if field.type == "string" and field.max_length:
        add(f"is longer than {field.max_length} characters", f"length({value}) > {field.max_length}")
    return faults
