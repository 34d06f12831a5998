"""The checks of the promotion gate that a memorising model has to pass, run on a case that was not sealed."""

from __future__ import annotations

from credit.actor import Actor, Role
from credit.gate import Gate, Outcome
from models.calibration.maps import Platt
from models.dataset.cut_rows import cut_rows
from models.distributed.ray_cluster import in_process
from models.promotion.gate import discrimination, promotion_gate
from models.promotion.measured_version import PromotionCase
from models.promotion.privacy_checks import as_written, leaf_size, membership, reproducible
from models.registry.version import TrainingOutcome, version_json
from models.scoring.scorer import Scorer
from models.validation.evidence import measure, rounded
from models.validation.holdout import score_holdout, training_rows
from models.validation.model_privacy import measure_privacy
from tests.models import invented
from tests.models.privacy.memorising import ModelCase

CHECKS = (discrimination, leaf_size, as_written, reproducible, membership)
MAKER, JUDGE = Actor("alice", Role.RESEARCHER), Actor("bob", Role.PLATFORM)


def failed_checks(model: ModelCase) -> list[str]:
    """The names of the checks that the model fails; empty when it may go on to the others."""
    declaration = invented.declaration()
    if model.kind == "shuffled":
        declaration["features"] = [{**feature, "direction": 0} for feature in declaration["features"]]
    outcome = TrainingOutcome(model.recipe, Platt(1.0, 0.0), ())
    card = version_json(declaration, outcome, order=f"order-{'0' * 64}", release=f"release-{'1' * 64}")
    scorer = Scorer.of(model.text, card)
    holdout = score_holdout(model.sample, scorer, model.recipe, in_process(), baseline=False)
    rows, _ = cut_rows(training_rows(model.sample, scorer))
    privacy = measure_privacy(rows, scorer.forest, model.recipe, in_process())
    evidence = measure(scorer, model.sample, holdout) | rounded(privacy.as_evidence())
    case = PromotionCase("version-1", model.text, model.recipe, scorer, model.sample, holdout, evidence, None)
    verdict = Gate("promotion", CHECKS, promotion_gate().thresholds).judge(case, requested_by=MAKER, reviewer=JUDGE)
    return [finding.check for finding in verdict.findings if finding.outcome is Outcome.FAIL]
