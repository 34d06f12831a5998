"""An issue that a check reports about a file (检查意见): outcome, reason, fix, and evidence without personal data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from credit.gate import Finding, Outcome
from credit.messages import Text
from lab.airlock.thresholds import Thresholds

Case = TypeVar("Case")
FIX_MESSAGE = "fix_message"  # the key of the evidence that holds the fix as a message by id
PLACES_LISTED = 10  # cells named in the evidence; further ones are only counted
_SHOWABLE = re.compile(r"[\w%.()/ -]{1,40}")


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of a check. ``evidence`` holds numbers, column names and places of cells, never a subject's value."""

    outcome: Outcome
    why: Text
    fix: Text
    evidence: Mapping[str, Any] = field(default_factory=dict)


Check = tuple[str, Callable[[Case, Thresholds], Iterator[Issue]]]
"""The name of a check, and its function of a case and the thresholds, which yields issues."""


def fail(why: Text, fix: Text, **evidence: Any) -> Issue:
    """An issue that keeps the file inside until it is corrected."""
    return Issue(Outcome.FAIL, why, fix, evidence)


def review(why: Text, fix: Text, **evidence: Any) -> Issue:
    """An issue that reviewers must look at; an approval then needs a reason."""
    return Issue(Outcome.REVIEW, why, fix, evidence)


def run_checks(file: str, case: Case, checks: Sequence[Check[Case]], thresholds: Thresholds) -> list[Finding]:
    """Run the checks on a case; a check without an issue gives a finding with outcome PASS."""
    findings = []
    for name, check in checks:
        issues = list(check(case, thresholds))
        findings += [as_finding(name, file, issue) for issue in issues]
        if not issues:
            findings.append(Finding.of(name, Outcome.PASS, Text.of("airlock.nothing-found"), {"file": file}))
    return findings


def as_finding(check: str, file: str, issue: Issue) -> Finding:
    """The issue as a finding of the gate, with the file and the fix in its evidence.

    The fix stands there in English and, for readers of other languages, as a message by id.
    """
    details = {"file": file, "fix": issue.fix.render(), FIX_MESSAGE: issue.fix.as_json(), **issue.evidence}
    return Finding.of(check, issue.outcome, Text.of("airlock.in-file", file=file, why=issue.why), details)


def fix_of(finding: Finding, language: str = "en") -> str:
    """What to do about a finding, in ``en`` or ``zh``; one that was stored without a message has English in both."""
    message = finding.evidence.get(FIX_MESSAGE)
    text = Text.from_json(message)
    return text.render(language) if text is not None else str(finding.evidence.get("fix", ""))


def display_name(name: str, number: int) -> str:
    """A column's name for display, or its number when the name may contain a subject's data."""
    safe = bool(_SHOWABLE.fullmatch(name)) and not re.search(r"\d{7}|[0-9a-fA-F]{12}|1[3-9]\d{9}", name)
    return name if safe and name.strip() else f"column {number + 1}"


def places(cells: Sequence[tuple[int, str]]) -> dict[str, Any]:
    """Evidence for cells given as ``(row from 0, column name)``.

    ``cells`` lists the first few, with rows counted from 1 below the header; ``how_many`` is their number.
    """
    return {"cells": [f"row {row + 1}, {column}" for row, column in cells[:PLACES_LISTED]], "how_many": len(cells)}
