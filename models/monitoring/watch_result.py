"""One line of the monthly report: a value, its limit at this number of rows, and the state that follows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class WatchState(StrEnum):
    """What a watch says of a month. Only :attr:`ALARM` enters the ledger; a hint never becomes one."""

    OK = "ok"
    ALARM = "alarm"
    TOO_FEW = "too_few"
    NOT_RIPE = "not_ripe"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class WatchResult:
    """``limit`` is what ``value`` may reach in a month of ``rows`` subjects; ``p`` is the chance of such a value, or
    None where the state comes from a sum over months. ``evidence`` are further figures, all rounded."""

    watch: str
    month: str  # yyyy-mm
    state: WatchState
    rows: int
    value: float | None = None
    limit: float | None = None
    p: float | None = None
    evidence: tuple[tuple[str, float], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values with at most six significant digits."""
        plain = asdict(self) | {"state": self.state.value, "evidence": {k: _short(v) for k, v in self.evidence}}
        return plain | {name: _short(plain[name]) for name in ("value", "limit", "p")}


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
