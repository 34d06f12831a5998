"""Arguments are checked against the annotations of a function, so that a wrong one is refused in words at the call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin

from credit.errors import Malformed
from credit.messages import Text

_Arguments = ParamSpec("_Arguments")
_Value = TypeVar("_Value")


def checked(function: Callable[_Arguments, _Value]) -> Callable[_Arguments, _Value]:
    """The function, which raises :class:`Malformed` for arguments that it does not take or that are of another type.

    The annotations are read at the first call, when all types that they name are there.
    """
    signature_of = functools.cache(lambda: inspect.signature(function, eval_str=True))

    @functools.wraps(function)
    def call(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Value:
        signature = signature_of()
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            raise _wrong_call(function.__name__, signature, args, kwargs) from None
        for name, value in bound.arguments.items():
            parameter = signature.parameters[name]
            if isinstance(value, Iterator):  # it can be read once: here, for the check
                value = bound.arguments[name] = list(value)
            for each in _values(parameter, value):
                if not fits(each, parameter.annotation):
                    raise Malformed(
                        "arguments.wrong-type",
                        function=function.__name__,
                        name=name,
                        given=type(each).__name__[:40],
                        expected=described(parameter.annotation),
                    )
        return function(*bound.args, **bound.kwargs)

    return call


def fits(value: Any, annotation: Any) -> bool:
    """True when a value is of an annotation: a type, a union, or a collection or mapping of them."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation in (Any, inspect.Parameter.empty):
        return True
    if origin in (Union, UnionType):
        return any(fits(value, part) for part in parts)
    if annotation in (int, float):  # also those of NumPy; a truth value is no number here
        kind = Integral if annotation is int else Real
        return isinstance(value, kind) and not isinstance(value, bool)
    if origin in (Sequence, Iterable, list, tuple):
        return _is_list(value, origin) and all(fits(each, parts[0]) for each in value)
    if origin in (Mapping, dict):
        return isinstance(value, Mapping) and all(
            fits(key, parts[0]) and fits(each, parts[1]) for key, each in value.items()
        )
    return isinstance(value, NoneType if annotation is None else origin or annotation)


def described(annotation: Any) -> str:
    """An annotation in Python's words: ``str | date | list[str]``."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " | ".join(dict.fromkeys(described(part) for part in parts))
    if origin in (Sequence, Iterable, list, tuple):
        return f"list[{described(parts[0])}]"
    if origin in (Mapping, dict):
        return "dict"
    if annotation in (None, NoneType):
        return "None"
    return str(getattr(annotation, "__name__", annotation))


def _is_list(value: Any, origin: Any) -> bool:
    if isinstance(value, str | bytes | bytearray | Mapping) or not isinstance(value, Collection):
        return False
    return origin is Iterable or hasattr(value, "__getitem__")


def _values(parameter: inspect.Parameter, value: Any) -> Iterable[Any]:
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return list(value)
    return list(value.values()) if parameter.kind is inspect.Parameter.VAR_KEYWORD else [value]


def _wrong_call(name: str, signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Malformed:
    """Which argument is unknown, lacking or one too many."""
    parameters = {each: parameter for each, parameter in signature.parameters.items() if each != "self"}
    takes = ", ".join(parameters)
    if unknown := [each for each in kwargs if each not in parameters]:
        why = Text.of("arguments.unknown", name=unknown[0][:40], takes=takes)
    elif len(args) > len(signature.parameters):
        why = Text.of("arguments.too-many", takes=takes)
    else:
        lacking = [
            each
            for place, (each, parameter) in enumerate(signature.parameters.items())
            if parameter.default is parameter.empty and each not in kwargs
            and not (place < len(args) and parameter.kind is not parameter.KEYWORD_ONLY)
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]  # fmt: skip
        why = (
            Text.of("arguments.lacking", names=", ".join(lacking))
            if lacking
            else Text.of("arguments.too-many", takes=takes)
        )
    return Malformed("arguments.not-taken", function=name, why=why)
