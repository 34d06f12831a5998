"""The tags and figures by which a version's run is shown in MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from credit.shelf import OpenedSeal
from models.registry.mlflow_registry import SEAL

if TYPE_CHECKING:
    from credit.actor import Actor

FIGURES = ("rows", "positives", "auc", "auc_low", "auc_high", "ks", "brier", "stability_index")


def run_tags(opened: OpenedSeal, by: Actor) -> dict[str, str]:
    """The tags of a run: version, order, release, and the researcher who placed the order."""
    terms = opened.seal.terms
    return {SEAL: opened.seal.id, "order": opened.seal.parents[0], "release": terms["release"], "by": str(by)}


def run_figures(evidence: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a version's evidence that MLflow shows."""
    figures = {name: evidence[name] for name in FIGURES} | {"ece": evidence["calibration"]["ece"]}
    figures["baseline_auc"] = evidence.get("baseline", {}).get("auc")
    figures["out_of_fold_auc"] = evidence.get("out_of_fold", {}).get("auc")
    if "challenger" in evidence:
        figures["scorecard_auc"] = evidence["challenger"]["auc"]
        figures["price_of_interpretability"] = evidence["challenger"]["price_of_interpretability"]["points"]
    if "membership" in evidence:
        figures["membership_tpr"] = evidence["membership"]["tpr_at_1_percent"]
        figures["membership_tpr_defaulted"] = evidence["membership"]["defaulted"]["tpr_at_1_percent"]
        figures["smallest_leaf"] = evidence["leaves"]["smallest"]
    return {name: float(value) for name, value in figures.items() if value is not None}
