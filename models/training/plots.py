"""The only file of the compute zone that imports matplotlib: plots of a run, drawn once and kept with it.

Colours are those of Okabe and Ito, which colour-blind people can distinguish; a second line is also dashed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BLUE, GREY = "#0072B2", "#767676"
MAXIMUM_FEATURES = 25  # features shown


def draw_plots(
    folder: Path,
    evidence: Mapping[str, Any],
    importance: Mapping[str, float],
    compared: Sequence[Mapping[str, Any]],
) -> None:
    """Write ``roc``, ``calibration``, ``importance`` and ``search`` (all ``.png``) of a version into ``folder``."""
    from matplotlib.figure import Figure

    for name, draw in (("roc", _roc), ("calibration", _calibration), ("importance", _importance), ("search", _search)):
        figure = Figure(figsize=(6, 5), layout="constrained", facecolor="white")
        draw(figure.subplots(), {**evidence, "importance": importance, "compared": compared})
        figure.savefig(folder / f"{name}.png", dpi=100, metadata={"Software": None})


def _roc(axes: Any, figures: Mapping[str, Any]) -> None:
    false, true = zip(*figures["roc"], strict=True)
    label = f"AUC {figures['auc']:.3f} ({figures['auc_low']:.3f}–{figures['auc_high']:.3f}), {figures['judged_by']}"
    axes.plot(false, true, color=BLUE, label=label)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--")
    axes.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC")
    axes.legend(loc="lower right")


def _calibration(axes: Any, figures: Mapping[str, Any]) -> None:
    bins = figures["calibration"]["bins"]
    predicted, observed = ([one_bin[side] for one_bin in bins] for side in ("predicted", "observed"))
    axes.plot(predicted, observed, color=BLUE, marker="o", label=f"ECE {figures['calibration']['ece']:.4f}")
    maximum = max([*predicted, *observed, 1e-9])
    axes.plot([0, maximum], [0, maximum], color=GREY, linestyle="--")
    axes.set(xlabel="predicted default probability", ylabel="observed share", title="Calibration")
    axes.legend(loc="lower right")


def _importance(axes: Any, figures: Mapping[str, Any]) -> None:
    shown = list(figures["importance"].items())[:MAXIMUM_FEATURES][::-1]
    axes.barh([name for name, _ in shown], [value for _, value in shown], color=BLUE)
    axes.set(xlabel="mean size of its points", title="Importance")
    axes.tick_params(axis="y", labelsize=7)


def _search(axes: Any, figures: Mapping[str, Any]) -> None:
    best: dict[int, float] = {}
    pruned = {each["trial"] for each in figures["compared"] if each["pruned"]}
    for each in figures["compared"]:
        best[each["trial"]] = max(each["auc"], best.get(each["trial"], 0.0))
    for colour, label, shown in ((BLUE, "grown whole", best.keys() - pruned), (GREY, "given up on the way", pruned)):
        numbers = sorted(shown)
        axes.plot(numbers, [best[n] for n in numbers], "o" if colour == BLUE else "x", color=colour, label=label)
    numbers = sorted(best)
    axes.step(numbers, [max(best[n] for n in numbers[:k]) for k in range(1, len(best) + 1)], color=BLUE, where="post")
    axes.set(xlabel="trial", ylabel="AUC out of fold, mean over folds", title="Search")
    axes.legend(loc="lower right")
