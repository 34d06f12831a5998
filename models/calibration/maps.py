"""Calibration map (校准映射): from a raw margin to calibrated log-odds, stored as data of one of three kinds.

``platt`` is a line (Platt 1999). ``beta`` is ``c - a ln(1 + exp(-raw)) + b ln(1 + exp(raw))``, beta calibration of the
sigmoid of the margin (Kull, Silva Filho and Flach 2017). ``isotonic`` is linear between knots, and its outer pieces
continue beyond them (isotonic regression, Zadrozny and Elkan 2002, made strict by :mod:`models.calibration.fitting`).
Every map rises strictly: a higher margin has higher log-odds, no two margins are tied except by rounding, and a
contribution to the margin keeps its sign in points.

All arithmetic is elementwise in float64, so a row has the same bits alone and among others.
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
)  # outside these a map is not plausible and would overflow
SAME_MARGIN = 1e-12  # for margins this close the secant is not reliable


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
        """The slope of the map at a margin."""
        return self.slope

    def as_json(self) -> dict[str, Any]:
        """The map as plain values; :func:`read` gives it back."""
        return {"kind": self.kind, "slope": self.slope, "intercept": self.intercept}


@dataclass(frozen=True, slots=True)
class Beta:
    """``log-odds = c - a softplus(-raw) + b softplus(raw)``: the slope is ``a`` far below 0 and ``b`` far above it."""

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
        """The slope of the map at a margin."""
        small = math.exp(-abs(raw))
        above = (1.0 if raw >= 0 else small) / (1 + small)
        return self.a * (1 - above) + self.b * above

    def as_json(self) -> dict[str, Any]:
        """The map as plain values; :func:`read` gives it back."""
        return {"kind": self.kind, "a": self.a, "b": self.b, "c": self.c}


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Linear between K knots ``(margins[k], odds[k])``, both rising; the outer pieces continue beyond the knots."""

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
        # A piece ends no higher than the next one starts, despite rounding; the last piece has no end.
        pieces = np.stack([margins[:-1], odds[:-1], slopes, np.append(odds[1:-1], np.inf)])
        object.__setattr__(self, "pieces", pieces)

    def log_odds(self, raw: Floats) -> Floats:
        """Calibrated log-odds (n,) of raw margins (n,)."""
        margin, odds, slope, end = self.pieces[:, self._piece(raw)]
        return np.asarray(np.minimum(odds + slope * (raw - margin), end), dtype=np.float64)

    def slope_at(self, raw: float) -> float:
        """The slope of the map at a margin; at a knot, the slope to the right of it."""
        return float(self.pieces[2, self._piece(raw)])

    def as_json(self) -> dict[str, Any]:
        """The map as plain values; :func:`read` gives it back."""
        return {"kind": self.kind, "margins": list(self.margins), "log_odds": list(self.odds)}

    def _piece(self, raw: Floats | float) -> Any:
        return np.searchsorted(self.pieces[0, 1:], raw, side="right")


CalibrationMap = Platt | Beta | Isotonic


def steepness(calibration: CalibrationMap, base: float, raw: Floats) -> Floats:
    """``(log_odds(raw) - log_odds(base)) / (raw - base)`` (n,): the log-odds per unit of margin on the way from
    ``base``.

    Never negative and never NaN: where a margin equals the base, the slope there. For a line it is the slope, to the
    bit.
    """
    if isinstance(calibration, Platt):
        return np.full(len(raw), calibration.slope)
    base_odds = calibration.log_odds(np.array([base]))
    distance, slopes = raw - base, np.full(len(raw), calibration.slope_at(base))
    rise = np.divide(calibration.log_odds(raw) - base_odds, distance, out=slopes, where=np.abs(distance) > SAME_MARGIN)
    return np.asarray(np.maximum(rise, 0.0), dtype=np.float64)


def read(data: Any) -> CalibrationMap:
    """Read a map from plain values; one without a ``kind`` is Platt's, as in versions from before there were other
    kinds.

    Raises :class:`Malformed` unless it is of a known kind and has exactly the numbers of that kind, all finite and
    within
    bounds, with positive slopes.
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
    """Raise :class:`Malformed` for slopes or numbers out of bounds. The comparisons are written so that NaN fails
    them."""
    if not all(MINIMUM_MAP_SLOPE <= each <= MAXIMUM_MAP_SLOPE for each in slopes):
        raise Malformed("maps.wrong-slope", gentlest=MINIMUM_MAP_SLOPE, steepest=MAXIMUM_MAP_SLOPE)
    if not all(abs(each) <= MAXIMUM_MAP_VALUE for each in numbers):
        raise Malformed("maps.number-too-large", largest=MAXIMUM_MAP_VALUE)
