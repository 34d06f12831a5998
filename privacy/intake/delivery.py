"""The files of one intake: which are read, which are not and why, and what each of them is called in reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from credit.canonical import digest
from credit.catalogue import Catalogue
from credit.errors import Missing
from credit.messages import Text
from privacy.files import reading
from privacy.files.block import Block, bad_file
from privacy.intake import layouts

LIST = "delivery.yaml"  # the list of a delivery, beside its files


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file that is read: its path, its SHA-256, and its name in reports (with its folder where two have one name)."""

    path: Path
    digest: str
    name: str

    def blocks(self, known: frozenset[str]) -> Iterator[Block]:
        """Its blocks. Whatever goes wrong in reading it becomes a row of the quarantine: other files go on."""
        try:
            yield from reading.blocks(self.path, known)
        except Exception as error:
            # The readers raise OSError alone; what else a broken file makes a library raise must not stop the others.
            yield bad_file("intake.reason.cannot-read", error=type(error).__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The files that are read, and the names of the others with the reason."""

    files: tuple[RawFile, ...]
    not_read: dict[str, Text]


def delivery(paths: Path | Iterable[Path], catalogue: Catalogue, learnt: Sequence[layouts.Learnt] = ()) -> Delivery:
    """The files of these paths, or of a folder. Raises :class:`Missing` when there is none to read."""
    files, not_read = list[RawFile](), dict[str, Text]()
    listed = [path for path in _listed(paths) if path.name != LIST]
    names = [path.name for path in listed]
    for path in listed:
        name = path.name if names.count(path.name) == 1 else f"{path.parent.name}/{path.name}"
        reason = _why_not(path, catalogue, learnt)
        if reason is None:
            try:
                files.append(RawFile(path, digest(path), name))
            except OSError as error:
                reason = Text.of("intake.ignored.unreadable", error=error.strerror or type(error).__name__)
        if reason is not None:
            not_read[name] = reason
    if not files:
        raise Missing("intake.no-file-to-bring-in", endings=", ".join(reading.ENDINGS))
    return Delivery(tuple(files), not_read)


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
    if path.is_dir():
        return Text.of("intake.ignored.folder")
    if ending in reading.ENDINGS:
        return None
    if ending in reading.NAMED_ENDINGS and layouts.table_of(path.name, catalogue, learnt):
        return None
    return Text.of("intake.ignored.ending", endings=", ".join(reading.ENDINGS))
