"""Functions for tests of the gate: judge files, and select findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from credit.gate import Finding, Outcome
from lab.airlock.checks.differencing import LocatedTable
from lab.airlock.gate import ParcelJudgement, judge_parcel, tables_in
from lab.airlock.parcel_context import FileDescription, ParcelContext
from lab.airlock.thresholds import load

PSEUDONYM = "3f9a0c1d2e4b5a69788796a5b4c3d2e1"


def judge(files: Mapping[str, bytes | str], *, earlier: Sequence[LocatedTable] = (), **about: Any) -> ParcelJudgement:
    """The gate's judgement of files that all have the same description."""
    given = {name: content.encode() if isinstance(content, str) else content for name, content in files.items()}
    description = {"what": "a file", "population": "all firms", "counted": "count(*)", "subjects": 100000} | about
    context = ParcelContext(
        "A parcel", "a paper", {name: FileDescription(**description) for name in given}, ("release-1",)
    )
    return judge_parcel(given, context=context, earlier=earlier)


def outcome(content: bytes | str, name: str = "table.csv", **about: Any) -> Outcome:
    """The verdict on one file."""
    return judge({name: content}, **about).verdict.outcome


def open_findings(judgement: ParcelJudgement, check: str) -> list[Finding]:
    """The findings of one check that are not PASS."""
    return [each for each in judgement.verdict.findings if each.check == check and each.outcome is not Outcome.PASS]


def worst_outcome(content: bytes | str, check: str, name: str = "table.csv", **about: Any) -> Outcome:
    """The worst outcome of one check on one file."""
    outcomes = [each.outcome for each in judge({name: content}, **about).verdict.findings if each.check == check]
    return max(outcomes, key=list(Outcome).index)  # a check that did not run is an error


def earlier(content: str, name: str = "old.csv", subjects: int = 100000) -> list[LocatedTable]:
    """The tables of a file that left earlier."""
    about = FileDescription("an earlier table", subjects=subjects)
    return [LocatedTable("petition-0", name, case) for case in tables_in(name, content.encode(), about, load())]
