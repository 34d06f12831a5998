"""What a check has to say of a file (检查意见): how bad, why, the fix in words, evidence without a subject's value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from credit.gate import Finding, Outcome
from lab.airlock.thresholds import Thresholds

Case = TypeVar("Case")
PLACES_LISTED = 10  # so many cells are named; the rest are counted
_SHOWABLE = re.compile(r"[\w%.()/ -]{1,40}")


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing a check has found. ``evidence`` holds numbers, names of columns and places of cells."""

    outcome: Outcome
    why: str
    fix: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


Check = tuple[str, Callable[[Case, Thresholds], Iterator[Issue]]]
"""A check's name and the plain function of a case and the thresholds that finds troubles."""


def fail(why: str, fix: str, **evidence: Any) -> Issue:
    """What may not leave as it is."""
    return Issue(Outcome.FAIL, why, fix, evidence)


def review(why: str, fix: str, **evidence: Any) -> Issue:
    """What a person must look at and give a reason for."""
    return Issue(Outcome.REVIEW, why, fix, evidence)


def run_checks(file: str, case: Case, checks: Sequence[Check[Case]], thresholds: Thresholds) -> list[Finding]:
    """Run every check on a case; one that finds nothing has passed, and says so."""
    findings = []
    for name, check in checks:
        issues = list(check(case, thresholds))
        findings += [as_finding(name, file, issue) for issue in issues]
        if not issues:
            findings.append(Finding(name, Outcome.PASS, "nothing was found", {"file": file}))
    return findings


def as_finding(check: str, file: str, issue: Issue) -> Finding:
    """The trouble as a finding of a gate: the file and the fix stand in its evidence."""
    details = {"file": file, "fix": issue.fix, **issue.evidence}
    return Finding(check, issue.outcome, f"{file}: {issue.why}", details)


def display_name(name: str, number: int) -> str:
    """A column's name for people, or its number where the name itself may hold a subject's data."""
    safe = bool(_SHOWABLE.fullmatch(name)) and not re.search(r"\d{7}|[0-9a-fA-F]{12}|1[3-9]\d{9}", name)
    return name if safe and name.strip() else f"column {number + 1}"


def places(cells: Sequence[tuple[int, str]]) -> dict[str, Any]:
    """``(row from 0, column)`` as evidence: the first few places, rows counted from 1 below the header, how many."""
    return {"cells": [f"row {row + 1}, {column}" for row, column in cells[:PLACES_LISTED]], "how_many": len(cells)}
