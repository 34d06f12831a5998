"""The same sample gives the same version to the byte; one there is nothing to learn from is refused in words."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from credit.errors import Refused
from models.boosting.booster import model_text_of, train_booster
from models.boosting.recipe import Recipe
from models.dataset.matrix import TrainingRows
from models.dataset.sample import Sample
from models.distributed.ray_cluster import in_process
from models.scoring.trees.model_text import read
from models.training.fit import VersionContent, fit, require_learnable, train_with_full_leaves
from tests.models import invented

IDS = {"order": f"order-{'0' * 64}", "release": f"release-{'1' * 64}"}


def test_the_same_sample_gives_the_same_version(fitted: VersionContent, sample: Sample) -> None:
    assert fit(invented.declaration(), sample, in_process(), **IDS) == fitted


def test_every_leaf_really_holds_the_rows_the_order_requests() -> None:
    """LightGBM's own bound is an estimate, and late trees undercut it."""
    random = np.random.default_rng(3)
    features = random.normal(size=(400, 5))
    labels = (features[:, 0] + random.logistic(size=400) * 0.3 > 1).astype(np.int8)
    rows = TrainingRows(features, labels, np.zeros(400, dtype=np.int16), tuple("abcde"), (1, 0, 0, 0, 0))
    requested = Recipe(8, 0.1, 200, 10, 7)
    plain = read(model_text_of(train_booster(features, labels, rows.names, rows.directions, requested)), rows.names)
    assert min(tree.leaf_count.min() for tree in plain.trees) < 10, "the case is one where it matters"
    recipe, text = train_with_full_leaves(rows, requested)
    assert min(tree.leaf_count.min() for tree in read(text, rows.names).trees) >= 10
    assert text == model_text_of(train_booster(features, labels, rows.names, rows.directions, recipe)), (
        "and it grows again from the recipe"
    )


def test_without_a_later_period_the_rows_are_evaluated_out_of_fold() -> None:
    sample = invented.sample(600, late=False)
    evidence = fit(invented.declaration(), sample, in_process(), **IDS).evidence
    assert evidence["judged_by"] == "out of fold"
    assert evidence["rows"] == len(sample.labels)
    assert 0.6 < evidence["auc_low"] < evidence["auc"] < evidence["auc_high"] < 0.9


def test_evidence_has_what_the_report_needs(fitted: VersionContent) -> None:
    evidence = fitted.evidence
    assert {"rows", "positives", "auc", "auc_low", "auc_high", "ks", "brier", "roc", "baseline"} <= set(evidence)
    assert len(evidence["roc"]) <= 100
    bins = [count for counts in evidence["points"]["grades"].values() for count in counts if count]
    assert all(count % 5 == 0 for count in bins)  # a count is given in fives, so that one subject moves none of them
    assert abs(sum(bins) - evidence["rows"]) <= 2.5 * len(bins)
    assert evidence["baseline"]["auc_low"] < evidence["baseline"]["auc"] < evidence["baseline"]["auc_high"]


def test_noise_is_not_sold_as_a_model() -> None:
    random = np.random.default_rng(5)
    sample = invented.sample(600)
    sample = replace(sample, labels=random.permutation(sample.labels))
    with suppress(Refused):  # either it does not rank at all, or its interval says so
        assert fit(invented.declaration(), sample, in_process(), **IDS).evidence["auc_low"] < 0.55


def only(sample: Sample, keep: np.ndarray) -> Sample:
    return replace(
        sample,
        subjects=[name for name, kept in zip(sample.subjects, keep, strict=True) if kept],
        **{name: getattr(sample, name)[keep] for name in ("as_of", "labels", "features", "fold", "out_of_time")},
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda s: only(s, np.arange(len(s.labels)) < 150), "rows to learn from"),
        (lambda s: replace(s, labels=np.zeros_like(s.labels)), "one outcome"),
        (lambda s: replace(s, labels=(np.arange(len(s.labels)) % 1200 == 0).astype(np.int8)), "of either outcome"),
        (lambda s: replace(s, features=np.full_like(s.features, np.nan)), "one value"),
        (lambda s: replace(s, features=np.ones_like(s.features)), "one value"),
        (lambda s: replace(s, fold=np.zeros_like(s.fold)), "one fold"),
        (lambda s: replace(s, labels=np.where(s.out_of_time, 0, s.labels).astype(np.int8)), "out of time"),
    ],
)
def test_nothing_to_learn_is_refused_in_words(sample: Sample, change, why: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refused, match=why):
        require_learnable(change(sample))
