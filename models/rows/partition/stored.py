"""The partition of one day and kind of subjects, made once and kept in compute: every release of that day uses it.

A file a day and kind in compute's own folder, readable by compute alone. Its digest is in compute's ledger, and a file
that is not the one in the ledger is refused. So a second request, of whatever columns, never splits a group, and two
releases of a day cannot be intersected to fewer than k subjects.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.actor import Actor
from credit.canonical import digest
from credit.errors import Broken
from credit.files import write_atomically
from credit.ledger import Ledger

MADE = "partition.made"
OPEN = "open"  # the partition of what is open; the others are named after a market table


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """The groups of all n subjects of a kind on a day.

    ``groups`` maps :data:`OPEN` and each market table to the group (n,) of every subject; ``about`` says of which
    release, k, columns and weights it was made.
    """

    subjects: NDArray[Any]
    groups: Mapping[str, NDArray[np.int64]]
    about: Mapping[str, Any]

    def places(self, subjects: NDArray[Any]) -> NDArray[np.int64]:
        """The place of each of these subjects in the partition; -1 for one that is not in it."""
        place = np.searchsorted(self.subjects, subjects)
        place = np.minimum(place, max(0, len(self.subjects) - 1))
        is_there = self.subjects[place] == subjects if len(self.subjects) else np.zeros(len(subjects), dtype=np.bool_)
        return np.asarray(np.where(is_there, place, -1), dtype=np.int64)


def name_of(kind: str, day: date) -> str:
    """The name of a partition: in the ledger, and of its file."""
    return f"partition-{kind}-{day.isoformat()}"


@dataclass(frozen=True, slots=True)
class PartitionStore:
    """The partitions of compute, in ``folder``; ``ledger`` is compute's own."""

    folder: Path
    ledger: Ledger

    def load(self, kind: str, day: date) -> Partition | None:
        """The partition of a day, or None when there is none yet.

        Raises :class:`Broken` when the file is missing or is not the one in the ledger.
        """
        entries = [entry for entry in self.ledger.about(name_of(kind, day)) if entry.verb == MADE]
        if not entries:
            return None
        try:
            content = self._path(kind, day).read_bytes()
        except OSError as error:
            raise Broken("rows.partition-gone", day=day) from error
        if digest(content) != entries[0].details["digest"]:
            raise Broken("rows.partition-changed", day=day)
        return _read(content)

    def keep(self, kind: str, day: date, partition: Partition, *, by: Actor) -> Partition:
        """Keep a new partition and give the one that counts: the first that was entered in the ledger.

        A kill between the file and the entry leaves a file that the next attempt replaces.
        """
        if (first := self.load(kind, day)) is not None:
            return first
        content = _written(partition)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(self._path(kind, day), content, mode=0o600)
        details = {"digest": digest(content), **{name: partition.about[name] for name in ("release", "k", "groups")}}
        self.ledger.append(MADE, name_of(kind, day), by=by, details=details)
        return partition

    def _path(self, kind: str, day: date) -> Path:
        return self.folder / f"{name_of(kind, day)}.npz"


def _written(partition: Partition) -> bytes:
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {f"groups-{name}": groups.astype(np.int32) for name, groups in partition.groups.items()}
    about = np.frombuffer(json.dumps(dict(partition.about)).encode(), dtype=np.uint8)
    np.savez_compressed(buffer, subjects=partition.subjects.astype("S64"), about=about, **arrays)
    return buffer.getvalue()


def _read(content: bytes) -> Partition:
    with np.load(io.BytesIO(content), allow_pickle=False) as data:
        groups = {name.removeprefix("groups-"): data[name].astype(np.int64) for name in data.files if "groups-" in name}
        subjects = np.array([subject.decode() for subject in data["subjects"]], dtype=np.object_)
        return Partition(subjects, groups, json.loads(data["about"].tobytes()))
