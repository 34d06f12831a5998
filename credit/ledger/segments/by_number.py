"""An entry by its number, found in few steps: a segment's name says which it has, and lines are in order."""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from typing import Any, BinaryIO

from credit.errors import Broken
from credit.ledger.segments.store import Segment, SegmentFiles, line_start


def line_of(store: SegmentFiles, number: int) -> tuple[Segment, int, bytes] | None:
    """The line of the entry ``number``, its segment, and where it begins; None when there is no such entry.

    The line is not verified. Raises :class:`Broken` for a line that cannot be read.
    """
    segments = store.segments()
    closed = [segment.after for segment in segments[:-1]]
    place = bisect_right(closed, number - 1) - 1  # the last closed segment that begins before it
    for segment in (segments[max(place, 0)], segments[-1]):
        with store.opened(segment) as stream:
            match = _search(stream, number)
        if match is not None:
            return segment, segment.offset + match[0], match[1]
    return None


def _search(stream: BinaryIO, number: int) -> tuple[int, bytes] | None:
    low, high = 0, line_start(stream, stream.seek(0, os.SEEK_END))  # without an incomplete last line
    while low < high:
        start = line_start(stream, (low + high) // 2 + 1) if low + 1 < high else low
        stream.seek(max(start, low))
        start, line = max(start, low), stream.readline()
        seq = _seq(line)
        if seq == number:
            return start, line
        low, high = (start + len(line), high) if seq < number else (low, start)
    return None


def _seq(line: bytes) -> int:
    try:
        data: Any = json.loads(line)
        return int(data["seq"])
    except (ValueError, KeyError, TypeError) as error:
        raise Broken("ledger.line-unreadable") from error
