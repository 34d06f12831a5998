"""Settings: one frozen class a zone, read from an environment given as an argument. A missing one names itself."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from credit.errors import Malformed

Zone = TypeVar("Zone")


def _bool(text: str) -> bool:
    truth = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    return truth[text.strip().lower()]


_READERS: Mapping[Any, Callable[[str], Any]] = {
    str: str,
    int: int,
    float: float,
    bool: _bool,
    Path: Path,
    date: date.fromisoformat,
}


def read(cls: type[Zone], env: Mapping[str, str], prefix: str) -> Zone:
    """Make the frozen dataclass ``cls`` from ``env``: field ``raw_store`` comes from ``<prefix>RAW_STORE``.

    Fields may be of ``str, int, float, bool, Path, date`` or one of these or None. Raises :class:`Malformed` naming the
    setting that is missing or cannot be read (never its value: it may be a secret).
    """
    hints = typing.get_type_hints(cls)
    given: dict[str, Any] = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        name = f"{prefix}{field.name}".upper()
        if name in env:
            reader = _READERS[_plain(hints[field.name])]
            try:
                given[field.name] = reader(env[name])
            except (ValueError, KeyError) as error:
                kind = getattr(_plain(hints[field.name]), "__name__", "value")
                raise Malformed("settings.setting-cannot-be-read", name=name, kind=kind) from error
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise Malformed("settings.setting-missing", name=name)
    return cls(**given)


def _plain(hint: Any) -> Any:
    """``X | None`` is read as X."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(part for part in typing.get_args(hint) if part is not type(None))
    return hint
