"""The model card (模型说明, Mitchell et al. 2019): what a version is, for whom, and how well it does, in one page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.validation.woe_benchmark.page import price_of_interpretability, scorecard_section

_DIRECTIONS = {1: "raises", -1: "lowers", 0: "either way"}


def model_card(scorecard: Mapping[str, Any], evidence: Mapping[str, Any]) -> str:
    """The card as Markdown, from ``version.json`` and the evidence."""
    recipe, figures = scorecard["training"]["recipe"], evidence
    lines = [
        f"# {scorecard['title']} `{scorecard['model']}`",
        "",
        f"Subjects: {scorecard['subject_kind'] or 'all kinds'}. Release `{scorecard['release'][:20]}…`, "
        f"order `{scorecard['order'][:18]}…`.",
        *_answered_for(figures),
        f"Trained on {figures['trained']['rows']} rows ({figures['trained']['positives']} defaulted). "
        f"Trees: {_trees(recipe)}.",
        "",
        f"## How well, {figures['judged_by']}",
        "",
        "| figure | value |",
        "|---|---|",
        f"| rows (defaulted) | {figures['rows']} ({figures['positives']}) |",
        f"| AUC, 95 % over subjects | {_interval(figures)} |",
    ]
    if "baseline" in figures:
        lines.append(f"| {figures['baseline']['what']} | {_interval(figures['baseline'])} |")
    if "out_of_fold" in figures:
        lines.append(f"| AUC out of fold, in time | {_interval(figures['out_of_fold'])} |")
    if "challenger" in figures:
        lines.append(f"| {figures['challenger']['what']} | {_interval(figures['challenger'])} |")
        lines.append(f"| price of interpretability | {price_of_interpretability(figures['challenger'])} |")
    lines += [
        f"| KS | {_figure(figures['ks'])} |",
        f"| partial AUC to 20 % false positives | {_figure(figures['partial_auc'])} |",
        f"| H-measure | {_figure(figures['h_measure'])} |",
        f"| lift of the worst tenth | {_figure(figures['lift'])} |",
        f"| Brier | {_figure(figures['brier'])} |",
        f"| calibration error (by chance alone) | {_figure(figures['calibration']['ece'])} "
        f"({_figure(figures['calibration']['ece_noise'])}) |",
        f"| stability index | {_figure(figures['stability_index'])} |",
        "",
        *_calibrations(figures["calibrators"]),
        "",
        "## Grades",
        "",
        "| grade | least points | rows | predicted | observed |",
        "|---|---|---|---|---|",
    ]
    for grade, cut in scorecard["grades"]:
        row = figures["grades"][grade]
        pooled = f" ({row['pool'][0]} to {row['pool'][-1]})" if len(row["pool"]) > 1 else ""
        rates = f"{_figure(row['predicted'])}{pooled} | {_figure(row['observed'])}{pooled}"
        lines.append(f"| {grade} | {cut} | {row['rows']} | {rates} |")
    for kind, groups in figures["segments"].items():
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
    moved = sorted(figures["feature_stability"].items(), key=lambda item: -item[1]["index"])[:10]
    if moved:
        lines += ["", "## What moved most since", "", "| feature | stability index, 95 % over subjects |", "|---|---|"]
        lines += [f"| `{n}` | {_figure(m['index'])} ({_figure(m['low'])} to {_figure(m['high'])}) |" for n, m in moved]
    lines += ["", *_privacy(figures)]
    lines += ["", "## Features", "", "| feature | what | a larger value … the risk |", "|---|---|---|"]
    lines += [f"| `{f['name']}` | {f['title']} | {_DIRECTIONS[f['direction']]} |" for f in scorecard["features"]]
    lines += scorecard_section(figures["challenger"]) if "challenger" in figures else []
    lines += [
        "",
        "## Limits",
        "",
        "For reference in credit decisions, with a mandate of the subject; not for deciding alone. The figures hold "
        "for subjects like those of the release, and end with the version.",
        "",
    ]
    return "\n".join(lines)


def _answered_for(evidence: Mapping[str, Any]) -> list[str]:
    """That the label is that of an earlier order, from which the order's own differed in a few subjects."""
    if not (near := evidence.get("answered_for")):
        return []
    label = f"`{near['label']['table']}: {near['label']['when']}`"
    return [f"Answered for the label of the earlier order `{near['order'][:18]}…`: {label}.", ""]


def _privacy(figures: Mapping[str, Any]) -> list[str]:
    """What the version discloses about single subjects, in both languages: leaves and membership inference."""
    leaves, measured = figures["leaves"], figures["membership"]
    everyone, defaulted = measured, measured["defaulted"]
    rows = [
        ("AUC of the attack 攻击的 AUC", "auc"),
        ("members found at 1 % false positives 误报率 1% 时认出的训练主体", "tpr_at_1_percent"),
        ("members found at 0.1 % false positives 误报率 0.1% 时认出的训练主体", "tpr_at_0_1_percent"),
    ]
    return [
        "## What it discloses about single subjects 模型对单个主体的泄露",
        "",
        f"The smallest leaf holds {leaves['smallest']} subjects, counted by compute on the training rows. "
        f"最小的叶节点有 {leaves['smallest']} 个主体（由计算区在训练数据上重新计数）。",
        "",
        f"Membership inference 成员推断: LiRA (Carlini et al. 2022), {measured['shadows']} shadow models on "
        f"{measured['subjects']} subjects; an attacker who knows a row and its outcome asks whether it was learnt "
        "from. "
        f"攻击者已知某行及其结果，判断模型是否用它训练过；在 {measured['subjects']} 个主体上训练 "
        f"{measured['shadows']} 个影子模型。",
        "",
        f"| figure 指标 | all rows 全部 | defaulted rows 违约 ({defaulted['rows']}) |",
        "|---|---|---|",
        *(f"| {title} | {_figure(everyone[name])} | {_figure(defaulted[name])} |" for title, name in rows),
    ]


def _calibrations(calibrators: Mapping[str, Any]) -> list[str]:
    """The table of calibration maps: cross-fitted figures, which decided, and figures out of time, which did not."""
    lines = [
        "## Ways to calibrate",
        "",
        "Log-loss on in-time rows that a map was not fitted on (cross-fitted over folds of subjects) decides, and a "
        "freer map is taken only when it is better by more than a standard error; unless the order names one.",
        "",
        "| way | cross-fitted: log-loss | Brier | error | out of time: log-loss | Brier | error |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, each in calibrators.items():
        cells = [
            "–" if each[rows] is None else f"{each[rows][name]:.5f}"
            for rows in ("cross_fitted", "out_of_time")
            for name in ("log_loss", "brier", "ece")
        ]
        lines.append(f"| {kind}{' (taken)' if each['taken'] else ''} | {' | '.join(cells)} |")
    return lines


def _trees(recipe: Mapping[str, Any]) -> str:
    """The number and size of the trees of every booster that is averaged."""
    boosters = [recipe, *recipe.get("beside", ())]
    sizes = [f"{each['rounds']} of {each['leaves']} leaves" for each in boosters]
    minimum = min(each["minimum_leaf"] for each in boosters)
    mean = f"the mean of {len(sizes)} boosters, with " if len(sizes) > 1 else ""
    return f"{mean}{', '.join(sizes)}" + f", each leaf of {minimum} rows or more"


def _interval(figures: Mapping[str, Any]) -> str:
    return f"{_figure(figures['auc'])} ({_figure(figures['auc_low'])} to {_figure(figures['auc_high'])})"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
