"""The scorecard is monotone, weighs as its peer does, adds up to its points, and is evaluated as a version."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from models.dataset.sample import Sample
from models.distributed.ray_cluster import Tasks, in_process
from models.metrics.discrimination import auc
from models.registry.model_card import model_card
from models.registry.version import Recipe
from models.scoring.scorer import Scorer
from models.training.fit import VersionContent, fit
from models.validation.holdout import score_holdout
from models.validation.woe_benchmark.benchmark import run_benchmark
from models.validation.woe_benchmark.bins import FeatureBins, cut_bins
from models.validation.woe_benchmark.page import scorecard_rows as lines_of
from models.validation.woe_benchmark.page import write_csv
from models.validation.woe_benchmark.woe_scorecard import MINIMUM_INFORMATION, RIDGE, fit_scorecard
from tests.models import invented

IDS = {"order": f"order-{'0' * 64}", "release": f"release-{'1' * 64}"}


@given(
    seed=st.integers(0, 2**16),
    direction=st.sampled_from([-1, 0, 1]),
    slope=st.floats(-2, 2),
    missing=st.floats(0, 0.6),
)
@hypothesis(max_examples=30)
def test_bins_rise_or_fall_as_declared_and_hold_their_rows(
    seed: int, direction: int, slope: float, missing: float
) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=800).round(1)
    labels = (random.random(800) < 1 / (1 + np.exp(1.5 - slope * values))).astype(np.int8)
    values[random.random(800) < missing] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing of the libraries' reaches a user
        bins = cut_bins(values, labels, direction, 30)
    steps = np.diff(bins.woe[:-1])  # the last is what is missing
    if direction:
        assert np.all(steps * direction <= 0), "more of what raises the risk is never better"
    else:
        assert np.all(steps <= 0) or np.all(steps >= 0)
    assert all(rows >= 30 for rows in bins.rows[:-1] if len(bins.rows) > 2)
    assert bins.rows[-1] == 0 or bins.rows[-1] >= 30, "fewer are not reported"
    assert set(bins.weights(values)) <= set(bins.woe)


def test_a_weight_of_evidence_is_the_textbook_one() -> None:
    """Worked by hand: 200 good and 100 bad of 0, 100 good and 200 bad of 1; ln((200/300)/(100/300)) = ln 2."""
    values = np.repeat([0.0, 1.0], 300)
    labels = np.concatenate([np.repeat([0, 1], [200, 100]), np.repeat([0, 1], [100, 200])])
    bins = cut_bins(values, labels, 1, 50)
    assert bins.splits == (0.5,)
    assert bins.woe == pytest.approx((np.log(2), -np.log(2), 0.0))
    assert bins.information_value == pytest.approx(2 / 3 * np.log(2))
    assert bins.weights(np.array([0.5, np.nan]))[0] == bins.woe[1], "a value at a split belongs to the right"


def test_weights_are_those_of_a_peer_and_none_turns_a_meaning_around() -> None:
    random = np.random.default_rng(2)
    cause = random.normal(size=4000)
    x = np.column_stack([cause + random.normal(size=4000) * spread for spread in (0.6, 0.9, 1.5)])
    x = np.column_stack([x, random.normal(size=4000), x[:, 0]])  # noise, and one that repeats the first
    labels = (random.random(4000) < 1 / (1 + np.exp(2 - cause))).astype(np.int8)
    bins = [cut_bins(x[:, column], labels, 1, 40) for column in range(5)]
    card = fit_scorecard(x, labels, bins)
    assert 3 not in card.weights, "noise says nothing"
    assert len({0, 4} & card.weights.keys()) == 1, "what repeats another is left out"
    assert min(card.weights.values()) > 0
    woe = np.column_stack([bins[column].weights(x[:, column]) for column in card.weights])
    peer = LogisticRegression(C=1 / RIDGE, tol=1e-10, max_iter=1000).fit(woe, 1 - labels)
    assert list(card.weights.values()) == pytest.approx(peer.coef_[0].tolist(), rel=1e-4)
    assert card.margins(x) == pytest.approx(-peer.decision_function(woe), abs=1e-4)


def test_a_feature_that_would_turn_around_is_dropped() -> None:
    """Alone it lowers the risk's odds as it should; beside the cause it is only in the way (a suppressor)."""
    random = np.random.default_rng(4)
    cause, other = random.normal(size=(2, 6000))
    x = np.column_stack([cause, cause * 0.6 + other])
    labels = (random.random(6000) < 1 / (1 + np.exp(2 - 1.5 * cause + 0.5 * other))).astype(np.int8)
    bins = [cut_bins(x[:, column], labels, 1, 40) for column in range(2)]
    assert min(each.information_value for each in bins) > MINIMUM_INFORMATION, "the case is one where it matters"
    assert list(fit_scorecard(x, labels, bins).weights) == [0]


def test_few_defaults_that_all_features_predict_overshoot_nothing() -> None:
    """Newton's first step leads far beyond the best there, to a number too large: in 30 of 100 such draws."""
    for draw in range(30):
        random = np.random.default_rng(draw)
        cause = random.normal(size=(1000, 1))
        x = cause + random.normal(size=(1000, 14)) * random.choice([0.05, 0.5, 2.0], size=14)
        labels = (cause[:, 0] > np.sort(cause[:, 0])[-6]).astype(np.int8)
        card = fit_scorecard(x, labels, [cut_bins(x[:, column], labels, 1, 40) for column in range(14)])
        woe = np.column_stack([card.bins[column].weights(x[:, column]) for column in card.weights])
        left = woe.T @ (1.0 - labels - 1.0 / (1.0 + np.exp(card.margins(x)))) - RIDGE * np.array(
            [*card.weights.values()]
        )
        assert np.max(np.abs(left)) < 1e-6, "the slope at the best is flat"


def test_features_without_information_give_a_card_without_features() -> None:
    random = np.random.default_rng(5)
    x, labels = random.normal(size=(500, 2)), (random.random(500) < 0.2).astype(np.int8)
    nothing = FeatureBins((), (0.0, 0.0), (500, 0), 0.0)
    card = fit_scorecard(x, labels, [nothing, nothing])
    assert not card.weights
    assert card.margins(x) == pytest.approx(np.log(labels.mean() / (1 - labels.mean())))


def test_points_add_up_to_those_of_its_odds(fitted: VersionContent, sample: Sample) -> None:
    scorer, benchmark = Scorer.of(fitted.text, fitted.scorecard), fitted.evidence["challenger"]
    assert benchmark["features"] == [each["feature"] for each in benchmark["card"]]
    names = list(sample.names)
    late = sample.features[sample.out_of_time]
    total = np.zeros(len(late))
    for each in benchmark["card"]:
        inner = [one["to"] for one in each["bins"][:-2]]
        column = late[:, names.index(each["feature"])]
        place = np.where(np.isnan(column), len(each["bins"]) - 1, np.searchsorted(inner, column, side="right"))
        total += np.array([one["points"] for one in each["bins"]])[place]
    labels = sample.labels[sample.out_of_time]
    assert auc(labels, -total) == pytest.approx(benchmark["auc"], abs=1e-3), "the table alone gives its figure"
    odds = np.exp((total - scorer.card.offset) / scorer.card.factor)
    assert np.mean(1 / (1 + odds)) == pytest.approx(np.mean(labels), abs=0.02), "and odds that come true"


def test_the_price_is_of_the_very_rows_the_version_is_evaluated_on(fitted: VersionContent) -> None:
    evidence = fitted.evidence
    benchmark, price = evidence["challenger"], evidence["challenger"]["price_of_interpretability"]
    assert price["points"] == pytest.approx(100 * (evidence["auc"] - benchmark["auc"]), abs=1e-3)
    assert price["low"] <= price["points"] <= price["high"]
    assert 0.6 < benchmark["auc_low"] < benchmark["auc"] < benchmark["auc_high"] < 0.9


def test_out_of_fold_no_row_is_scored_by_a_card_that_saw_its_subject() -> None:
    """On labels of chance a card that had seen them would look good."""
    sample = invented.sample(500, late=False)
    fitted = fit(invented.declaration(), sample, in_process(), **IDS)
    assert fitted.evidence["challenger"]["auc"] == pytest.approx(fitted.evidence["auc"], abs=0.05)
    scorer, recipe = Scorer.of(fitted.text, fitted.scorecard), Recipe.of(fitted.scorecard["training"]["recipe"])
    chance = np.random.default_rng(9).permutation(sample.labels)
    drawn = type(sample)(**{name: getattr(sample, name) for name in sample.__slots__} | {"labels": chance})
    holdout = score_holdout(drawn, scorer, recipe, in_process(), baseline=False)
    assert run_benchmark(scorer, drawn, holdout, 30, in_process())["auc"] < 0.55


def test_its_table_is_the_same_in_the_card_and_in_the_file(fitted: VersionContent, tmp_path: Path) -> None:
    benchmark = fitted.evidence["challenger"]
    page = model_card(fitted.scorecard, fitted.evidence)
    assert "price of interpretability" in page
    assert "AUC out of fold" in page
    write_csv(tmp_path / "scorecard.csv", benchmark)
    with (tmp_path / "scorecard.csv").open(encoding="utf-8-sig", newline="") as stream:
        head, *lines = csv.reader(stream)
    assert head[-1] == "points"
    assert len(lines) == len(lines_of(benchmark)) == sum(len(each["bins"]) for each in benchmark["card"])
    for each in lines:
        assert f"| `{each[0]}` | {each[2]} | {each[3]} |" in page


def test_out_of_fold_is_reported_with_out_of_time(fitted: VersionContent, sample: Sample) -> None:
    evidence = fitted.evidence
    assert evidence["judged_by"] == "out of time"
    assert evidence["out_of_fold"]["rows"] == int(np.sum(~sample.out_of_time))
    auc_by_fold = {each["fold"]: each["auc"] for each in fitted.folds}
    assert min(auc_by_fold.values()) - 0.02 < evidence["out_of_fold"]["auc"] < max(auc_by_fold.values()) + 0.02
    assert evidence["out_of_fold"]["auc_low"] < evidence["out_of_fold"]["auc"] < evidence["out_of_fold"]["auc_high"]


@pytest.mark.servers
def test_two_workers_give_the_same_scorecard(
    fitted: VersionContent, sample: Sample, ray_cluster: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.validation.woe_benchmark.benchmark.SMALL_WORK", 0)  # so few values would be cut here
    scorer, recipe = Scorer.of(fitted.text, fitted.scorecard), Recipe.of(fitted.scorecard["training"]["recipe"])
    holdout = score_holdout(sample, scorer, recipe, in_process(), baseline=False)
    assert run_benchmark(scorer, sample, holdout, 30, ray_cluster) == fitted.evidence["challenger"]
