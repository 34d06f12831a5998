"""The model card (模型说明, Mitchell et al. 2019): what a version is, for whom, and how well it does, in one page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.validation.woe_benchmark.page import price, section

_DIRECTIONS = {1: "raises", -1: "lowers", 0: "either way"}


def card(told: Mapping[str, Any], evidence: Mapping[str, Any]) -> str:
    """The card as Markdown, from ``version.json`` and the evidence."""
    recipe, found = told["training"]["recipe"], evidence
    lines = [
        f"# {told['title']} `{told['model']}`",
        "",
        f"Subjects: {told['subject_kind'] or 'all kinds'}. Release `{told['release'][:20]}…`, "
        f"order `{told['order'][:18]}…`.",
        f"Trained on {found['trained']['rows']} rows ({found['trained']['positives']} defaulted). "
        f"Trees: {_trees(recipe)}.",
        "",
        f"## How well, {found['judged_by']}",
        "",
        "| figure | value |",
        "|---|---|",
        f"| rows (defaulted) | {found['rows']} ({found['positives']}) |",
        f"| AUC, 95 % over subjects | {_interval(found)} |",
    ]
    if "baseline" in found:
        lines.append(f"| {found['baseline']['what']} | {_interval(found['baseline'])} |")
    if "out_of_fold" in found:
        lines.append(f"| AUC out of fold, in time | {_interval(found['out_of_fold'])} |")
    if "challenger" in found:
        lines.append(f"| {found['challenger']['what']} | {_interval(found['challenger'])} |")
        lines.append(f"| price of interpretability | {price(found['challenger'])} |")
    lines += [
        f"| KS | {_figure(found['ks'])} |",
        f"| partial AUC to 20 % false positives | {_figure(found['partial_auc'])} |",
        f"| H-measure | {_figure(found['h_measure'])} |",
        f"| lift of the worst tenth | {_figure(found['lift'])} |",
        f"| Brier | {_figure(found['brier'])} |",
        f"| calibration error (by chance alone) | {_figure(found['calibration']['ece'])} "
        f"({_figure(found['calibration']['ece_noise'])}) |",
        f"| stability index | {_figure(found['stability_index'])} |",
        "",
        *_calibrations(found["calibrators"]),
        "",
        "## Grades",
        "",
        "| grade | least points | rows | predicted | observed |",
        "|---|---|---|---|---|",
    ]
    for grade, cut in told["grades"]:
        row = found["grades"][grade]
        lines.append(f"| {grade} | {cut} | {row['rows']} | {_figure(row['predicted'])} | {_figure(row['observed'])} |")
    for kind, groups in found["segments"].items():
        lines += [
            "",
            f"## By {kind}",
            "",
            "| group | rows (defaulted) | predicted | observed | observed / predicted | AUC |",
            "|---|---|---|---|---|---|",
        ]
        for name, each in groups.items():
            ratio = f"{each['ratio']:.2f} ({each['ratio_low']:.2f} to {each['ratio_high']:.2f})"
            lines.append(
                f"| {name} | {each['rows']} ({each['positives']}) | {_figure(each['predicted'])} | "
                f"{_figure(each['observed'])} | {ratio} | {_figure(each['auc'])} |"
            )
    moved = sorted(found["feature_stability"].items(), key=lambda item: -item[1]["index"])[:10]
    if moved:
        lines += ["", "## What moved most since", "", "| feature | stability index, 95 % over subjects |", "|---|---|"]
        lines += [f"| `{n}` | {_figure(m['index'])} ({_figure(m['low'])} to {_figure(m['high'])}) |" for n, m in moved]
    lines += ["", "## Features", "", "| feature | what | a larger value … the risk |", "|---|---|---|"]
    lines += [f"| `{f['name']}` | {f['title']} | {_DIRECTIONS[f['direction']]} |" for f in told["features"]]
    lines += section(found["challenger"]) if "challenger" in found else []
    lines += [
        "",
        "## Limits",
        "",
        "For reference in credit decisions, with a mandate of the subject; not for deciding alone. The figures hold "
        "for subjects like those of the release, and end with the version.",
        "",
    ]
    return "\n".join(lines)


def _calibrations(found: Mapping[str, Any]) -> list[str]:
    """Cross-fitted, where the choice was made; and out of time, where it was not."""
    lines = [
        "## Ways to calibrate",
        "",
        "Log-loss on in-time rows that a map was not fitted on (cross-fitted over folds of subjects) decides, and a "
        "freer map is taken only when it is better by more than a standard error; unless the order names one.",
        "",
        "| way | cross-fitted: log-loss | Brier | error | out of time: log-loss | Brier | error |",
        "|---|---|---|---|---|---|---|",
    ]
    for way, each in found.items():
        told = [
            "–" if each[rows] is None else f"{each[rows][name]:.5f}"
            for rows in ("cross_fitted", "out_of_time")
            for name in ("log_loss", "brier", "ece")
        ]
        lines.append(f"| {way}{' (taken)' if each['taken'] else ''} | {' | '.join(told)} |")
    return lines


def _trees(recipe: Mapping[str, Any]) -> str:
    """The trees of every booster that is averaged."""
    boosters = [recipe, *recipe.get("beside", ())]
    told = [f"{each['rounds']} of {each['leaves']} leaves" for each in boosters]
    least = min(each["minimum_leaf"] for each in boosters)
    mean = f"the mean of {len(told)} boosters, with " if len(told) > 1 else ""
    return f"{mean}{', '.join(told)}" + f", each leaf of {least} rows or more"


def _interval(found: Mapping[str, Any]) -> str:
    return f"{_figure(found['auc'])} ({_figure(found['auc_low'])} to {_figure(found['auc_high'])})"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
