"""The types and constraints of the catalogue as one generated SQL query: text in, typed columns and a fault out.

``_fault`` is NULL for a good row, else the number of its first fault in :func:`faults_of`. A reason never holds the
value: reasons are counted and shown, the value stays in the quarantine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from credit.catalogue import Table
from credit.fields import Field
from credit.messages import Text
from privacy.duckdb_engine import quoted, text, texts
from privacy.intake import uscc_sql, values

SQL_TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "date": "DATE", "boolean": "BOOLEAN"}
UNKNOWN = 0  # the number of the first fault: a value in an unknown column, whose reason names the columns of the row
_NOT_READ = {
    "integer": "intake.reason.not-integer",
    "number": "intake.reason.not-number",
    "date": "intake.reason.not-date",
    "boolean": "intake.reason.not-boolean",
}
_REGISTERED = "LEFT JOIN (SELECT code AS _registered, registered_on FROM register) r"
_NUMBER = "registration_number"  # the column of the 15 digits that a firm had before its code (注册号)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row is rejected: the reason, SQL that is true for a bad row, and the field (empty: none alone)."""

    reason: Text
    bad: str
    field: str = ""


def faults_of(table: Table, *, today: date, more: tuple[tuple[str, str], ...] = ()) -> tuple[Fault, ...]:
    """The faults that a row of a table can have, the basic ones first: the first that applies is the reason.

    ``more`` are additional checks, (id of the reason, SQL that is true for a bad row).
    """
    faults = [Fault(Text.of("intake.reason.unknown-column", names=""), "_unknown IS NOT NULL")]
    for field in table.fields:
        faults += _faults(field, dated=field in (table.time.happened, table.time.known), today=today)
    if not table.surrogate:
        code = table.subject.name
        for id in uscc_sql.FAULTS:
            faults.append(Fault(Text.of(id), f"_code_fault = {text(id)}", code))
        kinds = " and ".join(kind.replace("_", " ") for kind in (*table.subjects, *table.archives))
        faults.append(Fault(Text.of("intake.reason.misfit", table=table.name, kinds=kinds), "_misfit", code))
    itself = _registers_itself(table)
    for check in table.checks:
        texts_of = {"english": check.reason, "chinese": check.chinese or check.reason}
        reason = Text.of("intake.reason.check", **texts_of)
        bad = check.bad.replace("r.registered_on", "registered_on") if itself else check.bad
        faults.append(Fault(reason, f"({bad})"))
    return (*faults, *(Fault(Text.of(id), f"({bad})") for id, bad in more))


def typed_rows_sql(table: Table, source: str, faults: tuple[Fault, ...]) -> str:
    """SQL over the relation ``source``: the typed columns, ``_line``, ``_waiting``, ``_unknown`` and ``_fault``.

    ``source`` is what ``normalising.py`` gives: the table's columns as text in one form, null for no value, ``_line``,
    ``_waiting``, and for columns that the catalogue does not have ``_unknown`` (their names). The query needs the
    relation ``register(code, registered_on, number)``.
    """
    own = "_line, _waiting, _unknown" + "".join(f", {quoted(f'_without_{f.column}')}" for f in table.fields if f.number)
    valued = ", ".join(
        f"{quoted(f.column)} AS {_text_of(f)}, {_value(table, f)} AS {quoted(f.column)}" for f in table.fields
    )
    code = quoted(table.subject.column)
    registered = "" if _registers_itself(table) else f"{_REGISTERED} ON _registered = v.{code}"
    why = "\n    ".join(f"WHEN {fault.bad} THEN {number}" for number, fault in enumerate(faults))
    return f"""
WITH valued AS (SELECT {own}, {valued} FROM {source}),
known AS ({_with_codes(table)}),
codes AS (
    SELECT DISTINCT {code} AS _code, {uscc_sql.fault(code)} AS _code_fault,
        NOT {uscc_sql.of_kinds(code, (*table.subjects, *table.archives))} AS _misfit FROM known
)
SELECT v.*, CASE {why} END AS _fault
FROM known v LEFT JOIN codes ON _code = v.{code}
{registered}"""


def columns(table: Table) -> str:
    """The typed columns of a raw table, as SQL."""
    return ", ".join(quoted(field.column) for field in table.fields)


def original_row_sql(table: Table, relation: str) -> str:
    """SQL for the original row as JSON text: the fields that have a value, by their official names."""
    pairs = ", ".join(f"{text(field.name)}, nullif({relation}.{quoted(field.column)}, '')" for field in table.fields)
    return f"CAST(json_object({pairs}) AS VARCHAR)"


def _registers_itself(table: Table) -> bool:
    return any(field.column == "registered_on" for field in table.fields)


def _with_codes(table: Table) -> str:
    """``valued`` with the code of a firm that the row names by its 15-digit number alone, where one firm has it."""
    number = next((field for field in table.fields if field.column == _NUMBER), None)
    if table.surrogate or number is None or _registers_itself(table):
        return "SELECT * FROM valued"
    code, given = quoted(table.subject.column), quoted(number.column)
    own = f"coalesce({code}, {given})"
    firms = (
        "SELECT number AS _number, min(code) AS _firm FROM register WHERE number IS NOT NULL "
        "GROUP BY number HAVING count(DISTINCT code) = 1"
    )
    return f"""SELECT v.* REPLACE (coalesce(if({own} = _number, _firm, NULL), v.{code}) AS {code},
        coalesce({_text_of(table.subject)}, _firm) AS {_text_of(table.subject)})
    FROM valued v LEFT JOIN ({firms}) ON length({own}) = 15 AND _number = {own}"""


def _text_of(field: Field) -> str:
    return quoted(f"_text_{field.column}")


def _value(table: Table, field: Field) -> str:
    original = quoted(field.column)
    match field.type:
        case "integer":
            value = f"CASE WHEN regexp_full_match({original}, '[+-]?[0-9]+') THEN try_cast({original} AS BIGINT) END"
            return value if field.scale == 1 else f"TRY(CAST({value} * {field.scale} AS BIGINT))"
        case "number":
            form = "[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]{1,2})?"
            value = f"CASE WHEN regexp_full_match({original}, '{form}') THEN try_cast({original} AS DOUBLE) END"
            value = value if field.scale == 1 else f"{value} * {field.scale}"
            return f"CASE WHEN isfinite({value}) THEN ({value}) + 0.0 END"  # never -0.0, nor a number without end
        case "date":
            form = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
            return f"CASE WHEN regexp_full_match({original}, '{form}') THEN try_cast({original} AS DATE) END"
        case "boolean":
            yes, no = (field.enum[:1], field.enum[1:2]) if field.enum else (values.TRUE, values.FALSE)
            word = original if field.enum else f"lower({original})"
            return f"CASE WHEN {word} IN ({texts(yes)}) THEN true WHEN {word} IN ({texts(no)}) THEN false END"
        case _ if field is table.subject and not table.surrogate:
            return uscc_sql.canonical(original)
        case _:
            return original


def _faults(field: Field, *, dated: bool, today: date) -> list[Fault]:
    original, value = _text_of(field), quoted(field.column)
    label = Text.of("intake.field", column=field.column, title=field.title)
    faults: list[Fault] = []

    def add(id: str, bad: str, **params: str) -> None:
        faults.append(Fault(Text.of(id, field=label, **params), bad, field.name))

    if field.required:
        missing = f"{original} IS NULL"
        add(
            "intake.reason.missing",
            f"{missing} AND NOT {quoted(f'_without_{field.column}')}" if field.number else missing,
        )
    is_number = field.type in ("number", "integer")
    if is_number and field.unit in values.UNITS:
        others = "|".join((*(unit for unit in values.UNITS if unit != field.unit), *values.FOREIGN))
        is_other = f"regexp_full_match({original}, '[-+0-9.,]+ *万?({others})')"
        add("intake.reason.wrong-unit", f"{value} IS NULL AND {is_other}", unit=field.unit)
    if field.type == "boolean" and field.enum:
        add("intake.reason.not-enum", f"{value} IS NULL AND {original} IS NOT NULL")
    elif field.type != "string":
        add(_NOT_READ[field.type], f"{value} IS NULL AND {original} IS NOT NULL")
    elif field.enum:
        add("intake.reason.not-enum", f"{value} NOT IN ({texts(field.enum)})")
    if field.type == "date":
        add("intake.reason.implausible-date", f"{value} NOT BETWEEN DATE '1900-01-01' AND DATE '2200-12-31'")
        if dated:
            add("intake.reason.future", f"{value} > DATE '{today}'")
    unit = f" {field.unit}" if field.unit else ""
    smaller = {"万元": "元", "亿元": "万元"}.get(field.unit or "", "")
    if is_number and field.minimum is not None:
        add("intake.reason.below", f"{value} < {field.minimum}", limit=f"{field.minimum:g}{unit}")
    if is_number and field.maximum is not None:
        id = "intake.reason.above-smaller-unit" if smaller else "intake.reason.above"
        add(id, f"{value} > {field.maximum}", limit=f"{field.maximum:,.10g}{unit}", smaller=smaller)
    if field.type == "string" and field.pattern:
        add("intake.reason.form", f"NOT regexp_full_match({value}, {text(field.pattern)})")
    if field.type == "string" and field.max_length:
        add("intake.reason.too-long", f"length({value}) > {field.max_length}", limit=str(field.max_length))
    return faults
