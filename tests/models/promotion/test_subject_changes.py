"""Who moves grade is counted in fives, no cell is of a few, and a version beside itself moves no subject."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.dataset.sample import Sample
from models.promotion.subject_changes import subject_changes
from models.scoring.scorer import Scorer
from models.training.fit import VersionContent


@pytest.fixture(scope="module")
def scorer(fitted: VersionContent) -> Scorer:
    return Scorer.of(fitted.text, fitted.scorecard)


def test_a_version_compared_with_itself_moves_no_subject(scorer: Scorer, sample: Sample) -> None:
    features = np.asarray(sample.features, dtype=np.float64)
    changes = subject_changes(scorer, features, scorer, features, np.asarray(sample.subjects))
    assert (changes["better"], changes["worse"], changes["few"]) == (0, 0, 0)
    assert all(was == now for was, now, _ in changes["moved"])
    assert changes["reasons"] == {"first": 1.0, "overlap": 1.0}
    assert changes["points"] == {"middle": 0, "most": 0}


def test_every_count_is_of_twenty_subjects_or_more_and_in_fives(scorer: Scorer, sample: Sample) -> None:
    """Against a version that sees the rows of other subjects; its way back has the same cells, turned."""
    features = np.asarray(sample.features, dtype=np.float64)
    other = features[::-1].copy()
    subjects = np.asarray(sample.subjects)
    changes = subject_changes(scorer, features, scorer, other, subjects)
    counts = [rows for _, _, rows in changes["moved"]]
    assert counts
    assert all(rows >= 20 and rows % 5 == 0 for rows in counts)
    assert changes["better"] + changes["worse"] > 0
    assert abs(sum(counts) + changes["few"] - changes["rows"]) <= 2.5 * (len(counts) + 1)
    back = subject_changes(scorer, other, scorer, features, subjects)
    assert sorted((now, was, rows) for was, now, rows in back["moved"]) == sorted(map(tuple, changes["moved"]))
    assert (back["better"], back["worse"]) == (changes["worse"], changes["better"])


@pytest.mark.attack
def test_a_few_subjects_are_no_comparison(scorer: Scorer, sample: Sample) -> None:
    """However many rows they have."""
    features = np.asarray(sample.features, dtype=np.float64)
    few = np.array([f"subject {number % 19}" for number in range(len(features))])
    assert subject_changes(scorer, features, scorer, features, few) == {}


@pytest.mark.attack
def test_a_grade_of_one_subject_shows_in_no_cell(scorer: Scorer, sample: Sample) -> None:
    """A grade is cut so that one row alone has it: the counts are those without the cut."""
    features = np.asarray(sample.features, dtype=np.float64)
    subjects = np.array([f"subject {number}" for number in range(len(features))])
    points = scorer.points(scorer.raw(features))
    alone = float(np.sort(points)[-2:].mean())
    card = replace(scorer.card, cuts=(max(alone, scorer.card.cuts[1]), *scorer.card.cuts[1:]))
    changes = subject_changes(replace(scorer, card=card), features, scorer, features, subjects)
    assert all(rows >= 20 for _, _, rows in changes["moved"])
