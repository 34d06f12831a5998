"""Calibration map (校准映射): from a raw margin to calibrated log-odds, as data of a kind. Three kinds, all rising.

``platt`` is a line (Platt 1999); ``beta`` is ``c - a ln(1 + exp(-raw)) + b ln(1 + exp(raw))``, beta calibration of the
sigmoid of the margin (Kull, Silva Filho and Flach 2017); ``isotonic`` is straight between knots, its first and last
piece going on beyond them (isotonic regression, Zadrozny and Elkan 2002, made strict by
:mod:`models.calibration.fitting`). Every map rises strictly, so whoever ranks higher by margin ranks higher by
log-odds, no
two margins are tied by it (but for rounding), and a contribution to the margin keeps its sign in points.

All is elementwise arithmetic in doubles: one row has the same bits alone and among many.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Malformed

Floats = NDArray[np.float64]
MAXIMUM_KNOTS = 200  # the most
MINIMUM_MAP_SLOPE, MAXIMUM_MAP_SLOPE, MAXIMUM_MAP_VALUE = (
    1e-6,
    1e9,
    1e9,
)  # slopes and values beyond are no calibration, and would overflow
SAME_MARGIN = 1e-12  # margins this near have no secant worth the name


@dataclass(frozen=True, slots=True)
class Platt:
    """``log-odds = slope * raw + intercept``."""

    slope: float
    intercept: float
    kind: str = field(default="platt", init=False)

    def __post_init__(self) -> None:
        _require((self.slope,), (self.intercept,))

    def log_odds(self, raw: Floats) -> Floats:
        """Calibrated log-odds (n,) of raw margins (n,)."""
        return np.asarray(self.slope * raw + self.intercept, dtype=np.float64)

    def slope_at(self, raw: float) -> float:
        """How steeply it rises at a margin; at a knot, to the right of it."""
        return self.slope

    def as_json(self) -> dict[str, Any]:
        """The map as plain values; :func:`read` gives it back."""
        return {"kind": self.kind, "slope": self.slope, "intercept": self.intercept}


@dataclass(frozen=True, slots=True)
class Beta:
    """``log-odds = c - a softplus(-raw) + b softplus(raw)``: of slope a far below 0, b far above."""

    a: float
    b: float
    c: float
    kind: str = field(default="beta", init=False)

    def __post_init__(self) -> None:
        _require((self.a, self.b), (self.c,))

    def log_odds(self, raw: Floats) -> Floats:
        """Calibrated log-odds (n,) of raw margins (n,)."""
        return np.asarray(self.b * np.logaddexp(0, raw) - self.a * np.logaddexp(0, -raw) + self.c, dtype=np.float64)

    def slope_at(self, raw: float) -> float:
        """How steeply it rises at a margin; at a knot, to the right of it."""
        small = math.exp(-abs(raw))
        above = (1.0 if raw >= 0 else small) / (1 + small)
        return self.a * (1 - above) + self.b * above

    def as_json(self) -> dict[str, Any]:
        """The map as plain values; :func:`read` gives it back."""
        return {"kind": self.kind, "a": self.a, "b": self.b, "c": self.c}


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Straight between knots ``(margins[k], odds[k])``, K of them, both rising; the outer pieces go on."""

    margins: tuple[float, ...]
    odds: tuple[float, ...]
    kind: str = field(default="isotonic", init=False)
    pieces: Floats = field(init=False, repr=False, compare=False)  # (4, K - 1): margin, odds, slope, odds at the end

    def __post_init__(self) -> None:
        if not 2 <= len(self.margins) == len(self.odds) <= MAXIMUM_KNOTS:
            raise Malformed("maps.wrong-knots", knots=MAXIMUM_KNOTS)
        margins, odds = np.array(self.margins), np.array(self.odds)
        with np.errstate(all="ignore"):
            slopes = np.diff(odds) / np.diff(margins)
        _require(slopes.tolist(), (*self.margins, *self.odds))
        # A piece ends no higher than the next begins, however it is rounded; the last goes on.
        pieces = np.stack([margins[:-1], odds[:-1], slopes, np.append(odds[1:-1], np.inf)])
        object.__setattr__(self, "pieces", pieces)

    def log_odds(self, raw: Floats) -> Floats:
        """Calibrated log-odds (n,) of raw margins (n,)."""
        margin, odds, slope, end = self.pieces[:, self._piece(raw)]
        return np.asarray(np.minimum(odds + slope * (raw - margin), end), dtype=np.float64)

    def slope_at(self, raw: float) -> float:
        """How steeply it rises at a margin; at a knot, to the right of it."""
        return float(self.pieces[2, self._piece(raw)])

    def as_json(self) -> dict[str, Any]:
        """The map as plain values; :func:`read` gives it back."""
        return {"kind": self.kind, "margins": list(self.margins), "log_odds": list(self.odds)}

    def _piece(self, raw: Floats | float) -> Any:
        return np.searchsorted(self.pieces[0, 1:], raw, side="right")


CalibrationMap = Platt | Beta | Isotonic


def steepness(calibration: CalibrationMap, base: float, raw: Floats) -> Floats:
    """``(log_odds(raw) - log_odds(base)) / (raw - base)`` (n,): what a unit of margin is worth on the way from base.

    Never negative nor NaN: where a margin is the base itself, the slope there. A line's is its slope, to the bit.
    """
    if isinstance(calibration, Platt):
        return np.full(len(raw), calibration.slope)
    base_odds = calibration.log_odds(np.array([base]))
    distance, slopes = raw - base, np.full(len(raw), calibration.slope_at(base))
    rise = np.divide(calibration.log_odds(raw) - base_odds, distance, out=slopes, where=np.abs(distance) > SAME_MARGIN)
    return np.asarray(np.maximum(rise, 0.0), dtype=np.float64)


def read(data: Any) -> CalibrationMap:
    """Read a map; one without a kind is Platt's, as versions were before there were others.

    Raises :class:`Malformed` unless it is of a known kind, has the kind's numbers and nothing else, all finite and
    within bounds, and rises.
    """
    if not isinstance(data, Mapping):
        raise Malformed("maps.not-mapping")
    match data.get("kind", "platt"):
        case "platt":
            return Platt(*map(_number, _named(data, "slope", "intercept")))
        case "beta":
            return Beta(*map(_number, _named(data, "a", "b", "c")))
        case "isotonic":
            return Isotonic(*map(_numbers, _named(data, "margins", "log_odds")))
    raise Malformed("maps.unknown-kind")


def _named(data: Mapping[str, Any], *names: str) -> list[Any]:
    if set(data) - {"kind"} != set(names):
        raise Malformed("maps.wrong-names", names=", ".join(names))
    return [data[name] for name in names]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= MAXIMUM_MAP_VALUE:
        raise Malformed("maps.not-number", largest=MAXIMUM_MAP_VALUE)
    return float(value)


def _numbers(value: Any) -> tuple[float, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > MAXIMUM_KNOTS:
        raise Malformed("maps.not-list", knots=MAXIMUM_KNOTS)
    return tuple(map(_number, value))


def _require(slopes: Iterable[float], numbers: Iterable[float]) -> None:
    """Comparisons that NaN does not pass."""
    if not all(MINIMUM_MAP_SLOPE <= each <= MAXIMUM_MAP_SLOPE for each in slopes):
        raise Malformed("maps.wrong-slope", gentlest=MINIMUM_MAP_SLOPE, steepest=MAXIMUM_MAP_SLOPE)
    if not all(abs(each) <= MAXIMUM_MAP_VALUE for each in numbers):
        raise Malformed("maps.number-too-large", largest=MAXIMUM_MAP_VALUE)
