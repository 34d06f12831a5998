"""Two pictures of the results as SVG, the same bytes from the same results. Colours of Okabe and Ito."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from bench.quality.ours import NAME

BLUE, GREY, LIGHT = "#0072B2", "#5f5f5f", "#b8b8b8"
matplotlib.rcParams["svg.hashsalt"] = "benchmark"  # ids within the file are the same each time
matplotlib.rcParams["svg.fonttype"] = "none"  # letters stay letters


def draw(results: Mapping[str, Any], folder: Path) -> None:
    """Write ``benchmark-ranks.svg`` and ``benchmark-auc.svg`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in (("ranks", ranks(results)), ("auc", intervals(results))):
        figure.savefig(folder / f"benchmark-{name}.svg", metadata={"Date": None, "Creator": None})


def ranks(results: Mapping[str, Any]) -> Figure:
    """The critical-difference diagram (Demšar 2006): mean ranks on a line, a bar over those that do not differ."""
    mean, critical = results["ranks"]["mean"], results["ranks"]["critical"]
    order = sorted(mean, key=lambda way: float(mean[way]))
    figure = Figure(figsize=(8, 3), layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.set(xlim=(0.0, len(mean) + 1.0), ylim=(-len(order) / 2 - 1.0, 2.2))
    axes.axis("off")
    axes.plot([1, len(mean)], [0, 0], color="black", linewidth=1)
    for rank in range(1, len(mean) + 1):
        axes.plot([rank, rank], [0, 0.15], color="black", linewidth=1)
        axes.text(rank, 0.25, str(rank), ha="center", va="bottom", fontsize=9)
    half = (len(order) + 1) // 2
    for place, way in enumerate(order):
        left = place < half
        depth = -(place if left else len(order) - 1 - place) - 1.0
        side, colour = (
            (0.9, BLUE if way == NAME else GREY) if left else (len(mean) + 0.1, BLUE if way == NAME else GREY)
        )
        axes.plot([mean[way], mean[way], side], [0, depth, depth], color=colour, linewidth=1.5 if way == NAME else 1)
        label = f"{way}  {mean[way]:.2f}" if left else f"{mean[way]:.2f}  {way}"
        weight = "bold" if way == NAME else "normal"
        axes.text(side, depth, f" {label} ", ha="right" if left else "left", va="center", color=colour, weight=weight)
    axes.plot([1, 1 + critical], [1.3, 1.3], color="black", linewidth=2)
    axes.text(1 + critical / 2, 1.4, f"critical difference {critical:.2f}", ha="center", va="bottom", fontsize=9)
    for step, (first, last) in enumerate(cliques([float(mean[way]) for way in order], critical)):
        height = -0.25 - 0.2 * step
        axes.plot([first - 0.05, last + 0.05], [height, height], color="black", linewidth=3, solid_capstyle="butt")
    return figure


def cliques(mean: list[float], critical: float) -> list[tuple[float, float]]:
    """The widest stretches of sorted mean ranks whose ends do not differ; of those that lie within another, none."""
    kept: list[tuple[float, float]] = []
    for first in mean:
        last = max(rank for rank in mean if rank - first <= critical)
        if last > first and not any(low <= first and last <= high for low, high in kept):
            kept.append((first, last))
    return kept


def intervals(results: Mapping[str, Any]) -> Figure:
    """A dot and its 95 % interval for every way, a panel for each table."""
    tables = results["tables"]
    columns = 4
    figure = Figure(figsize=(12, 5.2), layout="constrained", facecolor="white")
    panels = figure.subplots(-(-len(tables) // columns), columns, squeeze=False)
    for axes in panels.flat[len(tables) :]:
        axes.axis("off")
    for number, (axes, table) in enumerate(zip(panels.flat, tables, strict=False)):
        ways = table["ways"]
        own_auc = ways[NAME]["auc"]
        axes.axvline(own_auc, color=BLUE, linewidth=0.8, alpha=0.5)
        for place, (way, each) in enumerate(ways.items()):
            colour = BLUE if way == NAME else GREY
            axes.plot([each["low"], each["high"]], [place, place], color=colour if way == NAME else LIGHT, linewidth=2)
            axes.plot(each["auc"], place, marker="o", color=colour, markersize=5)
        named = number % columns == 0
        axes.set_yticks(range(len(ways)), list(ways) if named else [""] * len(ways), fontsize=9)
        axes.set_ylim(len(ways) - 0.5, -0.5)
        axes.tick_params(axis="x", labelsize=8)
        axes.set_title(table["name"], fontsize=10)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    figure.supxlabel("AUC with its 95 % interval; the line is ours", fontsize=9)
    return figure
