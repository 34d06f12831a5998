"""Look-ups in a ledger by object, verb, actor and time, which read the entries that match and little else.

Closed segments are looked up in the index; those without one, and the open segment, are searched by their bytes. The
index is a hint that is verified: an entry that it names is read and verified in the ledger. A part of the index that is
not as the zone signed it is not used, and its segments are searched.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring as quoted
from pathlib import Path
from typing import Any

from credit.errors import Broken
from credit.keys import KeyRing, SigningKey
from credit.ledger.segments.index_run import RECORD, IndexRun, key_of, runs_in, sorted_records
from credit.ledger.segments.store import Segment, SegmentFiles

FAN = 16  # runs of one level that become one of the next
INLINE_LEVEL = 1  # an append merges up to this level; what takes seconds is left to a zone's agent
_MOST_DAYS = 62  # a longer time is compared after reading


@dataclass(frozen=True, slots=True)
class LookUp:
    """What is looked for; empty fields match everything. Times are compared with ``since <= at < until``."""

    object: str = ""
    verb: str = ""
    by: str = ""
    batch: str = ""  # which the details name
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, data: Mapping[str, Any]) -> bool:
        """Whether a line with this content matches."""
        wanted = {"object": self.object, "verb": self.verb, "by": self.by}
        if any(value and data.get(name) != value for name, value in wanted.items()):
            return False
        if self.batch and data["because"].get("batch") != self.batch:
            return False
        if self.since is None and self.until is None:
            return True
        at = datetime.fromisoformat(data["at"])
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)

    def keys(self) -> list[list[bytes]]:
        """The index's keys: an entry matches one key of every group."""
        if self.object:
            return [[key_of("object", self.object)]]
        named = (("batch", self.batch), ("by", self.by), ("verb", self.verb))
        groups = [[key_of(kind, value)] for kind, value in named if value]
        days = self._days()
        return [*groups, *([[key_of("day", day) for day in days]] if days else [])]

    def pattern(self) -> bytes:
        """Bytes that every matching line has."""
        for name, value in (("object", self.object), ("batch", self.batch), ("by", self.by), ("verb", self.verb)):
            if value:
                return f'"{name}":{quoted(value)}'.encode()
        return b'"at":'

    def _days(self) -> list[str]:
        if self.since is None or self.until is None or (self.until - self.since).days > _MOST_DAYS:
            return []
        first, last = self.since.astimezone(UTC).date(), self.until.astimezone(UTC).date()
        return [str(first + timedelta(days=number)) for number in range((last - first).days + 1)]


def offsets(store: SegmentFiles, search: LookUp, ring: KeyRing, zone: str) -> Iterator[int]:
    """Where the lines begin that match, in order: candidates of the index, to be verified, and lines that were read."""
    runs, segments, groups = runs_in(index_folder(store)), store.segments(), search.keys()
    covered = 0  # the ledger's bytes up to here are done
    for run in runs if groups else []:
        try:
            sets = [{offset for key in group for offset in run.offsets(key, ring, zone)} for group in groups]
        except (Broken, OSError, ValueError, KeyError, TypeError):
            continue  # changed, removed or merged meanwhile: its segments are searched
        yield from _scanned(store, segments, search, covered, run.start)
        yield from sorted(set.intersection(*sets))
        covered = run.end
    yield from _scanned(store, segments, search, covered, segments[-1].end)


def index_folder(store: SegmentFiles) -> Path:
    """The folder of a ledger's index."""
    return store.folder / "index"


def write_index(store: SegmentFiles, key: SigningKey, ring: KeyRing, *, all_levels: bool) -> None:
    """Index the closed segments that no run has, then merge runs. The segments were verified when they were sealed."""
    folder = index_folder(store)
    ends = [(run.start, run.end) for run in runs_in(folder)]
    for segment in store.segments():
        if segment.closed and not any(start <= segment.offset and segment.end <= end for start, end in ends):
            IndexRun(segment.offset, segment.end, 0, folder).write(_records(segment), key)
    level = 0
    while level < (9 if all_levels else INLINE_LEVEL):
        runs = [run for run in runs_in(folder) if run.level == level]
        if len(runs) < FAN:
            level += 1
            continue
        _merge(runs[:FAN], key, ring)


def _merge(runs: list[IndexRun], key: SigningKey, ring: KeyRing) -> None:
    """One run for these; a run that is not as it was signed is removed, to be made again."""
    whole = []
    for run in runs:
        try:
            whole.append(run.records(ring, key.zone))
        except (Broken, OSError, ValueError, KeyError, TypeError):
            run.remove()
            return
    chunks = (part[place : place + RECORD] for part in whole for place in range(0, len(part), RECORD))
    merged = IndexRun(runs[0].start, runs[-1].end, runs[0].level + 1, runs[0].folder)
    merged.write(sorted_records(chunks), key)
    for run in runs:
        run.remove()


def _records(segment: Segment) -> bytes:
    """The records of a segment: four or five for each entry."""
    offset, keys = segment.offset, dict[tuple[str, str], bytes]()
    records = []
    for line in segment.read().splitlines(keepends=True):
        data, place = json.loads(line), offset.to_bytes(8)
        batch = data["because"].get("batch")
        named = [("object", data["object"]), ("verb", data["verb"]), ("by", data["by"]), ("day", _day(data))]
        for name in [*named, ("batch", batch)] if isinstance(batch, str) else named:
            if (key := keys.get(name)) is None:
                key = keys[name] = key_of(*name)
            records.append(key + place)
        offset += len(line)
    return sorted_records(records)


def _day(data: Mapping[str, Any]) -> str:
    return str(datetime.fromisoformat(data["at"]).astimezone(UTC).date())


def _scanned(store: SegmentFiles, segments: list[Segment], search: LookUp, start: int, end: int) -> Iterator[int]:
    """Matching whole lines of the segments from ``start`` to ``end``, found by their bytes."""
    pattern = search.pattern()
    first = max(0, bisect_right(segments, start, key=_offset) - 1)
    for segment in segments[first : bisect_left(segments, end, key=_offset)]:
        if segment.end <= start:
            continue
        with store.opened(segment) as stream:
            whole = stream.read()
        at = -1
        while (at := whole.find(pattern, at + 1)) >= 0:
            begin, after = whole.rfind(b"\n", 0, at) + 1, whole.find(b"\n", at) + 1
            if not after:
                break
            at = after - 1
            if search.matches(_parsed(whole[begin:after])):
                yield segment.offset + begin


def _offset(segment: Segment) -> int:
    return segment.offset


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(line))
    except ValueError as error:
        raise Broken("ledger.line-unreadable") from error
