"""Checks of the promotion gate on what a version discloses of single subjects: its leaves, its digits, membership."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from credit.errors import Refused
from credit.gate import Finding, Outcome
from credit.messages import Text
from models.boosting.booster import model_text_of, train_booster
from models.boosting.published_text import is_as_published, published_text
from models.dataset.cut_rows import cut_rows
from models.privacy.floors import load_floors
from models.privacy.leaf_recount import recount_leaves
from models.promotion.measured_version import PromotionCase
from models.validation.holdout import training_rows

Thresholds = Mapping[str, Any]
_RATE = "tpr_at_1_percent"


def leaf_size(case: PromotionCase, thresholds: Thresholds) -> Finding:
    """No leaf describes only a few rows or subjects, counted again on the release; nor does the text claim others."""
    rows = training_rows(case.sample, case.scorer)
    counted = recount_leaves(case.scorer.forest, rows.features, rows.labels, rows.units)
    smallest = int(min(tree.min() for tree in counted.rows))
    same = counted.agrees_with(case.scorer.forest)
    figures = {**counted.summary(), "smallest_rows": smallest, "as_told": same}
    if not same:
        return Finding.of("leaf_size", Outcome.FAIL, Text.of("promotion-gate.counts-differ"), figures)
    least_rows, least = thresholds["leaf_rows_at_least"], thresholds["leaf_subjects_at_least"]
    outcome = Outcome.FAIL if smallest < least_rows or counted.smallest < least else Outcome.PASS
    why = Text.of(
        "promotion-gate.leaf-size", subjects=counted.smallest, least=least, smallest=smallest, least_rows=least_rows
    )
    return Finding.of("leaf_size", outcome, why, figures)


def as_written(case: PromotionCase, thresholds: Thresholds) -> Finding:
    """The text is what compute writes for these trees: leaf values in the declared digits, and nothing beside them."""
    decimals = load_floors().leaf_decimals
    written = is_as_published(case.text, case.scorer.forest, decimals)
    figures = {"decimals": decimals}
    if not written:
        why = Text.of("promotion-gate.not-as-written", decimals=decimals)
        return Finding.of("as_written", Outcome.FAIL, why, figures)
    return Finding.of("as_written", Outcome.PASS, Text.of("promotion-gate.as-written", decimals=decimals), figures)


def reproducible(case: PromotionCase, thresholds: Thresholds) -> Finding:
    """Training by its recipe again gives the same model text, to the byte."""
    rows, grid = cut_rows(training_rows(case.sample, case.scorer))
    try:
        again = model_text_of(train_booster(rows.features, rows.labels, rows.names, rows.directions, case.recipe))
    except Refused as nothing:  # trained again, it has no split
        return Finding.of("reproducible", Outcome.FAIL, nothing.message, {})
    if published_text(again, rows, grid, load_floors().leaf_decimals) != case.text:
        return Finding.of("reproducible", Outcome.FAIL, Text.of("promotion-gate.not-reproducible"), {})
    figures = {"bytes": len(case.text)}
    return Finding.of("reproducible", Outcome.PASS, Text.of("promotion-gate.reproducible"), figures)


def membership(case: PromotionCase, thresholds: Thresholds) -> Finding:
    """An attacker finds few of those it was trained on; one who finds many sends it to a person.

    A version without the figures fails: they are measured with the rest, so that they are missing is no accident.
    """
    measured = case.evidence.get("membership")
    if not measured:
        return Finding.of("membership", Outcome.FAIL, Text.of("promotion-gate.membership-not-measured"), {})
    rates = {"all": measured[_RATE], "defaulted": measured["defaulted"][_RATE]}
    limits = {name: thresholds[f"membership_{name}_at_most"] for name in rates}
    outcome = Outcome.REVIEW if any(rates[n] is None or rates[n] > limits[n] for n in rates) else Outcome.PASS
    why = Text.of(
        "promotion-gate.membership",
        all=rates["all"] or 0.0,
        defaulted=rates["defaulted"] or 0.0,
        limit=limits["all"],
        defaulted_limit=limits["defaulted"],
        shadows=measured["shadows"],
    )
    return Finding.of("membership", outcome, why, dict(measured))
