"""Rounding by a fixed key (固定密钥舍入): up or down as a key of compute decides for the units behind a value.

The same units with the same contributions always give the same rounded value, however often, by whomever and under
whatever name it is requested; so a repetition gains nothing. It is policy, and hides small differences from a
reader; the gate does not rely on it.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import numpy as np

from models.tables.cells.contents import Floats


@dataclass(frozen=True, slots=True)
class KeyedRounding:
    """Rounding with a key (32 bytes), counts to a multiple of ``base``, other values to ``digits`` digits."""

    key: bytes
    base: int
    digits: int

    def rounded(self, value: float, provenance: bytes, *, is_count: bool) -> float:
        """The value rounded; ``provenance`` is the fingerprint of the units and contributions behind it."""
        if not np.isfinite(value) or value == 0:
            return value
        step = float(self.base) if is_count else 10.0 ** (np.floor(np.log10(abs(value))) - self.digits + 1)
        draw = int.from_bytes(hmac.digest(self.key, provenance, "sha256")[:8], "big") / 2**64
        return float(f"{np.floor(value / step + draw) * step:.10g}")


def fingerprint(kind: str, units: np.ndarray[tuple[int], np.dtype[np.uint64]], values: Floats) -> bytes:
    """What a value is rounded by: its kind of statistic, the units behind it, and what they contribute."""
    rounded = np.array([float(f"{value:.9g}") for value in values.ravel()])
    content = kind.encode() + b"\0" + units.tobytes() + b"\0" + rounded.tobytes()
    return hashlib.sha256(content).digest()
