"""Monthly evaluation (按月评价): a snapshot with a table of every subject and counts of rating changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from credit.errors import Malformed, Refused
from credit.messages import Text
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf
from models.scoring.scorecard import Scorecard
from models.scoring.scorer import Scorer
from models.scoring.snapshot_layout import (
    EVALUATION_FILE,
    KEY_BYTES,
    MOVEMENTS_FILE,
    map_answers,
    map_features,
    read_keys,
)
from models.snapshots.batch_scores import BucketAnswers, iterate_buckets
from models.snapshots.rating_migration import DOWN, NEW, SAME, UP, RatingMigration

TOP_REASONS = 5  # reasons listed for each subject


@dataclass(frozen=True, slots=True, eq=False)
class PreviousEvaluation:
    """The snapshot of an earlier period: keys (n,) as bytes, sorted, with the arrays of the snapshot."""

    id: str
    keys: NDArray[np.bytes_]
    answers: NDArray[Any]
    hits: NDArray[np.bool_]
    card: Scorecard

    @classmethod
    def open(cls, snapshot: OpenedSeal, shelf: Shelf) -> PreviousEvaluation:
        """Open a snapshot and the scorecard of its version."""
        card = Scorer.load(shelf.open(snapshot.seal.terms["version"]).path).card
        keys, features = read_keys(snapshot.path), map_features(snapshot.path)
        return cls(
            snapshot.seal.id, _as_single_values(keys), map_answers(snapshot.path), card.rule_hits(features), card
        )

    @property
    def grades(self) -> dict[str, int]:
        """The number of subjects with each grade."""
        counts = np.bincount(self.answers["grade"], minlength=len(self.card.grades))
        return {grade: int(count) for grade, count in zip(self.card.grades, counts, strict=True)}

    def rows_of(self, keys: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The row (n,) of each key, -1 where the key is not in the snapshot."""
        if not len(self.keys):
            return np.full(len(keys), -1)
        wanted = _as_single_values(keys)
        row = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[row] == wanted, row, -1)


def require_period(period: str, as_of: date) -> None:
    """Raise :class:`Malformed` unless ``period`` is YYYY-MM, and :class:`Refused` unless the day of the data is in
    it."""
    try:
        date.fromisoformat(f"{period}-01")
    except ValueError as error:
        raise Malformed("monthly-evaluation.not-period", why=Text.verbatim(period)) from error
    if as_of.isoformat()[:7] != period:
        raise Refused("monthly-evaluation.release-shows-another-month-than", period=period, as_of=as_of)


def previous_snapshot(shelf: Shelf, model: str, period: str) -> OpenedSeal | None:
    """The newest snapshot of a model from before a period, or None."""
    earlier = [s for s in shelf.list(Kind.SNAPSHOT) if s.terms["model"] == model and s.terms["as_of"][:7] < period]
    newest: Seal | None = max(earlier, key=lambda seal: (seal.terms["as_of"], seal.made_at), default=None)
    return None if newest is None else shelf.open(newest.id)


def evaluation_writer(
    card: Scorecard, period: str, previous: PreviousEvaluation | None
) -> Callable[[Path, Path, int], dict[str, Any]]:
    """The function for ``extra_files`` of :func:`~models.snapshots.build.make_snapshot`; it returns the terms to
    add."""

    def write(folder: Path, work: Path, buckets: int) -> dict[str, Any]:
        migration = RatingMigration(card.grades, previous.grades if previous else {})
        writer: pq.ParquetWriter | None = None
        try:
            for bucket in iterate_buckets(work, buckets):
                table = evaluation_table(bucket, card, previous)
                migration.add(table)
                writer = writer or pq.ParquetWriter(folder / EVALUATION_FILE, table.schema, compression="zstd")
                writer.write_table(table)
        finally:
            if writer:
                writer.close()
        header = {"period": period, "last": previous.id if previous else None}
        content = json.dumps(header | migration.as_json(), ensure_ascii=False, indent=1)
        (folder / MOVEMENTS_FILE).write_text(content, encoding="utf-8")
        return header

    return write


def evaluation_table(bucket: BucketAnswers, card: Scorecard, previous: PreviousEvaluation | None) -> pa.Table:
    """The evaluation table of one bucket."""
    answers, names, grades = bucket.answers, np.array(card.names), np.array(card.grades)
    rows = previous.rows_of(bucket.keys) if previous else np.full(len(answers), -1)
    known = rows >= 0
    before, points = np.full(len(answers), -1), np.full(len(answers), np.nan)
    if previous and known.any():
        place = {grade: number for number, grade in enumerate(card.grades)}
        then = np.array([place.get(grade, -1) for grade in previous.card.grades])
        before[known] = then[previous.answers["grade"][rows[known]]]
        points[known] = previous.answers["points"][rows[known]]
    grade = answers["grade"].astype(int)
    moved = np.where(before < 0, NEW, np.where(grade > before, DOWN, np.where(grade < before, UP, SAME)))
    top = np.argsort(-np.abs(answers["contributions"]), axis=1, kind="stable")[:, :TOP_REASONS]
    strongest = np.take_along_axis(answers["contributions"], top, axis=1)
    rules = [
        [f"{r.feature}>={r.at_least:g}" for r, hit in zip(card.rules, row, strict=True) if hit] for row in bucket.hits
    ]
    return pa.table(
        {
            "subject": [key.tobytes().hex() for key in bucket.keys],
            **{name: pa.array(values.tolist(), pa.string()) for name, values in bucket.groups.items()},
            "grade": pa.array(grades[grade].tolist(), pa.string()),
            "points": answers["points"].copy(),
            "probability": answers["probability"].copy(),
            "reasons": pa.array(names[top].tolist(), pa.list_(pa.string())),
            "reason_points": pa.array(np.round(strongest, 2).tolist(), pa.list_(pa.float64())),
            "rules": pa.array(rules, pa.list_(pa.string())),
            "last_grade": pa.array([grades[b] if b >= 0 else None for b in before], pa.string()),
            "change": pa.array(answers["points"] - points, mask=np.isnan(points)),
            "movement": pa.array(moved.tolist(), pa.string()),
            "cause": pa.array(_causes(bucket, card, previous, rows, moved != NEW), pa.string()),
        }
    )


def _causes(
    bucket: BucketAnswers,
    card: Scorecard,
    previous: PreviousEvaluation | None,
    rows: NDArray[np.int64],
    wanted: NDArray[np.bool_],
) -> list[str | None]:
    """What changed each subject's points most: a newly met rule, else the feature with the largest change in that
    direction."""
    causes: list[str | None] = [None] * len(rows)
    if previous is None or not wanted.any():
        return causes
    here = np.flatnonzero(wanted & (rows >= 0))
    then = previous.answers["contributions"][rows[here]]
    column = {name: number for number, name in enumerate(previous.card.names)}
    aligned = np.column_stack([then[:, column[n]] if n in column else np.zeros(len(here)) for n in card.names])
    change = bucket.answers["contributions"][here] - aligned
    direction = np.sign(bucket.answers["points"][here] - previous.answers["points"][rows[here]])
    strongest = np.argmax(change * direction[:, None], axis=1)
    rule_then = {(r.feature, r.at_least, r.grade): number for number, r in enumerate(previous.card.rules)}
    for number, row in enumerate(here):
        causes[row] = card.names[strongest[number]] if direction[number] else None
        for place in np.flatnonzero(bucket.hits[row]):
            rule = card.rules[place]
            old = rule_then.get((rule.feature, rule.at_least, rule.grade))
            if old is None or not previous.hits[rows[row], old]:
                causes[row] = f"rule {rule.feature}"
                break
    return causes


def _as_single_values(keys: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """Keys (n, 16) as one bytes value each. numpy drops trailing zeros, which is harmless as all keys have one
    length."""
    return np.ascontiguousarray(keys).view(f"S{KEY_BYTES}").ravel()
