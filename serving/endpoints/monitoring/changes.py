"""What changed of a subject between two snapshots, as far as grades, rules and features tell.

A snapshot holds features, not records. A count that grew, or a time since that shrank, is a new record; a count that
fell is a record that was repaired (信用修复) or has aged out of its window: two snapshots cannot tell which, and
`eased` does not pretend to. An event source that sees records of its own has only to give the same `Change`s.
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
_SINCE = {"penalty": "months_since_penalty", "listing": "months_since_abnormal"}


@dataclass(frozen=True, slots=True)
class WatchedState:
    """What a bank that watches was told last: grade, rules met, and the features that kinds of change are read from."""

    grade: str
    rules: tuple[str, ...]
    features: Mapping[str, float | None]

    def as_json(self) -> dict[str, Any]:
        """As it is stored until the watch ends."""
        return {"grade": self.grade, "rules": list(self.rules), "features": dict(self.features)}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> WatchedState:
        """As it was stored."""
        return cls(told["grade"], tuple(told["rules"]), told["features"])


def watched_state(book: ActiveSnapshot, row: int) -> WatchedState:
    """The state of the subject in `row`."""
    line = stored_score(book, row)
    hits = book.scorecard.rule_hits(line.features[None, :])[0]
    rules = tuple(rule.feature for rule, hit in zip(book.scorecard.rules, hits, strict=True) if hit)
    told = {
        name: None if math.isnan(value) else float(value)
        for name, value in zip(book.scorecard.names, line.features, strict=True)
        if _kind(name) or name in _SINCE.values()
    }
    return WatchedState(line.grade, tuple(dict.fromkeys(rules)), told)


def changes(
    before: WatchedState, after: WatchedState, grades: tuple[str, ...], kinds: Collection[str]
) -> list[dict[str, Any]]:
    """The changes of these kinds, each `{"kind", …}`; it names features and grades, and never a value of one."""
    found: list[dict[str, Any]] = []
    if before.grade != after.grade and before.grade in grades and after.grade in grades:
        worse = grades.index(after.grade) > grades.index(before.grade)
        found.append({"kind": "grade_drop" if worse else "grade_rise", "from": before.grade, "to": after.grade})
    for kind, since in _SINCE.items():
        shared = [name for name in after.features if name in before.features]
        counts = [name for name in shared if _kind(name) == kind]
        grown = [name for name in counts if _count(after, name) > _count(before, name)]
        if since in shared and _is_newer(before.features[since], after.features[since]):
            grown.append(since)
        new = [name for name in after.rules if name not in before.rules and _kind(name) == kind]
        if grown or new:
            found.append({"kind": kind, "features": grown, "rules": new})
        fallen = [name for name in counts if _count(after, name) < _count(before, name)]
        if fallen:
            found.append({"kind": "eased", "features": fallen})
    return [change for change in found if change["kind"] in kinds]


def _kind(name: str) -> str | None:
    return next((kind for kind, starts in _COUNTS.items() if name.startswith(starts)), None)


def _count(state: WatchedState, name: str) -> float:
    return state.features[name] or 0.0


def _is_newer(before: float | None, after: float | None) -> bool:
    """Whether the last record is nearer than it was: an unchanged one only ever gets older."""
    return after is not None and (before is None or after < before)
