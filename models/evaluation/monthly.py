"""Monthly evaluation (按月评价): the table of every subject, and the changes of grades since the month before."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
from models.evaluation.build import WriteMonth
from models.evaluation.movement_causes import movement_causes
from models.scoring.evaluation.declaration import Evaluation, read_evaluation
from models.scoring.evaluation.points import rule_hits
from models.scoring.snapshot_layout import (
    EVALUATION_FILE,
    KEY_BYTES,
    MOVEMENTS_FILE,
    map_answers,
    map_features,
    read_keys,
)
from models.snapshots.bucket_files import BucketAnswers
from models.snapshots.rating_migration import DOWN, NEW, SAME, UP, RatingMigration


@dataclass(frozen=True, slots=True, eq=False)
class PreviousMonth:
    """The evaluation of an earlier month: keys (n,) as bytes, sorted, with the arrays of its seal."""

    id: str
    keys: NDArray[np.bytes_]
    answers: NDArray[Any]
    hits: NDArray[np.bool_]
    evaluation: Evaluation

    @classmethod
    def open(cls, sealed: OpenedSeal) -> PreviousMonth:
        """Read a sealed evaluation by the declaration in its terms."""
        evaluation = read_evaluation(sealed.seal.terms["evaluation"])
        hits = rule_hits(evaluation, np.asarray(map_features(sealed.path)))
        return cls(sealed.seal.id, _single(read_keys(sealed.path)), map_answers(sealed.path), hits, evaluation)

    @property
    def grades(self) -> dict[str, int]:
        """The number of subjects with each grade."""
        return grade_counts(self.evaluation, self.answers)

    def rows_of(self, keys: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The row (n,) of each key, -1 where it was not evaluated then."""
        if not len(self.keys):
            return np.full(len(keys), -1)
        wanted = _single(keys)
        row = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[row] == wanted, row, -1)


def grade_counts(evaluation: Evaluation, answers: NDArray[Any]) -> dict[str, int]:
    """The number of subjects with each grade, by its name."""
    counts = np.bincount(answers["grade"], minlength=len(evaluation.grades))
    return {grade: int(count) for grade, count in zip(evaluation.grades, counts, strict=True)}


def require_period(period: str, as_of: date) -> None:
    """Raise :class:`Malformed` unless ``period`` is YYYY-MM, and :class:`Refused` unless the day of the data is in
    it."""
    try:
        date.fromisoformat(f"{period}-01")
    except ValueError as error:
        raise Malformed("monthly-evaluation.not-period", why=Text.verbatim(period)) from error
    if as_of.isoformat()[:7] != period:
        raise Refused("monthly-evaluation.release-shows-another-month-than", period=period, as_of=as_of)


def previous_month(shelf: Shelf, name: str, period: str) -> OpenedSeal | None:
    """The newest evaluation of this name from before a month, or None."""
    earlier = [s for s in shelf.list(Kind.SNAPSHOT) if s.terms["model"] == name and s.terms["as_of"][:7] < period]
    newest: Seal | None = max(earlier, key=lambda seal: (seal.terms["as_of"], seal.made_at), default=None)
    return None if newest is None else shelf.open(newest.id)


def month_writer(evaluation: Evaluation, period: str, previous: PreviousMonth | None) -> WriteMonth:
    """The function for ``month`` of :func:`~models.evaluation.build.make_evaluation`; it returns the terms to add."""

    def write(folder: Path, buckets: Iterator[BucketAnswers]) -> dict[str, Any]:
        migration = RatingMigration(evaluation.grades, previous.grades if previous else {})
        writer: pq.ParquetWriter | None = None
        try:
            for bucket in buckets:
                table = month_table(bucket, evaluation, previous)
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


def month_table(bucket: BucketAnswers, evaluation: Evaluation, previous: PreviousMonth | None) -> pa.Table:
    """The table of one bucket: grade, points, the points of each indicator, rules, last grade, movement and cause."""
    answers, grades = bucket.answers, np.array(evaluation.grades)
    rows = previous.rows_of(bucket.keys) if previous else np.full(len(answers), -1)
    known = rows >= 0
    before, points = np.full(len(answers), -1), np.full(len(answers), np.nan)
    if previous and known.any():
        place = {grade: number for number, grade in enumerate(evaluation.grades)}
        then = np.array([place.get(grade, -1) for grade in previous.evaluation.grades])
        before[known] = then[previous.answers["grade"][rows[known]]]
        points[known] = previous.answers["points"][rows[known]]
    grade = answers["grade"].astype(int)
    moved = np.where(before < 0, NEW, np.where(grade > before, DOWN, np.where(grade < before, UP, SAME)))
    hits = rule_hits(evaluation, bucket.features)
    rules = [
        [f"{r.feature}>={r.at_least:g}" for r, hit in zip(evaluation.rules, row, strict=True) if hit] for row in hits
    ]
    indicators = {
        f"indicator_{name}": answers["contributions"][:, place] / 100 for place, name in enumerate(evaluation.names)
    }
    return pa.table(
        {
            "subject": [key.tobytes().hex() for key in bucket.keys],
            **{name: pa.array(values.tolist(), pa.string()) for name, values in bucket.groups.items()},
            "grade": pa.array(grades[grade].tolist(), pa.string()),
            "points": answers["points"] / 100,
            **indicators,
            "rules": pa.array(rules, pa.list_(pa.string())),
            "last_grade": pa.array([grades[b] if b >= 0 else None for b in before], pa.string()),
            "change": pa.array((answers["points"] - points) / 100, mask=np.isnan(points)),
            "movement": pa.array(moved.tolist(), pa.string()),
            "cause": pa.array(
                [None] * len(rows)
                if previous is None
                else _causes((answers, hits), evaluation, previous, rows, moved != NEW),
                pa.string(),
            ),
        }
    )


def _causes(
    made: tuple[NDArray[Any], NDArray[np.bool_]],
    evaluation: Evaluation,
    previous: PreviousMonth,
    rows: NDArray[np.int64],
    wanted: NDArray[np.bool_],
) -> list[str | None]:
    here = np.flatnonzero(wanted & (rows >= 0))
    then = previous.answers[rows[here]], previous.hits[rows[here]]
    named = movement_causes(evaluation, (made[0][here], made[1][here]), previous.evaluation, then)
    causes: list[str | None] = [None] * len(rows)
    for row, cause in zip(here.tolist(), named, strict=True):
        causes[row] = cause
    return causes


def _single(keys: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """Keys (n, 16) as one bytes value each. numpy drops trailing zeros, which is harmless as all keys have one
    length."""
    return np.ascontiguousarray(keys).view(f"S{KEY_BYTES}").ravel()
