"""Strict reading of a declaration: every key is known, has the right type and range, and a refusal names the key."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NoReturn

from credit.errors import Malformed
from credit.messages import Text
from models.order.suggest import hint

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class DeclarationSection:
    """A mapping that is being read; ``where`` is the path to it, such as ``order.label``."""

    data: Mapping[str, Any]
    where: str
    known: Collection[str] = field(default=())

    @classmethod
    def of(cls, data: Any, where: str, *, known: Collection[str], optional: Collection[str] = ()) -> DeclarationSection:
        """A section of ``data``; raises :class:`Malformed` unless it is a mapping with exactly these keys."""
        if not isinstance(data, Mapping):
            raise Malformed("parsing.cannot-be-read", where=where)
        for key in data:
            if key not in known:
                raise Malformed("parsing.key-not-known", remedy=hint(str(key), known), where=where, key=key)
        for key in known:
            if key not in data and key not in optional:
                raise Malformed("parsing.key-missing", where=where, key=key)
        return cls(data, where, tuple(known))

    def refuse(self, key: str, why: Text, remedy: Text | None = None) -> NoReturn:
        """Raise :class:`Malformed` for a key."""
        raise Malformed("parsing.cannot-be-taken", why=why, remedy=remedy, where=self.where, key=key)

    def text(self, key: str) -> str:
        """A text that is not blank."""
        value = self.data.get(key)
        if not isinstance(value, str) or not value.strip():
            self.refuse(key, Text.of("parsing.text"))
        return str(value)

    def name(self, key: str) -> str:
        """A name: lower-case letters, digits and underscores, starting with a letter."""
        value = self.text(key)
        if not NAME.fullmatch(value):
            self.refuse(key, Text.of("parsing.name"), Text.of("parsing.name-example"))
        return value

    def choice(self, key: str, words: Sequence[str], *, default: str) -> str:
        """One of ``words``; ``default`` when the key is absent."""
        value = self.data.get(key, default)
        if not isinstance(value, str) or value not in words:
            self.refuse(key, Text.of("parsing.one-of", words=", ".join(filter(None, words))), hint(str(value), words))
        return str(value)

    def name_or_none(self, key: str) -> str | None:
        """A name, or null."""
        return None if self.data.get(key) is None else self.name(key)

    def names(self, key: str) -> tuple[str, ...]:
        """A list of names without duplicates."""
        items = self.items(key)
        names = tuple(DeclarationSection({key: item}, self.where).name(key) for item in items)
        if len(set(names)) != len(names):
            self.refuse(key, Text.of("parsing.name-twice"))
        return names

    def items(self, key: str) -> Sequence[Any]:
        """A list."""
        value = self.data.get(key)
        if not isinstance(value, (list, tuple)):
            self.refuse(key, Text.of("parsing.list"))
        return list(value)

    def sections(
        self, key: str, *, known: Collection[str], optional: Collection[str] = ()
    ) -> Iterator[DeclarationSection]:
        """A list of mappings, each read as a section."""
        for index, item in enumerate(self.items(key)):
            yield DeclarationSection.of(item, f"{self.where}.{key}[{index}]", known=known, optional=optional)

    def section(self, key: str, *, known: Collection[str], optional: Collection[str] = ()) -> DeclarationSection:
        """A mapping, read as a section."""
        return DeclarationSection.of(self.data.get(key), f"{self.where}.{key}", known=known, optional=optional)

    def integer(self, key: str, *, minimum: int, maximum: int, default: int | None = None) -> int:
        """An integer within bounds; ``default`` when the key is absent."""
        value = self.data.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            self.refuse(key, Text.of("parsing.whole-number", least=minimum, most=maximum))
        return int(value)

    def number(self, key: str, *, above: float = float("-inf")) -> float:
        """A finite number above a bound."""
        value = self.data.get(key)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not above < value < float("inf"):
            self.refuse(
                key,
                Text.of("parsing.number-above", above=above) if above > float("-inf") else Text.of("parsing.number"),
            )
        return float(value)

    def day(self, key: str) -> date:
        """A day as YYYY-MM-DD."""
        value = self.data.get(key)
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        elif isinstance(value, date):
            return date(value.year, value.month, value.day)
        self.refuse(key, Text.of("parsing.day"), Text.of("parsing.day-example"))

    def day_or_none(self, key: str) -> date | None:
        """A day, or null."""
        return None if self.data.get(key) is None else self.day(key)

    def require(self, key: str, condition: bool, why: Text, remedy: Text | None = None) -> None:
        """Raise :class:`Malformed` for ``key`` unless the condition is true."""
        if not condition:
            self.refuse(key, why, remedy)
