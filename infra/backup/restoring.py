"""Make a home of a backup: every byte is compared with its digest, and the home appears whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from credit.errors import Broken, Malformed, Missing
from credit.keys import KeyRing
from credit.ledger import Ledger
from credit.ledger.head import opened_head
from credit.ledger.statement import Statement
from credit.requests.state_reader import LEDGER_ZONES
from infra.backup.copying import copied_bytes
from infra.backup.making import whole_backups
from infra.backup.manifest import NAME, BackedUpFile, Manifest
from infra.home import Home
from infra.progress import ReportProgress

RING = "keys/ring/"  # without which a part has no keys


@dataclass(frozen=True, slots=True)
class RestoredHome:
    """What a restored home has: the days of its two parts, and the number of entries of each ledger."""

    data_made_at: datetime
    keys_made_at: datetime
    files: int
    bytes: int
    ledgers: Mapping[str, int]


def restore(data: Path, keys: Path, home: Path, report: ReportProgress) -> RestoredHome:
    """Make ``home`` of the two parts of a backup; of a folder of several, the newest is taken.

    The keys may be of a later backup than the data. Raises :class:`Malformed` where there is something at ``home``
    already, :class:`Missing` for a folder that is no whole backup, and :class:`Broken` for a file that changed since.
    """
    if home.exists() and any(home.iterdir()):
        raise Malformed("backup.home-exists", folder=home)
    data, keys = _newest(data), _newest(keys)
    manifests = {folder: Manifest.read(folder) for folder in (data, keys)}
    if not any(name.startswith(RING) for name in manifests[keys].files):
        raise Malformed("backup.no-keys-here", keys=keys.name)
    if manifests[keys].made_at < manifests[data].made_at:
        raise Malformed("backup.keys-older", keys=keys.name, data=data.name)
    making = home.with_name(f".{home.name}.restoring")
    shutil.rmtree(making, ignore_errors=True)  # of a run that was killed
    try:
        _fill(making, manifests, report)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)  # it has keys
        raise
    with suppress(FileNotFoundError):
        home.rmdir()
    making.rename(home)
    whole = Home(home)
    ledgers = {name: ledger.head()[0] for name, ledger in whole.ledgers().items()}
    files, size = (sum(counts) for counts in zip(*((len(m.files), m.bytes) for m in manifests.values()), strict=True))
    return RestoredHome(manifests[data].made_at, manifests[keys].made_at, files, size, ledgers)


def _fill(making: Path, manifests: Mapping[Path, Manifest], report: ReportProgress) -> None:
    """Copy every file, make every link and folder, and give each to its owner."""
    making.mkdir(parents=True, mode=0o700)
    total, done = sum(len(each.files) for each in manifests.values()), 0
    for folder, manifest in manifests.items():
        for name, file in manifest.files.items():
            _copy(folder / name, making / name, file, name)
            done += 1
            report("restoring files", done, total)
        for name, target in manifest.links.items():
            (making / name).parent.mkdir(parents=True, exist_ok=True)
            os.symlink(target, making / name)
    os.sync()
    folders = {name: folder for manifest in manifests.values() for name, folder in manifest.folders.items()}
    for name in folders:
        (making / name).mkdir(parents=True, exist_ok=True)
    for name in sorted(folders, key=lambda each: len(Path(each).parts), reverse=True):  # who owns one may close it
        _give(making / name, folders[name].owner, folders[name].group, folders[name].mode)


def entries_lost(document: Any, data: Path, keys: Path) -> dict[str, int]:
    """The entries of each ledger that a file of heads knows and the backup does not have.

    Raises :class:`Malformed` for another file, and :class:`Broken` for a head that the ledger's zone did not sign, or
    that names another entry than the backup has.
    """
    data, keys = _newest(data), _newest(keys)
    ring, lost = KeyRing.load(keys / RING), dict[str, int]()
    try:
        rows = [(str(row["ledger"]), row["head"], str(document["at"])) for row in document["heads"]]
    except (KeyError, TypeError) as error:
        raise Malformed("heads.not-heads-file") from error
    for name, head, at in rows:
        if name not in LEDGER_ZONES:
            raise Malformed("heads.not-heads-file")
        ledger = Ledger(data / "ledgers" / f"{name}.jsonl", None, ring, LEDGER_ZONES[name])
        seq, last = opened_head(head, name, ring, ledger.zone)
        entries = ledger.head()[0]
        if seq <= entries:
            Statement(name, seq, last, at, "heads").require_true(ledger)
        lost[name] = max(seq - entries, 0)
    return lost


def _newest(folder: Path) -> Path:
    """The folder itself when it is a backup, or else the newest in it."""
    whole = [] if (folder / NAME).exists() else whole_backups(folder)
    return whole[-1] if whole else folder


def _copy(source: Path, target: Path, file: BackedUpFile, name: str) -> None:
    """Copy a file and give it its mode, owner and time. Raises :class:`Broken` for other bytes than were backed up."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with source.open("rb") as reading:
            _, sha256 = copied_bytes(reading, target)
    except FileNotFoundError as error:
        raise Missing("backup.file-missing", name=name) from error
    if sha256 != file.sha256:
        raise Broken("backup.file-changed", name=name)
    _give(target, file.owner, file.group, file.mode)
    os.utime(target, ns=(file.modified, file.modified))


def _give(path: Path, owner: int, group: int, mode: int) -> None:
    if os.getuid() == 0:
        os.chown(path, owner, group)
    path.chmod(mode)
