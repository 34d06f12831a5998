"""Reading JSON tables (JSON 表格): records, columns, pandas' forms, or one record; members said twice are refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from credit.messages import Text
from lab.airlock.issue import Issue, fail
from lab.airlock.kinds.file_format import ReadFile
from lab.airlock.kinds.tables.spelling import Unwritable, number_of_text
from lab.airlock.kinds.tables.table_model import TableModel, table_of
from lab.airlock.thresholds import Thresholds

_FLAT = Text.of("airlock.json-flat-fix")
Value = str | Decimal | None


class _Refused(ValueError):
    """JSON that is no flat table; holds the message that says why."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.id)
        self.why = why


def read_json(content: bytes, t: Thresholds) -> ReadFile[TableModel] | Issue:
    """The one flat table in a JSON text, or the issue that names what has no place in it."""
    try:
        parsed = json.loads(
            content.decode("utf-8-sig"),
            parse_float=_number,
            parse_int=_number,
            parse_constant=_constant,
            object_pairs_hook=_members,
        )
        names, columns = _table(parsed)
    except _Refused as refused:
        return fail(refused.why, _FLAT)
    except Unwritable as refused:
        return fail(refused.why, refused.fix)
    except (ValueError, RecursionError):
        return fail(Text.of("airlock.not-json"), Text.of("airlock.not-json-fix"))
    table = table_of(names, columns, t)
    return table if isinstance(table, Issue) else ReadFile(table, {"airlock.rewritten-json": 1})


def _number(text: str) -> Decimal:
    if len(text) > 400:
        raise _Refused(Text.of("airlock.number-out-of-range"))
    return number_of_text(text)


def _constant(text: str) -> None:
    """JavaScript's NaN is no value, as in pandas; an infinity has no place in a table."""
    if text != "NaN":
        raise _Refused(Text.of("airlock.number-out-of-range"))


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Refused(Text.of("airlock.json-twice"))
    return members


def _table(value: Any) -> tuple[list[str], list[list[Value]]]:
    """The names and columns of a parsed text; raises :class:`_Refused` for any other shape."""
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        names = list(dict.fromkeys(name for record in value for name in record))
        return names, [[_cell(record.get(name)) for record in value] for name in names]
    if not isinstance(value, dict) or not value:
        raise _Refused(Text.of("airlock.json-no-table"))
    if {"columns", "data"} <= value.keys() <= {"columns", "data", "index"}:
        return _split(value)
    if all(isinstance(each, list) for each in value.values()):
        if len({len(each) for each in value.values()}) > 1:
            raise _Refused(Text.of("airlock.ragged"))
        return list(value), [[_cell(cell) for cell in each] for each in value.values()]
    if all(isinstance(each, dict) for each in value.values()):
        return _by_row_name(value)
    return list(value), [[_cell(each)] for each in value.values()]


def _split(value: dict[str, Any]) -> tuple[list[str], list[list[Value]]]:
    """pandas' ``orient="split"``; an index that only numbers the rows is left out, since the rows have an order."""
    names, data, index = value["columns"], value["data"], value.get("index", [])
    lists = all(isinstance(each, list) for each in (names, data, index)) and all(isinstance(row, list) for row in data)
    if not lists or not all(isinstance(name, str) for name in names) or {len(row) for row in data} - {len(names)}:
        raise _Refused(Text.of("airlock.ragged"))
    columns = [[_cell(row[n]) for row in data] for n in range(len(names))]
    if index == list(range(len(data))) or "index" not in value:
        return names, columns
    if len(index) != len(data):
        raise _Refused(Text.of("airlock.ragged"))
    return ["row", *names], [[_cell(each) for each in index], *columns]


def _by_row_name(value: dict[str, Any]) -> tuple[list[str], list[list[Value]]]:
    """pandas' ``orient="columns"``: a mapping of row names to cells for each column, with the same row names."""
    rows = list(next(iter(value.values())))
    if any(list(each) != rows for each in value.values()):
        raise _Refused(Text.of("airlock.ragged"))
    columns = [[_cell(each[row]) for row in rows] for each in value.values()]
    if rows == [str(n) for n in range(len(rows))]:
        return list(value), columns
    return ["row", *value], [list(rows), *columns]


def _cell(value: Any) -> Value:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, str | Decimal):
        return value
    raise _Refused(Text.of("airlock.json-nested"))
