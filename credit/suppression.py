"""Withholding (停止使用): nothing is answered about a subject until a release without its repaired record serves.

Custody's signed word on the shelf, one pointer a purpose: who was named, under which number, on which day. A release,
and what is made of it, says through which number it goes (``notice`` in its terms); whoever was named later is
withheld. So a notice never has to be taken back: what was made after it lifts it, and nothing else does.
信用修复管理办法 (NDRC Order 36 of 2025) art. 3: once repaired, a record is no longer shared or used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from credit.errors import Broken
from credit.keys import SigningKey
from credit.shelf import Shelf
from credit.subjects import SubjectKey

SIGNERS = frozenset({"custody"})


@dataclass(frozen=True, slots=True)
class Notice:
    """The notices of one purpose: the last number, and of each subject (32 hex) its number and the day it was named."""

    purpose: str
    number: int = 0
    subjects: Mapping[str, tuple[int, date]] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, shelf: Shelf, purpose: str) -> Notice:
        """What stands on the shelf; nobody when nothing was ever said. Raises :class:`Broken`."""
        told = shelf.pointer(pointer_of(purpose), SIGNERS)
        if told is None:
            return cls(purpose)
        try:
            named = {
                SubjectKey(key).hex: (int(number), date.fromisoformat(day))
                for key, (number, day) in told["subjects"].items()
            }
            return cls(purpose, int(told["sequence"]), named)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Broken("suppression.notice-withholding-cannot-be-read", purpose=purpose) from error

    def withholds(self, key: str, through: int) -> bool:
        """Whether what goes through this number is older than the notice of the subject with this key (32 hex)."""
        named = self.subjects.get(key)
        return named is not None and named[0] > through

    def through(self, day: date) -> int:
        """Through which number goes what is made as of ``day``: before the first notice of a later day."""
        return min((number - 1 for number, named_on in self.subjects.values() if named_on > day), default=self.number)


def pointer_of(purpose: str) -> str:
    """The name of the pointer that holds a purpose's notices."""
    return f"withheld-{purpose}"


def withhold(
    shelf: Shelf, purpose: str, keys: Iterable[str], *, today: date, forget_before: date, key: SigningKey
) -> Notice:
    """Name subjects (keys of this purpose) under a new number; whoever was named before a day may be forgotten.

    The caller holds the vault alone, so that numbers and repairs come in one order. Raises :class:`Broken`.
    """
    before = Notice.read(shelf, purpose)
    number = before.number + 1
    named = {who: told for who, told in before.subjects.items() if told[1] >= forget_before}
    named |= {SubjectKey(who).hex: (number, today) for who in keys}
    payload = {"purpose": purpose, "subjects": {who: [n, day.isoformat()] for who, (n, day) in sorted(named.items())}}
    said = shelf.point(pointer_of(purpose), payload, key)
    if said["sequence"] != number:
        raise Broken("suppression.two-notices-withholding-given-at")
    return Notice(purpose, number, named)
