"""Make a backup of a home while its lab runs: the data in one folder, the keys in another.

::

    <data>/20261201T131500Z/    one folder a backup; what did not change is a hard link to the one before
    <keys>/20261201T131500Z/    the newest alone, so that a key that was destroyed is destroyed here too

The first pass copies while the lab works. The last one runs while no ledger and no vault changes, and copies what
changed meanwhile: the backup is what a machine that stopped at that moment would have on its disk. A backup counts
when its folder has its name; one that was stopped (``.making``) is gone on with by the next.
"""

from __future__ import annotations

import errno
import itertools
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from credit.errors import CreditError, Malformed, Missing, Refused
from credit.files import sync_folder
from infra.backup.copying import EarlierBackup, Part, copy_pass
from infra.backup.manifest import Manifest
from infra.backup.stillness import still
from infra.progress import ReportProgress

MAKING, STAMP = ".making", "%Y%m%dT%H%M%SZ"
PASSES = 3  # before the last, at most: each is shorter than the one before


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """Where a backup is, how much it has, and how many of its files were copied in this run."""

    data: Path
    keys: Path
    files: int
    bytes: int
    copied: int


def make_backup(home: Path, data: Path, keys: Path, report: ReportProgress) -> MadeBackup:
    """Back a home up into two folders, which are made where they are not there.

    Raises :class:`Missing` where there is no home, :class:`Malformed` where one folder is in another or in the home,
    and :class:`Refused` for a full disk or a file that this user may not read.
    """
    try:
        return _made(home, data, keys, report)
    except PermissionError as error:
        raise Refused("backup.not-readable", name=Path(str(error.filename)).name) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise Refused("backup.no-room", folder=data) from error


def _made(home: Path, data: Path, keys: Path, report: ReportProgress) -> MadeBackup:
    if not (home / "keys").is_dir():
        raise Missing("backup.no-home", folder=home)
    _require_apart(home, data, keys)
    stamp = datetime.now(UTC)
    name = _name(stamp, data, keys)
    parts = data_part, keys_part = _begun(data, stamp), _begun(keys, stamp)
    for _ in range(PASSES):
        if copy_pass(home, data_part, keys_part, report, databases=False) < 100:
            break
    with still(home, report):
        copy_pass(home, data_part, keys_part, report, databases=True)
    for part in reversed(parts):  # the keys first: they open the data of this backup and of every earlier one
        part.note()
        part.folder.rename(part.folder.with_name(name))
        sync_folder(part.folder.parent)
    for older in set(whole_backups(keys)) - {keys / name}:
        shutil.rmtree(older)
    manifests = [part.manifest for part in parts]
    files, size = sum(len(each.files) for each in manifests), sum(each.bytes for each in manifests)
    copied = sum(len(part.copied & part.manifest.files.keys()) for part in parts)
    return MadeBackup(data / name, keys / name, files, size, copied)


def whole_backups(folder: Path) -> list[Path]:
    """The whole backups in a folder, the oldest first."""
    return sorted(path.parent for path in folder.glob("*/backup.json") if path.parent.name != MAKING)


def _begun(folder: Path, stamp: datetime) -> Part:
    """A part that is begun, or gone on with."""
    making = folder / MAKING
    manifest = Manifest(stamp)
    with suppress(CreditError):
        manifest.files = Manifest.read(making).files
    making.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in making.rglob("*"):  # what was not written down when it was stopped
        if path.is_symlink() or (path.is_file() and path.relative_to(making).as_posix() not in manifest.files):
            path.unlink()
    whole = whole_backups(folder)
    earlier = EarlierBackup(whole[-1], Manifest.read(whole[-1])) if whole else None
    return Part(making, manifest, earlier)


def _name(stamp: datetime, data: Path, keys: Path) -> str:
    """The name of a backup: its second, and a number for another one of the same second."""
    name, number = stamp.strftime(STAMP), 1
    while (data / name).exists() or (keys / name).exists():
        number += 1
        name = f"{stamp.strftime(STAMP)}-{number}"
    return name


def _require_apart(home: Path, data: Path, keys: Path) -> None:
    places = [os.path.realpath(each) for each in (home, data, keys)]
    for one, other in itertools.permutations(places, 2):
        if Path(other).is_relative_to(one):
            raise Malformed("backup.places-not-apart", one=one, other=other)
