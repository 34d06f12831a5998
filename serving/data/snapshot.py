"""One snapshot of one model version: opened from the shelf alone, verified, and searched by subject key."""

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
from credit.usage_rights import UsageRight, stated_rights
from models.scoring.scorecard import Scorecard
from models.scoring.scorecard import read as read_scorecard
from models.scoring.snapshot_layout import KEY_BYTES, SUBJECTS_FILE, map_answers, map_features
from serving.data.key_index import KeyIndex, map_bytes

_SIGNERS = {"platform"}
FileStamps = tuple[tuple[str, int, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class SnapshotPointers:
    """The contents of a model's two pointers, which the platform signs, as they are at one moment."""

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
        """The ids of every seal that the pointers name."""
        return self.champion, self.version, self.snapshot


@dataclass(frozen=True, slots=True)
class ActiveSnapshot:
    """All that is needed to answer for one model.

    It never changes and is only replaced, so every answer rests on one snapshot.
    """

    model: str
    subject_kind: SubjectKind | None
    version: str
    snapshot: str
    release: str
    as_of: date
    expires_on: date  # the first day on which the version or the snapshot has lapsed
    notice_number: int  # number of the newest suppression notice that its data already respect
    scorecard: Scorecard = field(repr=False)  # reason texts, grades, rules and points scale of the version
    features: NDArray[np.float64] = field(repr=False)  # (n, F)
    answers: NDArray[Any] = field(repr=False)  # (n,) records of models.scoring.snapshot_layout.answer_dtype
    stamps: FileStamps = field(repr=False)
    bank_features: frozenset[str] = field(repr=False)  # the features that a bank may state in a live score
    keys: KeyIndex = field(repr=False)
    usage: frozenset[UsageRight]  # the rights of all that its model reads, which say whom it may serve

    def row_of(self, subject: SubjectKey) -> int | None:
        """The row of a subject; None when the subject is not in the snapshot."""
        return self.keys.row_of(subject.raw)

    def valid_until(self, freshness_days: int) -> date:
        """The last day on which this snapshot may answer."""
        return last_valid_day(self.as_of, self.expires_on, freshness_days)

    def require_fresh(self, day: date, freshness_days: int) -> None:
        """Raises Lapsed when the snapshot is too old on `day`: a repaired record must leave the answers within a known
        number of days.
        """
        last = self.valid_until(freshness_days)
        if day > last:
            raise Lapsed("snapshot.snapshot-model-stale", model=self.model, as_of=self.as_of, last=last)


@lru_cache(64)
def last_valid_day(as_of: date, expires_on: date, freshness_days: int) -> date:
    """The last day on which data of `as_of` may answer: at most `freshness_days` later, and before the seals expire on
    `expires_on`.
    """
    return min(as_of + timedelta(days=freshness_days), expires_on - timedelta(days=1))


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


def open_snapshot(shelf: Shelf, pointers: SnapshotPointers, excerpt: str | None = None) -> ActiveSnapshot:
    """Open a version and its snapshot, or an excerpt of that snapshot, verify every digest, and map the arrays.

    Raises Lapsed when the snapshot is not of the promoted version, Broken when a file or a seal does not match the
    others, and Missing when a seal is not on the shelf.
    """
    if not pointers.agree:
        raise Lapsed("snapshot.champion-no-snapshot", model=pointers.model)
    seal_id = excerpt or pointers.snapshot
    stamps = file_stamps(
        shelf, pointers.version, seal_id
    )  # read before the digests are verified, so that a later change shows as a difference
    version, snapshot = shelf.open(pointers.version), shelf.open(seal_id)
    terms = snapshot.seal.terms
    if (version.seal.kind, snapshot.seal.kind) != (Kind.VERSION, Kind.EXCERPT if excerpt else Kind.SNAPSHOT):
        raise Broken("snapshot.pointer-model-names-seal-another", model=pointers.model)
    if excerpt and terms["of"] != pointers.snapshot:
        raise Broken("snapshot.excerpt-not-one-snapshot")
    if pointers.version not in snapshot.seal.parents or terms["model"] != pointers.model:
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
        pointers.model, SubjectKind(kind) if kind else None, pointers.version, pointers.snapshot, release,
        date.fromisoformat(terms["as_of"]), min(version.seal.expires_on, snapshot.seal.expires_on),
        int(terms.get("notice", 0)),
        read_scorecard(declared), features, answers, stamps,
        frozenset(terms.get("bank_features", ())), KeyIndex(keys), stated_rights(terms),
    )  # fmt: skip


def file_stamps(shelf: Shelf, *seals: str) -> FileStamps:
    """The name, inode, size, and times of modification and change (ns) of every file in these sealed folders.

    Different stamps are a cheap sign that a byte may have changed.
    """
    stamps: list[tuple[str, int, int, int, int]] = []
    for seal in dict.fromkeys(seals):
        for path in sorted(shelf.folder_of(seal).glob("*")):
            stat = path.stat()
            stamps.append((f"{seal}/{path.name}", stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
    return tuple(stamps)
