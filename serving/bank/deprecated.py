"""Old names of the bank's client library, which keep working with a DeprecationWarning."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def renamed_attribute(module: str, name: str, renamed: Mapping[str, tuple[str, Any]]) -> Any:
    """The value of a module's attribute under its old `name`; `renamed` maps old names to new name and value.

    Raises AttributeError for a name that the module never had.
    """
    if name not in renamed:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    new_name, value = renamed[name]
    warnings.warn(f"{module}.{name} is now {new_name}", DeprecationWarning, stacklevel=3)
    return value


def renamed_argument(value: Sequence[T] | None, name: str, old_name: str, others: Mapping[str, Any]) -> Sequence[T]:
    """The argument `name`, also when the caller passed it under its old name in `others`.

    Raises TypeError when it is missing, given twice, or when `others` holds another name.
    """
    unknown = set(others) - {old_name}
    if unknown:
        raise TypeError(f"unexpected keyword argument {sorted(unknown)[0]!r}")
    if (value is None) == (old_name not in others):
        raise TypeError(f"exactly one argument {name!r} is required")
    if value is not None:
        return value
    warnings.warn(f"The argument {old_name!r} is now {name!r}", DeprecationWarning, stacklevel=3)
    result: Sequence[T] = others[old_name]
    return result
