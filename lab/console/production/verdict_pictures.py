"""The figures of a verdict of the promotion gate as scales (标尺): what was measured, beside what is allowed.

Each scale is drawn from the evidence of a finding and the thresholds in its verdict, so that the page of an old verdict
shows the limits of that day. A finding without figures has no scale and is words alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from credit.gate import Finding, Verdict

WIDTH = 1000  # units of the drawing

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scale:
    """One figure on its scale from ``start`` to ``end``.

    ``low`` and ``high`` are its 95 % interval; ``least`` and ``most`` bound what is allowed. Where
    ``lower_end_counts`` the lower end of the interval is what must reach ``least``.
    """

    name: str
    value: float
    start: float
    end: float
    low: float | None = None
    high: float | None = None
    least: float | None = None
    most: float | None = None
    lower_end_counts: bool = False

    def x(self, value: float | None, otherwise: float) -> float:
        """Where a value lies on the drawing; beyond an end it lies at that end."""
        place = otherwise if value is None else value
        share = (place - self.start) / (self.end - self.start)
        return round(min(max(share, 0.0), 1.0) * WIDTH, 1)

    @property
    def allowed(self) -> tuple[float, float]:
        """The left end and the width of what is allowed."""
        left, right = self.x(self.least, self.start), self.x(self.most, self.end)
        return left, round(right - left, 1)

    @property
    def at(self) -> float:
        """Where the value lies."""
        return self.x(self.value, self.start)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The left end and the width of the interval; None without one."""
        if self.low is None or self.high is None:
            return None
        left = self.x(self.low, self.start)
        return left, round(max(self.x(self.high, self.end) - left, 2.0), 1)


def scales_of(verdict: Verdict) -> dict[str, list[Scale]]:
    """The scales of each check that has figures to draw."""
    drawn = {}
    for finding in verdict.findings:
        scales = _DRAWN.get(finding.check, _nothing)(finding, verdict.thresholds)
        drawn[finding.check] = [each for each in scales if math.isfinite(each.value)]
    return {check: scales for check, scales in drawn.items() if scales}


def _nothing(finding: Finding, limits: Figures) -> list[Scale]:
    return []


def _discrimination(finding: Finding, limits: Figures) -> list[Scale]:
    of = finding.evidence
    least = _number(limits, "auc_low_at_least")
    if (value := _number(of, "auc")) is None:
        return []
    ends = {"low": _number(of, "auc_low"), "high": _number(of, "auc_high")}
    return [Scale("auc", value, min(0.5, value), 1.0, least=least, lower_end_counts=True, **ends)]


def _calibration(finding: Finding, limits: Figures) -> list[Scale]:
    of, scales = finding.evidence, []
    for name in ("ratio", "slope"):
        if (value := _number(of, name)) is not None:
            least, most = (_number(limits, f"calibration_{name}_at_{end}") for end in ("least", "most"))
            scales.append(Scale(name, value, 0.0, max(3.0, value), least=least, most=most))
    error, noise = _number(of, "ece"), _number(of, "ece_noise")
    if error is not None and noise is not None:
        scales.append(_at_most("error", max(error - noise, 0.0), _number(limits, "calibration_error_at_most")))
    return scales


def _stability(finding: Finding, limits: Figures) -> list[Scale]:
    value = _number(finding.evidence, "stability_index")
    return [] if value is None else [_at_most("stability", value, _number(limits, "stability_index_at_most"))]


def _champion(finding: Finding, limits: Figures) -> list[Scale]:
    of = finding.evidence
    gain, low, high, share = (_number(of, name) for name in ("gain", "low", "high", "share"))
    if gain is None or share is None:
        return []
    reach = max(abs(each) for each in (gain, low or 0.0, high or 0.0, 0.01)) * 1.1
    return [
        Scale("gain", gain, -reach, reach, low=low, high=high, least=0.0),
        Scale("share", share, 0.0, 1.0, least=_number(limits, "champion_share_at_least")),
    ]


def _leaves(finding: Finding, limits: Figures) -> list[Scale]:
    value, least = _number(finding.evidence, "smallest"), _number(limits, "leaf_subjects_at_least")
    if value is None or least is None:
        return []
    return [Scale("smallest_leaf", value, 0.0, max(3 * least, value), least=least)]


def _membership(finding: Finding, limits: Figures) -> list[Scale]:
    of = finding.evidence
    defaulted = of.get("defaulted")
    rates = {"all": _number(of, "tpr_at_1_percent")}
    if isinstance(defaulted, Mapping):
        rates["defaulted"] = _number(defaulted, "tpr_at_1_percent")
    return [
        _at_most(f"members_{name}", rate, _number(limits, f"membership_{name}_at_most"))
        for name, rate in rates.items()
        if rate is not None
    ]


def _at_most(name: str, value: float, most: float | None) -> Scale:
    return Scale(name, value, 0.0, max(2 * (most or value), value, 1e-9), most=most)


def _number(figures: Figures, name: str) -> float | None:
    value = figures.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


_DRAWN: Mapping[str, Callable[[Finding, Figures], list[Scale]]] = {
    "discrimination": _discrimination,
    "calibration": _calibration,
    "stability": _stability,
    "champion": _champion,
    "leaf_size": _leaves,
    "membership": _membership,
}
