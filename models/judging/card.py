"""The model card (模型说明, Mitchell et al. 2019): what a version is, for whom, and how well it does, in one page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DIRECTIONS = {1: "raises", -1: "lowers", 0: "either way"}


def card(told: Mapping[str, Any], evidence: Mapping[str, Any]) -> str:
    """The card as Markdown, from ``version.json`` and the evidence."""
    recipe, found = told["training"]["recipe"], evidence
    lines = [
        f"# {told['title']} `{told['model']}`",
        "",
        f"Subjects: {told['subject_kind'] or 'all kinds'}. Release `{told['release'][:20]}…`, "
        f"order `{told['order'][:18]}…`.",
        f"Trained on {found['trained']['rows']} rows ({found['trained']['positives']} defaulted): "
        f"{recipe['rounds']} trees of {recipe['leaves']} leaves, at least {recipe['minimum_leaf']} rows in each.",
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
    lines += [
        f"| KS | {_figure(found['ks'])} |",
        f"| Brier | {_figure(found['brier'])} |",
        f"| calibration error (by chance alone) | {_figure(found['calibration']['ece'])} "
        f"({_figure(found['calibration']['ece_noise'])}) |",
        f"| stability index | {_figure(found['stability_index'])} |",
        "",
        "## Grades",
        "",
        "| grade | least points | rows | predicted | observed |",
        "|---|---|---|---|---|",
    ]
    for grade, cut in told["grades"]:
        row = found["grades"][grade]
        lines.append(f"| {grade} | {cut} | {row['rows']} | {_figure(row['predicted'])} | {_figure(row['observed'])} |")
    lines += ["", "## Features", "", "| feature | what | a larger value … the risk |", "|---|---|---|"]
    lines += [f"| `{f['name']}` | {f['title']} | {_DIRECTIONS[f['direction']]} |" for f in told["features"]]
    lines += [
        "",
        "## Limits",
        "",
        "For reference in credit decisions, with a mandate of the subject; not for deciding alone. The figures hold "
        "for subjects like those of the release, and end with the version.",
        "",
    ]
    return "\n".join(lines)


def _interval(found: Mapping[str, Any]) -> str:
    return f"{_figure(found['auc'])} ({_figure(found['auc_low'])} to {_figure(found['auc_high'])})"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
