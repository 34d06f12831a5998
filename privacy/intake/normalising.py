"""Bring the columns of a block into the one form of their values, before they are typed.

A cell that is in the usual form already is found by a vectorised test and left alone; each distinct value among the
others is brought into its form once, by a function of ``values.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from credit.catalogue import Table
from credit.fields import Field
from privacy.intake import values

_BLANKS = "\u0020\t\r\n\u3000\u00a0"
_INVISIBLE = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\u200b-\u200f\u2060\ufeff]"
_INVISIBLE_BYTES = tuple(each.encode() for each in "\x00\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
_USUAL = {"date": r"^[12]\d{3}-\d{2}-\d{2}$", "number": r"^[+-]?\d+(\.\d+)?$", "integer": r"^\d+$"}
_ABSENT = pa.array(sorted({"", *values.ABSENT, *(word.upper() for word in values.ABSENT), "None", "Null"}))


def normalised(table: Table, mapped: pa.Table) -> pa.Table:
    """The columns of ``mapped`` that are fields of the table in their one form, null where there is no value, and the
    others as they are. ``_without_<column>`` says where a document is said to have no number."""
    columns = dict(zip(mapped.column_names, mapped.columns, strict=True))
    for field in table.fields:
        given = _clean(columns[field.column])
        plain = _without_absent(given, field)
        columns[field.column] = _in_form(plain, field, is_code=field is table.subject)
        if field.number:
            without = pc.and_(pc.not_equal(given, ""), pc.is_null(plain))
            columns[f"_without_{field.column}"] = pc.fill_null(without, False)
    for field in table.fields:
        if field.wording:
            words = _clean(mapped.column(field.column))
            other = table.field(field.wording).column
            is_other = pc.and_(pc.invert(_is_in(words, field.enum)), pc.is_valid(columns[field.column]))
            own = pc.if_else(is_other, words, pa.scalar(None, pa.string()))
            columns[other] = pc.coalesce(columns[other], own)
    return pa.table(columns)


def _clean(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without blanks around it, without invisible characters, without the apostrophe by which Excel marks a text."""
    if column.null_count == len(column):
        return column
    content = b"".join(chunk.buffers()[2].to_pybytes() for chunk in column.chunks if chunk.buffers()[2] is not None)
    if any(each in content for each in _INVISIBLE_BYTES):
        column = pc.replace_substring_regex(column, _INVISIBLE, "")
    column = pc.utf8_trim(column, _BLANKS)
    if b"'" in content or b"\xe2\x80\x98" in content:
        column = pc.replace_substring_regex(column, "^['‘]", "")
    return column


def _without_absent(column: pa.ChunkedArray, field: Field) -> pa.ChunkedArray:
    absent, own = _is_in(column, ()), field.enum
    if field.type == "boolean" and not own:
        own = (*values.TRUE, *values.FALSE)
    if own:  # 无 says no where it is a value
        absent = pc.and_(absent, pc.invert(_is_in(column, own)))
    if field.number:
        absent = pc.or_(absent, _is_in(column, values.NO_NUMBER))
    return pc.if_else(absent, pa.scalar(None, pa.string()), column)


def _is_in(column: pa.ChunkedArray, given: tuple[str, ...]) -> pa.ChunkedArray:
    """Whether a value is one of these; of no given ones, whether it says that there is none."""
    return pc.is_in(column, value_set=pa.array(given, pa.string()) if given else _ABSENT)


def _in_form(column: pa.ChunkedArray, field: Field, *, is_code: bool) -> pa.ChunkedArray:
    form = _form(field)
    if form is None or is_code or column.null_count == len(column):
        return column
    others = column.filter(pc.and_(pc.is_valid(column), pc.invert(pc.fill_null(_usual(column, field), True))))
    if not len(others):
        return column
    distinct = pc.unique(others)
    changed = {text: form(text) for text in distinct.to_pylist()}
    if all(text == after for text, after in changed.items()):
        return column
    encoded = pc.index_in(column, value_set=distinct)
    after = pa.array(list(changed.values()), pa.string()).take(encoded.combine_chunks())
    return pc.if_else(pc.is_valid(encoded), after, column)


def _usual(column: pa.ChunkedArray, field: Field) -> pa.ChunkedArray:
    """Which values need no change."""
    if field.number:
        return pc.invert(pc.match_substring_regex(column, r"[\[(（【﹝［]\d{4}[\])）】﹞〕］]"))
    if field.type in _USUAL and not field.formats:
        return pc.match_substring_regex(column, _USUAL[field.type])
    return _is_in(column, field.enum) if field.enum else pa.chunked_array([pa.repeat(False, len(column))])


def _form(field: Field) -> Callable[[str], str | None] | None:
    """The function that brings a value of a field into its form, or None."""
    if field.type == "date":
        return partial(values.day, formats=field.formats) if field.required else partial(_day_or_none, field.formats)
    if field.type == "number":
        return partial(values.number, unit=field.unit)
    if field.type == "integer":
        return partial(values.integer, unit=field.unit)
    if field.type == "string" and field.enum:
        each = values.first_term if field.wording else values.term
        return partial(each, enum=field.enum, synonyms=field.synonyms)
    return values.document_number if field.number else None


def _day_or_none(formats: tuple[str, ...], text: str) -> str | None:
    return None if values.is_endless(text) else values.day(text, formats)
