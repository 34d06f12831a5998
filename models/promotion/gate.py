"""The promotion gate: what a version must show before it may serve. It measures again and uses no figure of the
maker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from credit.gate import Finding, Gate, Outcome
from credit.messages import Text
from models.metrics.discrimination import auc, auc_gain
from models.promotion.measured_version import PromotionCase
from models.promotion.privacy_checks import as_written, leaf_size, membership, reproducible
from models.scoring.trees.monotone_proof import monotone_violations

THRESHOLDS = Path(__file__).with_name("gate.yaml")
Thresholds = Mapping[str, Any]


def discrimination(case: PromotionCase, thresholds: Thresholds) -> Finding:
    """The lower end of the AUC interval on unseen rows is high enough."""
    measured, minimum = case.evidence, thresholds["auc_low_at_least"]
    figures = {name: measured[name] for name in ("auc", "auc_low", "auc_high", "rows", "positives", "judged_by")}
    if measured["auc_low"] is None or measured["auc_low"] < minimum:
        return Finding.of(
            "discrimination",
            Outcome.FAIL,
            Text.of("promotion-gate.auc-low", low=measured["auc_low"], least=minimum),
            figures,
        )
    if measured["positives"] < thresholds["positives_at_least"]:
        return Finding.of(
            "discrimination",
            Outcome.REVIEW,
            Text.of("promotion-gate.few-positives", positives=measured["positives"]),
            figures,
        )
    return Finding.of(
        "discrimination",
        Outcome.PASS,
        Text.of("promotion-gate.auc", auc=measured["auc"], low=measured["auc_low"]),
        figures,
    )


def calibrated(case: PromotionCase, thresholds: Thresholds) -> Finding:
    """The predicted probabilities agree with the observed default rates."""
    measured = {
        name: case.evidence["calibration"][name] for name in ("ece", "ece_noise", "slope", "intercept", "ratio")
    }
    beyond = measured["ece"] - measured["ece_noise"]
    wrong = []
    if beyond > thresholds["calibration_error_at_most"]:
        wrong.append(Text.of("promotion-gate.calibration-off", error=measured["ece"], noise=measured["ece_noise"]))
    for name in ("ratio", "slope"):
        low, high = thresholds[f"calibration_{name}_at_least"], thresholds[f"calibration_{name}_at_most"]
        if not low <= measured[name] <= high:
            wrong.append(
                Text.of("promotion-gate.calibration-outside", name=name, value=measured[name], low=low, high=high)
            )
    return Finding.of(
        "calibration",
        Outcome.FAIL if wrong else Outcome.PASS,
        Text.several(wrong) if wrong else Text.of("promotion-gate.calibrated"),
        measured,
    )


def monotone(case: PromotionCase, thresholds: Thresholds) -> Finding:
    """Every tree obeys the declared directions."""
    directions = tuple(feature.direction for feature in case.scorer.card.features)
    violations = monotone_violations(case.scorer.forest, directions)
    figures = {
        "trees": len(case.scorer.forest.trees),
        "bound_features": sum(map(bool, directions)),
        "breaches": violations[:5],
    }
    if violations:
        return Finding.of(
            "monotone", Outcome.FAIL, Text.of("promotion-gate.not-monotone", count=len(violations)), figures
        )
    return Finding.of("monotone", Outcome.PASS, Text.of("promotion-gate.monotone"), figures)


def stable(case: PromotionCase, thresholds: Thresholds) -> Finding:
    """The points of holdout rows are distributed like those of the training rows."""
    index, maximum = case.evidence["stability_index"], thresholds["stability_index_at_most"]
    if index is None:
        return Finding.of("stability", Outcome.PASS, Text.of("promotion-gate.one-day"), {})
    outcome = Outcome.FAIL if index > maximum else Outcome.PASS
    return Finding.of(
        "stability",
        outcome,
        Text.of("promotion-gate.stability", index=index, limit=maximum),
        {"stability_index": index},
    )


def parity(case: PromotionCase, thresholds: Thresholds) -> Finding:
    """The probabilities are right in every district, industry, size and age; a group that is surely off goes to
    review."""
    low, high = thresholds["parity_ratio_at_least"], thresholds["parity_ratio_at_most"]
    off, figures = [], 0
    for kind, groups in case.evidence["segments"].items():
        for name, group in groups.items():
            if group["rows"] * group["predicted"] < thresholds["parity_expected_at_least"]:
                continue  # too few expected defaults for a judgement
            figures += 1
            if group["ratio_low"] > high or group["ratio_high"] < low:
                off.append(f"{kind} {name}: {group['ratio']:.2f}")
    evidence = {"groups": figures, "off": off}
    if off:
        return Finding.of(
            "parity", Outcome.REVIEW, Text.of("promotion-gate.parity-off", groups=", ".join(off)), evidence
        )
    return Finding.of("parity", Outcome.PASS, Text.of("promotion-gate.parity", groups=figures), evidence)


def beats_champion(case: PromotionCase, thresholds: Thresholds) -> Finding:
    """It has a higher AUC than the current champion, on the same rows."""
    compared = case.champion
    if compared is None:
        return Finding.of("champion", Outcome.PASS, Text.of("promotion-gate.no-champion"), {})
    if compared.version == case.version:
        return Finding.of("champion", Outcome.PASS, Text.of("promotion-gate.is-champion"), {})
    if compared.raw is None:
        why = Text.of("promotion-gate.not-comparable", reason=compared.why_not)
        return Finding.of("champion", Outcome.REVIEW, why, {"champion": compared.version})
    gain, share = auc_gain(case.holdout.labels, case.holdout.raw, compared.raw, case.holdout.subjects)
    figures = {"champion": compared.version, "gain": gain.value, "low": gain.low, "high": gain.high, "share": share}
    figures |= {"changes": dict(compared.changes)} if compared.changes else {}
    why = Text.of("promotion-gate.gain", gain=gain.value, share=share)
    if share >= thresholds["champion_share_at_least"]:
        return Finding.of("champion", Outcome.PASS, why, figures)
    outcome = Outcome.REVIEW if share >= thresholds["champion_review_from"] else Outcome.FAIL
    return Finding.of("champion", outcome, why, figures)


def no_leak(case: PromotionCase, thresholds: Thresholds) -> Finding:
    """No feature predicts the label almost alone, by its value or by whether it is known."""
    labels, maximum = np.asarray(case.holdout.labels), thresholds["single_feature_auc_at_most"]
    figures = {}
    for name, column in zip(case.scorer.card.names, case.holdout.features.T, strict=True):
        known = ~np.isnan(column)
        tries = [
            auc(labels, known),
            auc(labels[known], column[known]) if known.sum() > 30 else np.nan,
        ]
        strongest = max((max(a, 1 - a) for a in tries if not np.isnan(a)), default=0.5)
        if strongest > maximum:
            figures[name] = round(strongest, 6)
    if figures:
        return Finding.of("leak", Outcome.REVIEW, Text.of("promotion-gate.leak", names=", ".join(figures)), figures)
    return Finding.of("leak", Outcome.PASS, Text.of("promotion-gate.no-leak"), {})


CHECKS = (
    discrimination,
    calibrated,
    monotone,
    stable,
    parity,
    beats_champion,
    leaf_size,
    as_written,
    reproducible,
    membership,
    no_leak,
)


def promotion_gate(thresholds: Path = THRESHOLDS) -> Gate[PromotionCase]:
    """The gate with the thresholds of a YAML file."""
    return Gate("promotion", CHECKS, yaml.safe_load(thresholds.read_text(encoding="utf-8")))
