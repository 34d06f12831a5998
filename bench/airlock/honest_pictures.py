"""Ordinary figures by matplotlib, as researchers save them: histograms, lines, bars, curves and a heat map."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np

Draw = Callable[[Any, np.random.Generator], None]


def _figure(
    draw: Draw, size: tuple[float, float] = (6.4, 4.8), dpi: int = 100
) -> Callable[[np.random.Generator], bytes]:
    def make(random: np.random.Generator) -> bytes:
        import matplotlib.figure

        figure = matplotlib.figure.Figure(figsize=size, dpi=dpi)
        draw(figure.subplots(), random)
        sink = io.BytesIO()
        figure.savefig(sink, format="png")
        return sink.getvalue()

    return make


def _histogram(axes: Any, random: np.random.Generator) -> None:
    axes.hist(random.normal(680, 60, 5000), bins=30)
    axes.set(title="Points of firms", xlabel="points", ylabel="firms")


def _lines(axes: Any, random: np.random.Generator) -> None:
    for name in ("retail", "manufacturing", "catering"):
        axes.plot(range(12), 0.07 + 0.01 * random.normal(size=12).cumsum() / 3, marker="o", label=name)
    axes.set(title="Default rate by month", xlabel="month", ylabel="rate")
    axes.legend()
    axes.grid(True, alpha=0.3)


def _roc(axes: Any, random: np.random.Generator) -> None:
    x = np.linspace(0, 1, 100)
    for power in (0.3, 0.35):
        axes.plot(x, x**power, label=f"AUC {1 / (1 + power):.3f}")
    axes.plot([0, 1], [0, 1], "k--")
    axes.set(title="ROC", xlabel="false positives", ylabel="true positives")
    axes.legend(loc="lower right")


def _bars(axes: Any, random: np.random.Generator) -> None:
    axes.barh([f"feature {n}" for n in range(10)], np.sort(random.uniform(0, 0.2, 10)), color="tab:orange")
    axes.set(title="Importance", xlabel="share of gain")


def _calibration(axes: Any, random: np.random.Generator) -> None:
    x = np.linspace(0.01, 0.3, 10)
    axes.errorbar(x, x * random.uniform(0.9, 1.1, 10), yerr=0.02, fmt="s", capsize=3)
    axes.plot([0, 0.3], [0, 0.3], color="gray")
    axes.set(title="Calibration", xlabel="predicted", ylabel="observed")


def _heat_map(axes: Any, random: np.random.Generator) -> None:
    values = np.corrcoef(random.normal(size=(8, 40)))
    picture = axes.imshow(values, cmap="coolwarm", vmin=-1, vmax=1)
    axes.figure.colorbar(picture)
    axes.set(title="Rank correlations")


PICTURES: dict[str, Callable[[np.random.Generator], bytes]] = {
    "histogram.png": _figure(_histogram),
    "lines.png": _figure(_lines, (8, 5), 120),
    "roc.png": _figure(_roc, (5, 5)),
    "importance.png": _figure(_bars, dpi=150),
    "calibration.png": _figure(_calibration),
    "correlations.png": _figure(_heat_map),
}
"""Files by name, each made from a generator."""
