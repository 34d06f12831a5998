"""Where a ledger's lines are stored: closed segments in a folder, and the open one that lines are added to.

::

    <name>.jsonl                          the open segment; its path is the ledger's name
    <name>.head.json                      the signed head
    <name>.ledger/segments/000…-000….jsonl   closed segments: the entries and the bytes before each are its name
    <name>.ledger/seals/, index/          what speeds up reading them, and can be made again

:class:`LedgerStore` is the seam: another store (a database) keeps the same lines behind the same few methods.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol

from credit.errors import Broken
from credit.files import sync_folder

SEGMENT_BYTES = 4 << 20  # from this size on the open segment is closed before the next entry
FILE_MODE, FOLDER_MODE = 0o640, 0o2750  # other zones read a ledger as members of its group
_NAME = re.compile(r"(\d{12})-(\d{15})\.jsonl")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a ledger: ``offset`` bytes and ``after`` entries come before it. ``after`` is -1 for the open one."""

    path: Path
    offset: int
    size: int
    after: int = -1

    @property
    def closed(self) -> bool:
        """True when nothing is added to it any more."""
        return self.after >= 0

    @property
    def end(self) -> int:
        """The number of the ledger's bytes up to its end."""
        return self.offset + self.size

    def read(self) -> bytes:
        """The bytes of a closed segment."""
        return self.path.read_bytes()


class LedgerStore(Protocol):
    """What a ledger needs of the place where its lines are stored."""

    def segments(self) -> list[Segment]:
        """Every segment in order, the open one last; those of one moment."""

    def lines(self, segment: Segment, offset: int) -> Iterator[bytes]:
        """The lines of a segment from the ledger's byte ``offset`` on."""

    def line_before(self, offset: int) -> tuple[int, bytes]:
        """The line that ends at the ledger's byte ``offset``, and where it begins."""

    def close_open_segment(self, stream: BinaryIO, after: int, offset: int) -> None:
        """Begin a new segment; ``stream`` is the open one, locked by its writer and durable."""


@dataclass(frozen=True, slots=True)
class SegmentFiles:
    """A ledger's lines as JSON lines in files."""

    path: Path

    @property
    def folder(self) -> Path:
        """The folder of what is closed."""
        return self.path.with_suffix(".ledger")

    def segments(self) -> list[Segment]:
        """Every segment in order, the open one last.

        The closed ones are listed before and after the open one is looked at, so that none is missed or read twice
        while a writer closes it.
        """
        while True:
            names, size = self._names(), 0
            with suppress(FileNotFoundError):
                size = self.path.stat().st_size
            if self._names() == names:
                break
        closed = self._closed(names)
        return [*closed, Segment(self.path, closed[-1].end if closed else 0, size)]

    def lines(self, segment: Segment, offset: int) -> Iterator[bytes]:
        """The lines of a segment from the ledger's byte ``offset`` on.

        Of the open one all lines that are there when it is opened; when it was closed meanwhile, they are read from
        where it is now.
        """
        with suppress(FileNotFoundError), self.opened(segment) as stream:
            stream.seek(offset - segment.offset)
            yield from stream

    def line_before(self, offset: int) -> tuple[int, bytes]:
        """The line that ends at the ledger's byte ``offset``, and where it begins; empty when there is none."""
        for segment in reversed(self.segments()):
            if segment.offset < offset <= segment.end:
                with self.opened(segment) as stream:
                    start, line = line_ending(stream, offset - segment.offset)
                return segment.offset + start, line
        return offset, b""

    def close_open_segment(self, stream: BinaryIO, after: int, offset: int) -> None:
        """Move the open segment to the closed ones under its name, and begin another."""
        os.fdatasync(stream.fileno())
        folder = self.folder / "segments"
        make_folder(folder)
        os.rename(self.path, folder / f"{after:012d}-{offset:015d}.jsonl")
        os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, FILE_MODE))
        sync_folder(folder)
        sync_folder(self.path.parent)

    def opened(self, segment: Segment) -> BinaryIO:
        """The file of a segment, to be closed; of the open one where it is now, when it was closed meanwhile."""
        if not segment.closed:
            with suppress(FileNotFoundError):
                stream = self.path.open("rb")
                moved = next((each for each in self._closed(self._names()) if each.offset == segment.offset), None)
                if moved is None:
                    return stream
                stream.close()
                segment = moved
        return segment.path.open("rb")

    def _names(self) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self.folder / "segments") if not name.startswith("."))
        except FileNotFoundError:
            return []

    def _closed(self, names: list[str]) -> list[Segment]:
        """The closed segments; each ends where the next one begins. Raises Broken for a file that is none."""
        if not names:
            return []
        *before, last = _parsed_names(self.folder / "segments", tuple(names))
        return [*before, replace(last, size=last.path.stat().st_size)]


@lru_cache(32)
def _parsed_names(folder: Path, names: tuple[str, ...]) -> tuple[Segment, ...]:
    """The segments with these names, the last one without its size."""
    starts = list[tuple[int, int]]()
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            raise Broken("ledger.not-segment", name=name)
        starts.append((int(match[2]), int(match[1])))
    ends = [*(offset for offset, _ in starts[1:]), starts[-1][0]]
    return tuple(
        Segment(folder / name, offset, end - offset, after)
        for name, (offset, after), end in zip(names, starts, ends, strict=True)
    )


def make_folder(folder: Path) -> None:
    """Make a folder that the group may read; its files belong to the group of the folder."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        for each in (folder, folder.parent):
            with suppress(PermissionError):
                each.chmod(FOLDER_MODE)


def line_ending(stream: BinaryIO, end: int) -> tuple[int, bytes]:
    """The line of a file that ends at its byte ``end``, and where it begins, searched backwards in blocks."""
    start = line_start(stream, end - 1)
    stream.seek(start)
    return start, stream.read(end - start)


def line_start(stream: BinaryIO, end: int) -> int:
    """The byte at which the line that contains the byte before ``end`` begins."""
    while end > 0:
        start = max(0, end - 4096)
        stream.seek(start)
        newline = stream.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
