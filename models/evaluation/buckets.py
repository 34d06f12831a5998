"""The evaluation of one bucket: its active subjects, their measures, points and grades."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation.query import check_evaluation
from models.features.duckdb_engine import Limits, engine
from models.features.observations import observe_population, population_columns, register_groups
from models.features.views import OBSERVED, compute_features, make_views, read_bucket
from models.scoring.evaluation.declaration import Evaluation, read_evaluation
from models.scoring.evaluation.points import EvaluatedPoints, evaluate_points
from models.scoring.snapshot_layout import evaluation_dtype
from models.snapshots.bucket_files import (
    BucketAnswers,
    bucket_answers_path,
    keys_of,
    read_bucket_answers,
    write_bucket_answers,
)


def evaluate_bucket(
    declaration: Mapping[str, Any], folders: tuple[str, str], terms: Mapping[str, Any], as_of: date, limits: Limits,
    bucket: int,
) -> int:  # fmt: skip
    """Evaluate one bucket and write its file; the number of its subjects.

    ``folders`` are the release and the work folder. A module-level function of plain values, so that a cluster with a
    shared folder can run it.
    """
    release, folder = folders
    path = bucket_answers_path(Path(folder), bucket)
    if path.exists():
        return len(read_bucket_answers(path).keys)
    evaluation = read_evaluation(declaration)
    made = observed_bucket(evaluation, Path(release), terms, as_of, limits, bucket)
    write_bucket_answers(path, made)
    return len(made.keys)


def observed_bucket(
    evaluation: Evaluation, release: Path, terms: Mapping[str, Any], as_of: date, limits: Limits, bucket: int
) -> BucketAnswers:
    """The evaluated subjects of one bucket, in the order of their keys."""
    query = check_evaluation(evaluation, terms).query
    wanted = dict(query.tables)
    wanted[evaluation.population] = wanted.get(evaluation.population, frozenset()) | population_columns(
        evaluation, terms
    )
    with engine(limits) as database:
        read_bucket(database, release, terms, bucket, wanted)
        database.lock_down()
        observe_population(database, evaluation, as_of)
        subjects = [row[0] for row in database.fetch_rows(f"SELECT key FROM {OBSERVED} ORDER BY number")]
        groups = register_groups(database, evaluation, terms)
        make_views(database, query, terms, evaluation.population)
        codes = tuple(measure.code for measure in evaluation.measures)
        values = compute_features(database, query, codes, len(subjects))
    result = evaluate_points(evaluation, values)
    named = {name: np.array(each, dtype=np.str_) for name, each in groups.items()}
    return BucketAnswers(keys_of(subjects), values, answers_of(evaluation, result), named)


def answers_of(evaluation: Evaluation, result: EvaluatedPoints) -> NDArray[Any]:
    """The records (n,) of :func:`~models.scoring.snapshot_layout.evaluation_dtype`."""
    answers = np.zeros(len(result.points), dtype=evaluation_dtype(len(evaluation.indicators)))
    answers["points"], answers["contributions"], answers["grade"] = result.points, result.contributions, result.grade
    return answers
