"""The gate passes an honest version and stops each dishonest or weak one, by the finding that names why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.gate import Gate, Outcome, Verdict
from models.boosting.recipe import Recipe
from models.dataset.cut_rows import cut_rows
from models.dataset.sample import Sample
from models.distributed.ray_cluster import in_process
from models.promotion.gate import CHECKS, THRESHOLDS, promotion_gate
from models.promotion.measured_version import ChampionComparison, PromotionCase
from models.promotion.privacy_checks import reproducible
from models.registry import version
from models.scoring.scorer import Scorer
from models.training.fit import VersionContent, fit
from models.validation.evidence import measure, rounded
from models.validation.holdout import score_holdout, training_rows
from models.validation.model_privacy import measure_privacy
from tests.models import invented

MAKER, CHECKER = Actor("alice", Role.RESEARCHER), Actor("bob", Role.PLATFORM)


def case_of(fitted: VersionContent, sample: Sample, champion: ChampionComparison | None = None) -> PromotionCase:
    scorer = Scorer.of(fitted.text, fitted.scorecard)
    recipe = Recipe.of(fitted.scorecard["training"]["recipe"])
    holdout = score_holdout(sample, scorer, recipe, in_process())
    rows, _ = cut_rows(training_rows(sample, scorer))
    privacy = measure_privacy(rows, scorer.forest, recipe, in_process())
    evidence = measure(scorer, sample, holdout) | rounded(privacy.as_evidence())
    return PromotionCase("version-1", fitted.text, recipe, scorer, sample, holdout, evidence, champion)


@pytest.fixture(scope="module")
def honest(fitted: VersionContent, sample: Sample) -> PromotionCase:
    return case_of(fitted, sample)


def judge(case: PromotionCase) -> Verdict:
    return promotion_gate().judge(case, requested_by=MAKER, reviewer=CHECKER)


def outcome(case: PromotionCase, check: str) -> Outcome:
    """What one check finds in the gate, which grows the model again only where that is the check."""
    gate = promotion_gate()
    checks = tuple(each for each in CHECKS if each is not reproducible or check == "reproducible")
    verdict = Gate(gate.name, checks, gate.thresholds).judge(case, requested_by=MAKER, reviewer=CHECKER)
    return next(finding.outcome for finding in verdict.findings if finding.check == check)


def test_an_honest_version_passes_every_check(honest: PromotionCase) -> None:
    verdict = judge(honest)
    assert verdict.passed, [str(finding) for finding in verdict.findings]
    assert len(verdict.findings) == len(CHECKS)
    assert verdict.as_json()["thresholds"]["auc_low_at_least"] == 0.6


def test_the_maker_may_not_judge(honest: PromotionCase) -> None:
    with pytest.raises(Refused):
        promotion_gate().judge(honest, requested_by=MAKER, reviewer=MAKER)


def test_what_the_gate_measures_is_what_the_maker_measured(honest: PromotionCase, fitted: VersionContent) -> None:
    # The maker also reports what other choices would have given (calibrators, scorecard, folds); the gate does not.
    not_measured = {"calibrators", "challenger", "out_of_fold"}
    assert honest.evidence == {name: value for name, value in fitted.evidence.items() if name not in not_measured}


@pytest.mark.parametrize("kind", ["beta", "isotonic"])
def test_a_version_of_another_calibration_is_written_tried_and_evaluated(
    sample: Sample, tmp_path: Path, kind: str
) -> None:
    plain = invented.declaration()["training"]
    declaration = invented.declaration(training=plain | {"trials": 1, "calibration": kind})
    made = fit(declaration, sample, in_process(), order=f"order-{'0' * 64}", release=f"release-{'1' * 64}")
    assert made.scorecard["calibration"]["kind"] == kind
    case = case_of(made, sample)
    verdict = judge(case)
    assert verdict.passed, [str(finding) for finding in verdict.findings]
    version.write_version(
        tmp_path,
        text=made.text,
        scorecard=made.scorecard,
        sql="SELECT 1",
        features=sample.features,
        evidence=made.evidence,
        leaves=made.leaves,
    )
    card = (tmp_path / "card.md").read_text(encoding="utf-8")
    assert [line.split(" | ")[0] for line in card.splitlines() if "(taken)" in line] == [f"| {kind} (taken)"]
    for each in made.evidence["calibrators"].values():
        assert set(each["out_of_time"]) == set(each["cross_fitted"]) == {"log_loss", "brier", "ece"}


def with_evidence(case: PromotionCase, **changes: Any) -> PromotionCase:
    return replace(case, evidence={**case.evidence, **changes})


@pytest.mark.parametrize(
    ("changes", "check", "wanted"),
    [
        ({"auc_low": 0.59}, "discrimination", Outcome.FAIL),
        ({"auc_low": None}, "discrimination", Outcome.FAIL),
        ({"positives": 3}, "discrimination", Outcome.REVIEW),
        ({"stability_index": 0.3}, "stability", Outcome.FAIL),
        ({"stability_index": None}, "stability", Outcome.PASS),
    ],
)
def test_a_weak_figure_stops_it(honest: PromotionCase, changes: dict[str, Any], check: str, wanted: Outcome) -> None:
    assert outcome(with_evidence(honest, **changes), check) is wanted


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [(0.8, 1.3, Outcome.PASS), (0.3, 5.0, Outcome.PASS), (2.1, 4.0, Outcome.REVIEW), (0.1, 0.4, Outcome.REVIEW)],
)
def test_a_group_with_a_significantly_wrong_ratio_goes_to_review(
    honest: PromotionCase, low: float, high: float, wanted: Outcome
) -> None:
    group = {"rows": 500, "predicted": 0.05, "ratio": (low + high) / 2, "ratio_low": low, "ratio_high": high}
    assert outcome(with_evidence(honest, segments={"district": {"120101": group}}), "parity") is wanted
    few = group | {"rows": 50}
    assert outcome(with_evidence(honest, segments={"district": {"120101": few}}), "parity") is Outcome.PASS


@pytest.mark.parametrize("changes", [{"ece": 0.2}, {"slope": 0.2}, {"slope": 3.0}, {"ratio": 0.3}, {"ratio": 2.5}])
def test_a_miscalibrated_version_stops(honest: PromotionCase, changes: dict[str, float]) -> None:
    measured = honest.evidence["calibration"] | changes
    assert outcome(with_evidence(honest, calibration=measured), "calibration") is Outcome.FAIL


def test_a_direction_declared_after_training_is_detected(honest: PromotionCase) -> None:
    features = tuple(replace(f, direction=-f.direction) for f in honest.scorer.card.features)
    turned = replace(honest, scorer=replace(honest.scorer, card=replace(honest.scorer.card, features=features)))
    assert outcome(turned, "monotone") is Outcome.FAIL


def test_the_champion_must_be_beaten(honest: PromotionCase) -> None:
    raw, noise = honest.holdout.raw, np.random.default_rng(0).normal(size=len(honest.holdout.raw))
    nudge = noise * 0.02 * raw.std()
    truth = honest.holdout.labels + 0.0
    for rival, wanted in [
        (ChampionComparison("version-0", noise), Outcome.PASS),
        (ChampionComparison("version-0", truth), Outcome.FAIL),
        (ChampionComparison("version-0", raw), Outcome.FAIL),
        (ChampionComparison("version-0", None, "why"), Outcome.REVIEW),
        (ChampionComparison("version-1", None), Outcome.PASS),
    ]:
        assert outcome(replace(honest, champion=rival), "champion") is wanted
    assert outcome(replace(honest, champion=ChampionComparison("version-0", raw + nudge)), "champion") in set(Outcome)


def test_leaves_are_counted_again(honest: PromotionCase, tmp_path: Path) -> None:
    other = invented.sample(seed=99)
    assert outcome(replace(honest, sample=other), "leaf_size") is Outcome.FAIL
    strict = tmp_path / "strict.yaml"
    strict.write_text(THRESHOLDS.read_text().replace("leaf_rows_at_least: 10 ", "leaf_rows_at_least: 1000 "))
    verdict = promotion_gate(strict).judge(honest, requested_by=MAKER, reviewer=CHECKER)
    assert [finding.check for finding in verdict.findings if finding.outcome is Outcome.FAIL] == ["leaf_size"]


def test_trees_that_do_not_come_from_the_order_are_detected(honest: PromotionCase) -> None:
    assert outcome(replace(honest, text=honest.text.replace("leaf_value=-", "leaf_value=", 1)), "reproducible") is (
        Outcome.FAIL
    )


def test_a_feature_that_is_almost_the_label_needs_a_person(sample: Sample) -> None:
    features = sample.features.copy()
    wrong = np.random.default_rng(1).random(len(sample.labels)) < 0.005
    features[:, 2] = np.where(wrong, 1 - sample.labels, sample.labels)
    leaky = replace(sample, features=features)
    case = case_of(fit(invented.declaration(), leaky, in_process(), order="order-1", release="release-1"), leaky)
    verdict = judge(case)
    assert outcome(case, "leak") is Outcome.REVIEW
    with pytest.raises(Refused, match="leak"):
        verdict.require()
