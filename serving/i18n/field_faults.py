"""What pydantic finds wrong with a field, as a message by id: its `type` gives the id, its `ctx` the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credit.messages import Text, known

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FAULTS = {  # the type of a fault (https://docs.pydantic.dev/latest/errors/validation_errors/) -> the id of its message
    "missing": "pydantic.missing",
    "extra_forbidden": "pydantic.extra-forbidden",
    "string_type": "pydantic.string-type",
    "string_too_long": "pydantic.string-too-long",
    "string_too_short": "pydantic.string-too-short",
    "string_pattern_mismatch": "pydantic.string-pattern-mismatch",
    "int_type": "pydantic.int-type",
    "int_from_float": "pydantic.int-type",
    "float_type": "pydantic.float-type",
    "bool_type": "pydantic.bool-type",
    "finite_number": "pydantic.finite-number",
    "greater_than": "pydantic.greater-than",
    "greater_than_equal": "pydantic.greater-than-equal",
    "less_than": "pydantic.less-than",
    "less_than_equal": "pydantic.less-than-equal",
    "list_type": "pydantic.list-type",
    "dict_type": "pydantic.dict-type",
    "model_type": "pydantic.dict-type",
    "too_short": "pydantic.too-short",
    "too_long": "pydantic.too-long",
    "literal_error": "pydantic.literal-error",
}


def field_fault(name: str, fault: ErrorDetails) -> Text:
    """What is wrong with the field `name`. A fault that is not in the table has pydantic's own words in brackets.

    A validator of ours names the id of its message as the type of a ``PydanticCustomError``.
    """
    context = {key: value for key, value in fault.get("ctx", {}).items() if isinstance(value, str | int | float)}
    id = FAULTS.get(fault["type"], fault["type"])
    what = Text(id, context) if known(id) else Text.of("pydantic.other", message=fault["msg"])
    return Text.of("pydantic.field", name=name, fault=what)
