"""Spans of time (时段), and what was true at any moment of one, from moments at which something changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment to another, both included. Without an ``end`` it lasts until the last entry that is known."""

    start: datetime
    end: datetime | None = None


def values_within(changes: Sequence[tuple[datetime, Value]], span: Span) -> Iterator[Value]:
    """Every value that held at some moment of a span: each of ``changes`` is a value and the moment it began.

    A value that ended in the moment in which the span begins counts as well, since two entries of different ledgers can
    bear the same moment in either order.
    """
    for number, (since, value) in enumerate(changes):
        until = changes[number + 1][0] if number + 1 < len(changes) else None
        if (span.end is None or since <= span.end) and (until is None or until >= span.start):
            yield value
