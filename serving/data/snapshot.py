"""A book: one snapshot of one version, opened from the shelf alone, verified, and looked up by subject key."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Broken, Lapsed, Missing
from credit.messages import Text
from credit.seal import Kind
from credit.shelf import Shelf
from credit.subjects import SubjectKey, SubjectKind
from models.scoring.scorecard import Scorecard
from models.scoring.scorecard import read as read_scorecard
from models.scoring.snapshot_layout import KEY_BYTES, SUBJECTS_FILE, map_answers, map_features
from serving.data.key_index import KeyIndex, map_bytes

_SIGNERS = {"platform"}
FileStamps = tuple[tuple[str, int, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class SnapshotPointers:
    """What the platform's two signed pointers of a model say at one moment."""

    model: str
    champion: str  # the version promoted
    version: str  # the version of the current snapshot
    snapshot: str

    @property
    def agree(self) -> bool:
        """Whether the current snapshot is of the promoted version."""
        return self.champion == self.version

    @property
    def seals(self) -> tuple[str, str, str]:
        """Every seal named."""
        return self.champion, self.version, self.snapshot


@dataclass(frozen=True, slots=True)
class ActiveSnapshot:
    """All that is needed to answer for one model; never changed, only replaced, so an answer comes from one book."""

    model: str
    subject_kind: SubjectKind | None
    version: str
    snapshot: str
    release: str
    as_of: date
    ends: date  # the first day on which the version or the snapshot has lapsed
    notice: int  # through which notice of withholding its data go
    card: Scorecard = field(repr=False)  # the words and numbers of the version
    features: NDArray[np.float64] = field(repr=False)  # (n, F)
    answers: NDArray[Any] = field(repr=False)  # (n,) structured
    marks: FileStamps = field(repr=False)
    rows: KeyIndex = field(repr=False)

    def row_of(self, subject: SubjectKey) -> int | None:
        """The row of a subject; None when not in the snapshot."""
        return self.rows.row_of(subject.raw)

    def valid_until(self, freshness_days: int) -> date:
        """The last day on which this book may answer."""
        return last_valid_day(self.as_of, self.ends, freshness_days)

    def require_fresh(self, day: date, freshness_days: int) -> None:
        """Raises Lapsed when too old on `day`: a repaired record must leave the answers within known days."""
        last = self.valid_until(freshness_days)
        if day > last:
            raise Lapsed("snapshot.snapshot-model-stale", model=self.model, as_of=self.as_of, last=last)


@lru_cache(64)
def last_valid_day(as_of: date, ends: date, freshness_days: int) -> date:
    """The last day on which data of `as_of` may be answered from, under seals that end on `ends`."""
    return min(as_of + timedelta(days=freshness_days), ends - timedelta(days=1))


def read_pointers(shelf: Shelf, model: str) -> SnapshotPointers:
    """The two pointers of a model. Raises Missing when one was never set, Broken when one does not verify."""
    champion = shelf.pointer(f"champion-{model}", _SIGNERS)
    snapshot = shelf.pointer(f"snapshot-{model}", _SIGNERS)
    if champion is None or snapshot is None:
        id = "snapshot.no-champion" if champion is None else "snapshot.no-snapshot"
        raise Missing(id, remedy=Text.of("snapshot.promote-then-make"), model=model)
    if {champion.get("model"), snapshot.get("model")} != {model}:
        raise Broken("snapshot.pointer-model-speaks-another-model", model=model)
    return SnapshotPointers(model, str(champion["version"]), str(snapshot["version"]), str(snapshot["snapshot"]))


def open_snapshot(shelf: Shelf, pointed: SnapshotPointers, excerpt: str | None = None) -> ActiveSnapshot:
    """Open the version and the snapshot with every digest verified, and map the arrays; of an excerpt, what it holds.

    Raises Lapsed when the snapshot is not of the promoted version, Broken when anything does not fit, Missing.
    """
    if not pointed.agree:
        raise Lapsed("snapshot.champion-no-snapshot", model=pointed.model)
    held = excerpt or pointed.snapshot
    marks = file_stamps(shelf, pointed.version, held)  # before the digests: a later change shows as a difference
    version, snapshot = shelf.open(pointed.version), shelf.open(held)
    terms = snapshot.seal.terms
    if (version.seal.kind, snapshot.seal.kind) != (Kind.VERSION, Kind.EXCERPT if excerpt else Kind.SNAPSHOT):
        raise Broken("snapshot.pointer-model-names-seal-another", model=pointed.model)
    if excerpt and terms["of"] != pointed.snapshot:
        raise Broken("snapshot.excerpt-not-one-snapshot")
    if pointed.version not in snapshot.seal.parents or terms["model"] != pointed.model:
        raise Broken("snapshot.snapshot-not-one-model-and")
    release = next((p for p in snapshot.seal.parents if p.startswith(f"{Kind.RELEASE}-")), "")
    declared = json.loads((version.path / "version.json").read_bytes())
    features = map_features(snapshot.path)
    answers = map_answers(snapshot.path)
    keys = map_bytes(snapshot.path / SUBJECTS_FILE)
    if not len(keys) == KEY_BYTES * len(answers) == KEY_BYTES * len(features):
        raise Broken("snapshot.snapshot-files-different-lengths")
    kind = declared.get("subject_kind")
    return ActiveSnapshot(
        pointed.model, SubjectKind(kind) if kind else None, pointed.version, pointed.snapshot, release,
        date.fromisoformat(terms["as_of"]), min(version.seal.expires_on, snapshot.seal.expires_on),
        int(terms.get("notice", 0)),
        read_scorecard(declared), features, answers, marks, KeyIndex(keys),
    )  # fmt: skip


def file_stamps(shelf: Shelf, *seals: str) -> FileStamps:
    """What the file system says of every file in these sealed folders: a cheap sign that a byte may have changed."""
    found: list[tuple[str, int, int, int, int]] = []
    for seal in dict.fromkeys(seals):
        for path in sorted(shelf.folder_of(seal).glob("*")):
            stat = path.stat()
            found.append((f"{seal}/{path.name}", stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
    return tuple(found)
