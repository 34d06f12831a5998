"""Reading a declaration strictly: every key is known, of its type and in its range, and a refusal names it."""

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
    """A mapping that is being read; ``where`` is the path to it, as ``order.label``."""

    told: Mapping[str, Any]
    where: str
    known: Collection[str] = field(default=())

    @classmethod
    def of(cls, told: Any, where: str, *, known: Collection[str], optional: Collection[str] = ()) -> DeclarationSection:
        """Raise :class:`Malformed` unless ``told`` is a mapping with these keys and no other."""
        if not isinstance(told, Mapping):
            raise Malformed("parsing.cannot-be-read", where=where)
        for key in told:
            if key not in known:
                raise Malformed("parsing.key-not-known", remedy=hint(str(key), known), where=where, key=key)
        for key in known:
            if key not in told and key not in optional:
                raise Malformed("parsing.key-missing", where=where, key=key)
        return cls(told, where, tuple(known))

    def wrong(self, key: str, why: Text, remedy: Text | None = None) -> NoReturn:
        """Raise :class:`Malformed` on a key."""
        raise Malformed("parsing.cannot-be-taken", why=why, remedy=remedy, where=self.where, key=key)

    def text(self, key: str) -> str:
        """Words that are not empty."""
        value = self.told.get(key)
        if not isinstance(value, str) or not value.strip():
            self.wrong(key, Text.of("parsing.text"))
        return str(value)

    def name(self, key: str) -> str:
        """A name: lower-case letters, digits and underscores, a letter first."""
        value = self.text(key)
        if not NAME.fullmatch(value):
            self.wrong(key, Text.of("parsing.name"), Text.of("parsing.name-example"))
        return value

    def one_of(self, key: str, words: Sequence[str], *, otherwise: str) -> str:
        """One of some words; ``otherwise`` when the key is absent."""
        value = self.told.get(key, otherwise)
        if not isinstance(value, str) or value not in words:
            self.wrong(key, Text.of("parsing.one-of", words=", ".join(words)), hint(str(value), words))
        return str(value)

    def name_or_none(self, key: str) -> str | None:
        """A name, or null."""
        return None if self.told.get(key) is None else self.name(key)

    def names(self, key: str) -> tuple[str, ...]:
        """A list of names, none twice."""
        items = self.items(key)
        names = tuple(DeclarationSection({key: item}, self.where).name(key) for item in items)
        if len(set(names)) != len(names):
            self.wrong(key, Text.of("parsing.name-twice"))
        return names

    def items(self, key: str) -> Sequence[Any]:
        """A list."""
        value = self.told.get(key)
        if not isinstance(value, (list, tuple)):
            self.wrong(key, Text.of("parsing.list"))
        return list(value)

    def forms(
        self, key: str, *, known: Collection[str], optional: Collection[str] = ()
    ) -> Iterator[DeclarationSection]:
        """A list of mappings, each read as a form."""
        for place, item in enumerate(self.items(key)):
            yield DeclarationSection.of(item, f"{self.where}.{key}[{place}]", known=known, optional=optional)

    def form(self, key: str, *, known: Collection[str], optional: Collection[str] = ()) -> DeclarationSection:
        """A mapping within."""
        return DeclarationSection.of(self.told.get(key), f"{self.where}.{key}", known=known, optional=optional)

    def whole(self, key: str, *, least: int, most: int, otherwise: int | None = None) -> int:
        """A whole number within bounds; ``otherwise`` when the key is absent."""
        value = self.told.get(key, otherwise)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.wrong(key, Text.of("parsing.whole-number", least=least, most=most))
        return int(value)

    def number(self, key: str, *, above: float = float("-inf")) -> float:
        """A finite number above a bound."""
        value = self.told.get(key)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not above < value < float("inf"):
            self.wrong(
                key,
                Text.of("parsing.number-above", above=above) if above > float("-inf") else Text.of("parsing.number"),
            )
        return float(value)

    def day(self, key: str) -> date:
        """A day as YYYY-MM-DD."""
        value = self.told.get(key)
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        elif isinstance(value, date):
            return date(value.year, value.month, value.day)
        self.wrong(key, Text.of("parsing.day"), Text.of("parsing.day-example"))

    def day_or_none(self, key: str) -> date | None:
        """A day, or null."""
        return None if self.told.get(key) is None else self.day(key)

    def require(self, key: str, holds: bool, why: Text, remedy: Text | None = None) -> None:
        """Raise :class:`Malformed` on ``key`` unless it holds."""
        if not holds:
            self.wrong(key, why, remedy)
