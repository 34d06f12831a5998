"""The changes of a subject between two snapshots, as far as grades, rules and features show them.

A snapshot holds features, not records. A count that grew, or a shorter time since an event, means a new record. A
count that fell means that a record was repaired (信用修复) or has left its period; two snapshots cannot distinguish
these, and `eased` stands for both. A source of events that sees records needs only to give changes of the same form.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from serving.data.snapshot import ActiveSnapshot
from serving.responses.compose import stored_score

KINDS = ("grade_drop", "grade_rise", "penalty", "listing", "eased")
_COUNTS = {"penalty": ("penalties_",), "listing": ("dishonest_in_force", "serious_lists_in_force", "abnormal_in_force")}
_MONTHS_SINCE = {"penalty": "months_since_penalty", "listing": "months_since_abnormal"}


@dataclass(frozen=True, slots=True)
class WatchedState:
    """What a watching bank was last informed of: grade, rules met, and the features from which changes are derived."""

    grade: str
    rules: tuple[str, ...]
    features: Mapping[str, float | None]

    def as_json(self) -> dict[str, Any]:
        """The form stored until the watch ends."""
        return {"grade": self.grade, "rules": list(self.rules), "features": dict(self.features)}

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> WatchedState:
        """Read the stored form."""
        return cls(stored["grade"], tuple(stored["rules"]), stored["features"])


def watched_state(snapshot: ActiveSnapshot, row: int) -> WatchedState:
    """The state of the subject in `row`."""
    score = stored_score(snapshot, row)
    hits = snapshot.scorecard.rule_hits(score.features[None, :])[0]
    rules = tuple(rule.feature for rule, hit in zip(snapshot.scorecard.rules, hits, strict=True) if hit)
    features = {
        name: None if math.isnan(value) else float(value)
        for name, value in zip(snapshot.scorecard.names, score.features, strict=True)
        if _kind(name) or name in _MONTHS_SINCE.values()
    }
    return WatchedState(score.grade, tuple(dict.fromkeys(rules)), features)


def changes(
    before: WatchedState, after: WatchedState, grades: tuple[str, ...], kinds: Collection[str]
) -> list[dict[str, Any]]:
    """The changes of these kinds, each `{"kind", …}`.

    They name features and grades, and never give a feature's value.
    """
    result: list[dict[str, Any]] = []
    if before.grade != after.grade and before.grade in grades and after.grade in grades:
        worse = grades.index(after.grade) > grades.index(before.grade)
        result.append({"kind": "grade_drop" if worse else "grade_rise", "from": before.grade, "to": after.grade})
    for kind, since in _MONTHS_SINCE.items():
        shared = [name for name in after.features if name in before.features]
        counts = [name for name in shared if _kind(name) == kind]
        increased = [name for name in counts if _count(after, name) > _count(before, name)]
        if since in shared and _is_newer(before.features[since], after.features[since]):
            increased.append(since)
        new = [name for name in after.rules if name not in before.rules and _kind(name) == kind]
        if increased or new:
            result.append({"kind": kind, "features": increased, "rules": new})
        decreased = [name for name in counts if _count(after, name) < _count(before, name)]
        if decreased:
            result.append({"kind": "eased", "features": decreased})
    return [change for change in result if change["kind"] in kinds]


def _kind(name: str) -> str | None:
    return next((kind for kind, starts in _COUNTS.items() if name.startswith(starts)), None)


def _count(state: WatchedState, name: str) -> float:
    return state.features[name] or 0.0


def _is_newer(before: float | None, after: float | None) -> bool:
    """Whether the last event is more recent than before; without a new event the time since it only grows."""
    return after is not None and (before is None or after < before)
