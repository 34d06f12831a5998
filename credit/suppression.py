"""Suppression (停止使用): no answer about a subject until a release without its repaired record is in use.

Custody signs one pointer per purpose on the shelf: for each suppressed subject the number of its notice and the day. A
release, and everything made from it, states the last notice that it accounts for (``notice`` in its terms); subjects of
later notices are suppressed. A notice is therefore never withdrawn: only data made after it end the suppression.
信用修复管理办法 (NDRC Order 36 of 2025) art. 3: a repaired record is no longer shared or used.
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
    """The notices of one purpose: the last number, and for each subject (32 hex) its number and day of suppression."""

    purpose: str
    number: int = 0
    subjects: Mapping[str, tuple[int, date]] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, shelf: Shelf, purpose: str) -> Notice:
        """Read the pointer of a purpose; without one, no subject is suppressed. Raises :class:`Broken`."""
        data = shelf.pointer(pointer_of(purpose), SIGNERS)
        if data is None:
            return cls(purpose)
        try:
            named = {
                SubjectKey(key).hex: (int(number), date.fromisoformat(day))
                for key, (number, day) in data["subjects"].items()
            }
            return cls(purpose, int(data["sequence"]), named)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Broken("suppression.notice-for-another-purpose", purpose=purpose) from error

    def suppresses(self, key: str, through: int) -> bool:
        """True when data that account for notices up to ``through`` must not be used for this subject (32 hex)."""
        named = self.subjects.get(key)
        return named is not None and named[0] > through

    def covered_number(self, day: date) -> int:
        """The number of the last notice that data as of ``day`` account for."""
        return min((number - 1 for number, named_on in self.subjects.values() if named_on > day), default=self.number)


def pointer_of(purpose: str) -> str:
    """The name of the pointer that holds a purpose's notices."""
    return f"withheld-{purpose}"


def suppress(
    shelf: Shelf, purpose: str, keys: Iterable[str], *, today: date, forget_before: date, key: SigningKey
) -> Notice:
    """Suppress subjects (keys of this purpose) under a new notice number, and drop those suppressed before a day.

    The caller has exclusive access to the vault, so that notices and repairs have one order. Raises :class:`Broken`.
    """
    before = Notice.read(shelf, purpose)
    number = before.number + 1
    named = {subject: notice for subject, notice in before.subjects.items() if notice[1] >= forget_before}
    named |= {SubjectKey(key_hex).hex: (number, today) for key_hex in keys}
    subjects = {subject: [at, day.isoformat()] for subject, (at, day) in sorted(named.items())}
    written = shelf.set_pointer(pointer_of(purpose), {"purpose": purpose, "subjects": subjects}, key)
    if written["sequence"] != number:
        raise Broken("suppression.two-at-once")
    return Notice(purpose, number, named)
