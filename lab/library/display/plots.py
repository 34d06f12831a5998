"""The adapter to matplotlib: four plots that compare versions, drawn from their evidence.

The colours are those of Okabe and Ito, which colour-blind people can distinguish; every line also has its own dash
pattern and marker. The background is white in dark themes too.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
MARKS = "os^Dv*P"
GREY = "#767676"


def draw(names: Sequence[str], evidences: Sequence[dict[str, Any]]) -> Figure:
    """A figure with ROC, calibration, distribution of points and KS of each version; names are in Latin letters."""
    from matplotlib.figure import Figure as Figure

    figure = Figure(figsize=(10, 8), layout="constrained", facecolor="white")
    axes = figure.subplots(2, 2)
    for place, (name, evidence) in enumerate(zip(names, evidences, strict=True)):
        style = {"color": COLOURS[place % 7], "linestyle": DASHES[place % 7], "linewidth": 1.8}
        _roc(axes[0][0], name, evidence, style)
        _calibration(axes[0][1], evidence, style, MARKS[place % 7])
        _points(axes[1][0], evidence, style)
        _ks(axes[1][1], evidence, style)
    _dress(axes)
    return figure


def draw_dependence(name: str, values: Sequence[float], points: Sequence[int], above: int, missing: int) -> Figure:
    """The points by the value of a feature, as steps, and a line for rows without a value."""
    from matplotlib.figure import Figure as Figure

    figure = Figure(figsize=(6, 4), layout="constrained", facecolor="white")
    axes = figure.subplots()
    edges = [0.0, 1.0]  # a feature that only counts as known or missing has no value
    if values:
        margin = (values[-1] - values[0]) * 0.1 or 1.0
        edges = [values[0] - margin, *values, values[-1] + margin]
    axes.stairs([*points, above], edges, baseline=None, color=COLOURS[0], linewidth=1.8, label="points")
    axes.axhline(missing, color=GREY, linestyle="--", linewidth=1.0, label="no value")
    axes.set(title=name, xlabel="value", ylabel="mean points (more is better)")
    axes.grid(True, color="#dddddd", linewidth=0.6)
    axes.legend(fontsize=8, framealpha=0.9)
    return figure


def png(figure: Figure, dpi: int = 110) -> bytes:
    """A figure as PNG, without metadata about the software."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()


def _roc(axes: Axes, name: str, evidence: dict[str, Any], style: dict[str, Any]) -> None:
    false, true = zip(*evidence["roc"], strict=True)
    axes.plot(
        false,
        true,
        label=f"{name}: AUC {evidence['auc']:.3f} ({evidence['auc_low']:.3f}–{evidence['auc_high']:.3f})",
        **style,
    )


def _calibration(axes: Axes, evidence: dict[str, Any], style: dict[str, Any], mark: str) -> None:
    bins = evidence["calibration"]["bins"]
    axes.plot(
        [each["predicted"] for each in bins],
        [each["observed"] for each in bins],
        marker=mark,
        markersize=5,
        label=f"ECE {evidence['calibration']['ece']:.3f} (noise {evidence['calibration']['ece_noise']:.3f})",
        **style,
    )


def _points(axes: Axes, evidence: dict[str, Any], style: dict[str, Any]) -> None:
    edges = np.asarray(evidence["points"]["edges"])
    counts = np.sum([np.asarray(each) for each in evidence["points"]["grades"].values()], axis=0)
    shift = evidence["stability_index"]
    label = "" if shift is None else f"stability index {shift:.3f}"
    axes.stairs(
        counts / max(1, counts.sum()),
        edges,
        label=label or None,
        color=style["color"],
        linestyle=style["linestyle"],
        linewidth=1.8,
    )


def _ks(axes: Axes, evidence: dict[str, Any], style: dict[str, Any]) -> None:
    """Bad and good caught against the share of subjects flagged, the riskiest first; KS is the widest gap."""
    false, true = (np.asarray(each) for each in zip(*evidence["roc"], strict=True))
    bad = evidence["positives"] / evidence["rows"]
    flagged = bad * true + (1 - bad) * false
    axes.plot(flagged, true, **style)
    axes.plot(flagged, false, **style | {"linewidth": 1.0})
    widest = int(np.argmax(true - false))
    axes.vlines(
        flagged[widest],
        false[widest],
        true[widest],
        color=style["color"],
        linewidth=3,
        label=f"KS {evidence['ks']:.3f}",
    )


def _dress(axes: Any) -> None:
    roc, calibration, points, ks = axes[0][0], axes[0][1], axes[1][0], axes[1][1]
    roc.set(title="ROC", xlabel="good firms flagged", ylabel="defaulted firms flagged", xlim=(0, 1), ylim=(0, 1))
    roc.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
    top = max(0.01, *(limit for limit in (*calibration.get_xlim(), *calibration.get_ylim())))
    calibration.plot([0, top], [0, top], color=GREY, linewidth=0.8)
    calibration.set(
        title="Calibration",
        xlabel="predicted default probability",
        ylabel="observed share",
        xlim=(0, top),
        ylim=(0, top),
    )
    points.set(title="Distribution of points", xlabel="points (more is better)", ylabel="share of subjects")
    _narrow(points)
    ks.set(title="KS: defaulted (thick) and good (thin)", xlabel="share flagged, riskiest first", ylabel="share caught",
           xlim=(0, 1), ylim=(0, 1))  # fmt: skip
    for each in (roc, calibration, points, ks):
        each.grid(True, color="#dddddd", linewidth=0.6)
        each.set_axisbelow(True)
        if each.get_legend_handles_labels()[0]:
            each.legend(fontsize=8, framealpha=0.9)


def _narrow(points: Axes) -> None:
    """Limit the axis to the range of points that has subjects."""
    filled = [
        edge
        for stairs in points.patches
        for value, edge in zip(stairs.get_data().values, stairs.get_data().edges, strict=False)  # type: ignore[attr-defined]
        if value > 0
    ]
    if filled:
        points.set_xlim(min(filled) - 20, max(filled) + 40)
