"""Settings: one frozen class per zone, read from an environment that is passed as an argument."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

from credit.errors import Malformed

Zone = TypeVar("Zone")
BEIJING = timezone(timedelta(hours=8))  # no daylight saving time since 1991


def current_day(fixed: date | None) -> date:
    """The day that a setting fixes (an invented city has a day of its own), else today in Beijing time."""
    return fixed or datetime.now(UTC).astimezone(BEIJING).date()


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

    Fields may have the types ``str, int, float, bool, Path, date``, each optionally ``| None``. Raises
    :class:`Malformed` with the name of a setting that is missing or cannot be read (never its value: it may be secret).
    """
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        name = f"{prefix}{field.name}".upper()
        if name in env:
            reader = _READERS[_plain(hints[field.name])]
            try:
                values[field.name] = reader(env[name])
            except (ValueError, KeyError) as error:
                kind = getattr(_plain(hints[field.name]), "__name__", "value")
                raise Malformed("settings.unreadable", name=name, kind=kind) from error
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise Malformed("settings.missing", name=name)
    return cls(**values)


def _plain(hint: Any) -> Any:
    """The type X of a hint ``X`` or ``X | None``."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(each for each in typing.get_args(hint) if each is not type(None))
    return hint
