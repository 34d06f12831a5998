"""Checks of a parcel's context (申请说明的检查): it leaves with the parcel, so it is data with types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from credit.gate import Finding, Outcome
from credit.messages import Text
from lab.airlock.characters import refused_characters
from lab.airlock.files import text as texts
from lab.airlock.files.file_inspection import FileInspection
from lab.airlock.issue import Issue, as_finding, fail, review
from lab.airlock.parcel_context import FileDescription, ParcelContext
from lab.airlock.thresholds import Thresholds

THIS_PARCEL = "this parcel"


@dataclass(frozen=True, slots=True)
class SourcePopulation:
    """How many subjects the sources of a parcel describe at most; None where one of them does not say it."""

    subjects: int | None


def context_findings(files: Mapping[str, bytes], context: ParcelContext, t: Thresholds) -> list[Finding]:
    """The context describes each file of the parcel and no other, and its texts hold nothing that a text may not."""
    findings = []
    undescribed, unmatched = len(files.keys() - context.files.keys()), len(context.files.keys() - files.keys())
    if undescribed or unmatched:
        why = Text.of("airlock.undescribed", undescribed=undescribed, unmatched=unmatched)
        findings.append(as_finding("context", THIS_PARCEL, fail(why, Text.of("airlock.undescribed-fix"))))
    own_texts = "\n".join(context.texts())
    refused = refused_characters(own_texts.replace("\n", " "))
    if refused:
        why = Text.of("airlock.characters-refused", characters=", ".join(refused[:5]))
        issue = fail(why, Text.of("airlock.characters-refused-fix"))
        findings.append(as_finding("context: characters", THIS_PARCEL, issue))
    for finding in texts.check_text(THIS_PARCEL, own_texts, texts.CHECKS, t):
        if finding.outcome is not Outcome.PASS:
            findings.append(replace(finding, check=f"context: {finding.check}"))
    return findings


def description_findings(
    inspections: Mapping[str, FileInspection], context: ParcelContext, population: SourcePopulation | None
) -> list[Finding]:
    """What each file's description says as data agrees with the file and with the sources.

    ``population`` is None where the sources cannot be looked up, as in a notebook; the airlock looks them up.
    """
    findings = []
    for submitted, inspection in inspections.items():
        about = context.files.get(submitted)
        if about is None:
            continue
        issues = [*_counts(about, inspection), *_subjects(about, inspection, population)]
        findings += [as_finding("description", inspection.name, issue) for issue in issues]
        if not issues:
            why = Text.of("airlock.description-agrees", file=inspection.name)
            findings.append(Finding.of("description", Outcome.PASS, why, {"file": inspection.name}))
    return findings


def _counts(about: FileDescription, inspection: FileInspection) -> Iterator[Issue]:
    """Columns that count subjects are columns of the file."""
    columns = {column.name for case in inspection.tables for column in case.grid.columns}
    unknown = [name for name in about.counts if name not in columns]
    if unknown:
        yield fail(
            Text.of("airlock.counts-no-column", count=len(unknown)), Text.of("airlock.counts-no-column-fix"),
            how_many=len(unknown),
        )  # fmt: skip


def _subjects(
    about: FileDescription, inspection: FileInspection, population: SourcePopulation | None
) -> Iterator[Issue]:
    """The subjects are no more than the sources describe, and no fewer than a count in the file."""
    most = population.subjects if population is not None else None
    if population is not None and most is None and (about.subjects or inspection.tables):
        why = Text.of("airlock.population-unknown", subjects=about.subjects)
        yield review(why, Text.of("airlock.population-unknown-fix"), subjects=about.subjects)
    if most is not None and about.subjects > most:
        why = Text.of("airlock.more-subjects", subjects=about.subjects, population=most)
        yield fail(why, Text.of("airlock.more-subjects-fix"), subjects=about.subjects, population=most)
    if not about.subjects:
        return
    counted = max((case.largest_count for case in inspection.tables), default=0)
    if counted > about.subjects:
        why = Text.of("airlock.count-above-subjects", counted=int(counted), subjects=about.subjects)
        yield review(why, Text.of("airlock.count-above-subjects-fix"), counted=int(counted), subjects=about.subjects)
