"""The gate of the airlock (出域关口): the checks of each file by its kind, then comparisons between tables.

The same code runs in a researcher's notebook before a parcel is submitted. It opens no ledger and no shelf: earlier
tables, and where models are looked up, are passed to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from credit.gate import Finding, Outcome, Verdict
from credit.messages import Text
from lab.airlock.checks.context_checks import (
    THIS_PARCEL,
    SourcePopulation,
    context_findings,
    description_findings,
)
from lab.airlock.checks.cross_table_suppression import recoverable_across_tables
from lab.airlock.checks.differencing import LocatedTable, differences
from lab.airlock.checks.near_sums import near_sums
from lab.airlock.checks.scaled_columns import scaled_columns
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.checks.undecided_differences import facts_by_units, is_undecided, undecided_issue
from lab.airlock.files import text as texts
from lab.airlock.files.file_inspection import FileInspection
from lab.airlock.files.file_kinds import FileKind, detect_kind, name_problem
from lab.airlock.issue import Issue, as_finding, fail, review
from lab.airlock.kinds.models.model_copy import ModelShelf
from lab.airlock.kinds.rewriting import rewrite
from lab.airlock.parcel_context import FileDescription, ParcelContext
from lab.airlock.thresholds import Thresholds, load


@dataclass(frozen=True, slots=True)
class ParcelJudgement:
    """The verdict on a parcel, and the inspection of each file that could be read, by its submitted name."""

    verdict: Verdict
    files: Mapping[str, FileInspection]

    @property
    def names(self) -> dict[str, str]:
        """The name of each file's main form, by its submitted name."""
        return {submitted: each.name for submitted, each in self.files.items()}

    @property
    def kinds(self) -> list[tuple[FileKind | None, bytes]]:
        """The kind and the main form of each file."""
        return [(each.kind, each.outgoing) for each in self.files.values()]

    @property
    def leaving(self) -> dict[str, bytes]:
        """What would leave, by name: files that were written by us from what was judged."""
        return {name: content for each in self.files.values() for name, content in each.leaving.items()}


def judge_parcel(
    files: Mapping[str, bytes],
    *,
    context: ParcelContext | None = None,
    earlier: Sequence[LocatedTable] = (),
    models: ModelShelf | None = None,
    population: SourcePopulation | None = None,
    by_units: Sequence[TableCase] = (),
    thresholds: Thresholds | None = None,
) -> ParcelJudgement:
    """Judge a parcel (files by name). Nothing is recorded, and no file content raises an error: it gives a finding.

    ``context`` describes each file; without it every file counts as not described, which needs a review. ``earlier``
    are the tables that the project has carried out or has pending. ``models`` is None where versions cannot be looked
    up, and ``population``, what the sources say of it, where they cannot. ``by_units`` are tables of the project that
    compute judged by their units. ``thresholds`` are those of ``thresholds.yaml`` by default.
    """
    t = thresholds or load()
    context = context.in_one_spelling() if context else None
    findings: list[Finding] = list(_parcel_findings(files, context, t))
    inspections: dict[str, FileInspection] = {}
    if not any(finding.outcome is Outcome.FAIL for finding in findings):  # files that are too large are not opened
        for name, content in files.items():
            description = context.files.get(name) if context else None
            known = description or FileDescription("not told")
            inspection = _inspect(name, content, known, models, t)
            findings += inspection.findings
            if inspection.kind is not None:
                inspections[name] = inspection
        findings += [*_name_findings(inspections, t), *_comparison_findings(inspections, earlier, by_units, t)]
        if context is not None:
            findings += description_findings(inspections, context, population)
    return ParcelJudgement(Verdict("airlock", tuple(findings), dict(t)), inspections)


def tables_in(name: str, content: bytes, about: FileDescription, thresholds: Thresholds) -> tuple[TableCase, ...]:
    """The tables in one file, as the gate reads them."""
    return _inspect(name, content, about, None, thresholds).tables


def _inspect(
    name: str, content: bytes, about: FileDescription, models: ModelShelf | None, t: Thresholds
) -> FileInspection:
    kind = detect_kind(name, content)
    if isinstance(kind, Issue):
        return FileInspection(None, b"", (as_finding("kind", name, kind),))
    inspection = rewrite(kind, name, content, about, t, models)
    recognised = Finding.of(
        "kind", Outcome.PASS, Text.of("airlock.content-kind", file=name, kind=kind),
        {"file": inspection.name, "kind": kind},
    )  # fmt: skip
    return replace(inspection, findings=(recognised, *inspection.findings))


def _name_findings(inspections: Mapping[str, FileInspection], t: Thresholds) -> list[Finding]:
    """No two files leave under one name, in capitals or not, and no name that is made here is too long."""
    names = [name.casefold() for each in inspections.values() for name in each.leaving]
    findings = []
    if len(set(names)) < len(names):
        issue = fail(Text.of("airlock.leave-as-one"), Text.of("airlock.same-names-fix"))
        findings.append(as_finding("name", THIS_PARCEL, issue))
    if any(name_problem(name, t["name_length_at_most"]) for each in inspections.values() for name in each.leaving):
        why = Text.of("airlock.name-length", limit=t["name_length_at_most"])
        findings.append(as_finding("name", THIS_PARCEL, fail(why, Text.of("airlock.name-fix"))))
    return findings


def _parcel_findings(files: Mapping[str, bytes], context: ParcelContext | None, t: Thresholds) -> list[Finding]:
    """Findings on the parcel as a whole: number, sizes and names of the files, and the context."""
    findings: list[Finding] = []

    def add(check: str, issue: Issue, file: str = "") -> None:
        findings.append(as_finding(check, file or THIS_PARCEL, issue))

    if not t["files_at_least"] <= len(files) <= t["files_at_most"]:
        why = Text.of("airlock.file-count", files=len(files), least=t["files_at_least"], most=t["files_at_most"])
        add("size", fail(why, Text.of("airlock.file-count-fix"), files=len(files)))
    size = sum(map(len, files.values()))
    if size > t["parcel_bytes_at_most"]:
        add("size", fail(Text.of("airlock.bytes", size=size), Text.of("airlock.parcel-bytes-fix"), bytes=size))
    for number, (name, content) in enumerate(files.items(), start=1):
        problem = name_problem(name, t["name_length_at_most"])
        holds_identifier = not problem and bool([*texts.subject_identifiers(name, t), *texts.long_digit_runs(name, t)])
        if problem or holds_identifier:
            why = problem or Text.of("airlock.name-identifier")
            add("name", fail(why, Text.of("airlock.name-fix")), f"file {number}")
        if len(content) > t["file_bytes_at_most"]:
            add(
                "size",
                fail(Text.of("airlock.bytes", size=len(content)), Text.of("airlock.file-bytes-fix")),
                f"file {number}",
            )
    folded = [name.casefold() for name in files]
    if len(set(folded)) < len(folded):
        add("name", fail(Text.of("airlock.same-names"), Text.of("airlock.same-names-fix")))
    if context is not None:
        findings += context_findings(files, context, t)
    return findings or [
        Finding.of("size", Outcome.PASS, Text.of("airlock.size", files=len(files), size=size), {"file": THIS_PARCEL})
    ]


def _comparison_findings(
    inspections: Mapping[str, FileInspection],
    earlier: Sequence[LocatedTable],
    by_units: Sequence[TableCase],
    t: Thresholds,
) -> list[Finding]:
    """Compare each table with the tables before it in the parcel and with all earlier tables (differencing)."""
    own_tables = [
        LocatedTable(THIS_PARCEL, inspection.name, case)
        for inspection in inspections.values()
        for case in inspection.tables
    ]
    compared = list(earlier)
    findings: list[Finding] = []
    rows = sum(new.case.grid.rows for new in own_tables)
    if rows > t["rows_at_most"]:
        why = Text.of("airlock.table-in-pieces", rows=rows)
        findings.append(
            as_finding("row-level data", THIS_PARCEL, review(why, Text.of("airlock.what-purpose-needs"), rows=rows))
        )
    if len(compared) > t["earlier_tables_at_most"]:
        why = Text.of("airlock.not-all-compared", count=len(compared), limit=t["earlier_tables_at_most"])
        findings.append(as_finding("differencing", THIS_PARCEL, review(why, Text.of("airlock.not-all-compared-fix"))))
        compared = compared[-t["earlier_tables_at_most"] :]
    of_units = facts_by_units(by_units, t) if own_tables else frozenset()
    for number, new in enumerate(own_tables):
        undecided = []
        for old in (*compared, *own_tables[:number]):
            issues = list(differences(new, old, t)) or list(scaled_columns(new, old, t))
            issues += [*near_sums(new, old, t), *recoverable_across_tables(new, old, t)]
            findings += [as_finding("differencing", new.file, issue) for issue in issues]
            if not issues and is_undecided(new, old, of_units, t):
                undecided.append(old)
        if undecided:
            findings.append(as_finding("differencing", new.file, undecided_issue(new, undecided, t)))
    if own_tables and all(finding.check != "differencing" for finding in findings):
        why = Text.of("airlock.compared", own=len(own_tables), earlier=len(compared))
        findings.append(Finding.of("differencing", Outcome.PASS, why, {"file": THIS_PARCEL}))
    return findings
