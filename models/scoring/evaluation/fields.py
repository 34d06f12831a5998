"""Strict reading of a declaration of an evaluation: every key is known, and a refusal names the key.

This package may not import that of orders, whose reader (:mod:`models.order.parsing`) is for researchers' texts and
gives hints; here a refusal is for the person who edits a file of the city.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from credit.errors import Malformed


@dataclass(frozen=True, slots=True)
class DeclaredFields:
    """A mapping that is being read; ``where`` is the path to it, such as ``evaluation.families[0]``."""

    data: Mapping[str, Any]
    where: str

    @classmethod
    def of(cls, data: Any, where: str, *, known: Collection[str], optional: Collection[str] = ()) -> DeclaredFields:
        """Raises :class:`Malformed` unless ``data`` is a mapping with exactly these keys."""
        if not isinstance(data, Mapping):
            raise Malformed("evaluation.cannot-be-read", where=where, key="")
        for key in (*(set(data) - set(known)), *(set(known) - set(data) - set(optional))):
            raise Malformed("evaluation.cannot-be-read", where=where, key=key)
        return cls(data, where)

    def refuse(self, key: str) -> NoReturn:
        """Raise :class:`Malformed` for a key."""
        raise Malformed("evaluation.cannot-be-read", where=self.where, key=key)

    def require(self, key: str, condition: bool) -> None:
        """Raise :class:`Malformed` for ``key`` unless the condition is true."""
        if not condition:
            self.refuse(key)

    def text(self, key: str) -> str:
        """A text that is not blank."""
        value = self.data[key]
        if not isinstance(value, str) or not value.strip():
            self.refuse(key)
        return value

    def number(self, key: str) -> float:
        """A finite number."""
        value = self.data[key]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < float("inf"):
            self.refuse(key)
        return float(value)

    def points(self, key: str) -> int:
        """Points as whole hundredths; more than two decimals are refused."""
        value = self.number(key)
        hundredths = round(value * 100)
        self.require(key, abs(value * 100 - hundredths) < 1e-6 and abs(hundredths) <= 10_000_000)
        return hundredths

    def whole(self, key: str, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self.data[key]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.refuse(key)
        return value

    def list(self, key: str) -> list[Any]:
        """A list."""
        value = self.data[key]
        if not isinstance(value, (list, tuple)):
            self.refuse(key)
        return [*value]

    def sections(self, key: str, known: Collection[str], optional: Collection[str] = ()) -> Iterator[DeclaredFields]:
        """A list of mappings, each read as a section."""
        for number, each in enumerate(self.list(key)):
            yield DeclaredFields.of(each, f"{self.where}.{key}[{number}]", known=known, optional=optional)
