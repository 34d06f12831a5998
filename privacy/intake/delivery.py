"""The files of one intake: which are read, which are not and why, and what each of them is called in reports.

A folder comes from a department, so what lies in it may be anything. Only plain files are opened: a pipe would never
end, and a link could lead to a file of custody's own, whose lines would go back to the department as rejected rows.
"""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from credit.catalogue import Catalogue
from credit.errors import Missing
from credit.messages import Text
from privacy.files import reading
from privacy.files.block import Block, bad_file
from privacy.intake import layouts

LIST = "delivery.yaml"  # the list of a delivery, beside its files
LARGEST = 64 << 30  # bytes of one file: a sparse file of terabytes costs its sender nothing and its reader hours
State = tuple[int, int, int, int, int]


class ChangedFile(Exception):
    """A file changed between its digest and the end of its reading: what was read is not what the digest names."""


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file that is read: its path, its SHA-256, and its name in reports (with its folder where two have one name).

    ``state`` says which bytes the digest was taken of: device, number, size and the times of the last changes.
    """

    path: Path
    digest: str
    name: str
    state: State

    @property
    def file_name(self) -> str:
        """The name without its folder, as text."""
        return readable(self.path.name)

    def blocks(self, known: frozenset[str]) -> Iterator[Block]:
        """Its blocks. Whatever goes wrong in reading it becomes a row of the quarantine: other files go on.

        Raises :class:`ChangedFile` when the file is not the one of the digest any more, also after the last block.
        """
        self._require_unchanged()
        try:
            yield from reading.blocks(self.path, known)
        except Exception as error:
            # The readers raise OSError alone; what else a broken file makes a library raise must not stop the others.
            yield bad_file("intake.reason.cannot-read", error=type(error).__name__)
        self._require_unchanged()

    def _require_unchanged(self) -> None:
        try:
            now = self.path.lstat()
        except OSError as error:
            raise ChangedFile from error
        if _state(now) != self.state:
            raise ChangedFile


@dataclass(frozen=True, slots=True)
class Delivery:
    """The files that are read, and the names of the others with the reason."""

    files: tuple[RawFile, ...]
    not_read: dict[str, Text]


def delivery(paths: Path | Iterable[Path], catalogue: Catalogue, learnt: Sequence[layouts.Learnt] = ()) -> Delivery:
    """The files of these paths, or of a folder. Raises :class:`Missing` when there is none to read."""
    files, not_read = list[RawFile](), dict[str, Text]()
    listed = [path for path in _listed(paths) if path.name != LIST]
    for path, name in zip(listed, _names(listed), strict=True):
        reason = _why_not(path, catalogue, learnt)
        if reason is None:
            try:
                files.append(_opened(path, name))
            except OSError as error:
                reason = Text.of("intake.ignored.unreadable", error=error.strerror or type(error).__name__)
        if reason is not None:
            not_read[name] = reason
    if not files:
        raise Missing("intake.no-file-to-bring-in", endings=", ".join(reading.ENDINGS))
    return Delivery(tuple(files), not_read)


def readable(name: str) -> str:
    """A file's name as text: bytes that are no UTF-8 are GB18030 or are written out, and so are control characters."""
    try:
        text = name.encode("utf-8").decode()
    except UnicodeEncodeError:
        raw = os.fsencode(name)
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError:
            text = raw.decode("utf-8", "backslashreplace")
    return "".join(f"\\u{ord(sign):04x}" if unicodedata.category(sign)[0] == "C" else sign for sign in text)


def _names(paths: Sequence[Path]) -> list[str]:
    """What each file is called: its name, with its folder where two have one name, with a number where that is no
    difference either."""
    plain = [readable(path.name) for path in paths]
    names: list[str] = []
    for path, name in zip(paths, plain, strict=True):
        given = first = name if plain.count(name) == 1 else f"{readable(path.parent.name)}/{name}"
        number = 1
        while given in names:
            number += 1
            given = f"{first} ({number})"
        names.append(given)
    return names


@contextmanager
def open_plain(path: Path) -> Iterator[BufferedReader]:
    """A plain file, open for reading. Raises OSError, also for a link, a pipe or a device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would wait for its other end
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError
        yield stream


def _opened(path: Path, name: str) -> RawFile:
    """The file with its digest. Raises OSError, also for what became a pipe or a link in the meantime."""
    with open_plain(path) as stream:
        before = os.fstat(stream.fileno())
        return RawFile(path, hashlib.file_digest(stream, "sha256").hexdigest(), name, _state(before))


def _state(status: os.stat_result) -> State:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _listed(paths: Path | Iterable[Path]) -> list[Path]:
    if isinstance(paths, Path):
        if not paths.exists():
            raise Missing("intake.no-file-or-folder", paths_name=paths.name)
        return sorted(paths.iterdir()) if paths.is_dir() else [paths]
    listed: list[Path] = []
    for path in paths:
        if not path.exists():
            raise Missing("intake.no-file-or-folder", paths_name=path.name)
        listed += sorted(path.iterdir()) if path.is_dir() else [path]
    return sorted(dict.fromkeys(listed))


def _why_not(path: Path, catalogue: Catalogue, learnt: Sequence[layouts.Learnt]) -> Text | None:
    """Why a file is not read; None for one that is."""
    ending = path.suffix.lower()
    if path.name.startswith((".", "~$")):
        return Text.of("intake.ignored.hidden")
    try:
        status = path.lstat()
    except OSError as error:
        return Text.of("intake.ignored.unreadable", error=error.strerror or type(error).__name__)
    if stat.S_ISDIR(status.st_mode):
        return Text.of("intake.ignored.folder")
    if stat.S_ISLNK(status.st_mode):
        return Text.of("intake.ignored.link")
    if not stat.S_ISREG(status.st_mode):
        return Text.of("intake.ignored.no-plain-file")
    if status.st_size > LARGEST:
        return Text.of("intake.ignored.too-large", gibibytes=LARGEST >> 30)
    if ending in reading.ENDINGS:
        return None
    if ending in reading.NAMED_ENDINGS and layouts.table_of(readable(path.name), catalogue, learnt):
        return None
    return Text.of("intake.ignored.ending", endings=", ".join(reading.ENDINGS))
