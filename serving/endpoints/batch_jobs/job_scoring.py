"""Process a job part by part: score its lines, write their ledger entries, then write their rows.

Lines may be scored in several processes at once; entries and rows are written in one place and in order. After a
kill between the two, the same lines are scored again under new ids: the ledger may hold an answer that no bank
received, and the result never holds an answer that the ledger has not.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from credit.actor import Actor, Role
from credit.errors import CreditError
from credit.ledger import Entry
from credit.usage_rights import Recipient
from serving.auth.clients import AGENCY
from serving.core.request import ANSWERED, REFUSED, SERVICE, SUSPECTED, RequestContext
from serving.core.service import ScoringService
from serving.endpoints.batch_jobs.job_lines import (
    answer_row,
    header_row,
    next_lines,
    read_answer,
    read_line,
    refusal_row,
)
from serving.endpoints.batch_jobs.job_store import Job, JobStore, append
from serving.errors import TooMany

CHUNK = 256  # lines that one process scores before they are written
ENTRIES_AT_ONCE, PAUSE = (
    16,
    0.001,
)  # entries per turn at the ledger (about a millisecond), and seconds between turns for its other writers
_HOLE = "the entry"
_Act = tuple[str, str, Actor, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class JobPart:
    """The next lines of a job; `read` is the offset in its input file after them."""

    job: Job
    lines: Sequence[str]
    read: int
    is_barred: bool  # the bank may not call any more

    def slices(self) -> list[tuple[str, str, int, Sequence[str]]]:
        """The arguments of `score_lines`, CHUNK lines each."""
        starts = range(0, len(self.lines), CHUNK)
        first = self.job.done + 1
        return [(self.job.bank, self.job.id, first + at, self.lines[at : at + CHUNK]) for at in starts]


@dataclass(frozen=True, slots=True)
class ScoredLine:
    """The outcome of one line: the details of its future entry, and its row, split at the place of that entry's id."""

    id: str
    details: Mapping[str, Any]
    digest: str = ""
    row: tuple[bytes, bytes] = field(default=(b"", b""), repr=False)
    error: CreditError | None = None


def next_part(service: ScoringService, jobs: JobStore, workers: int = 1) -> JobPart | None:
    """The next part to score, by so many workers; None when there is none, or when it has to wait."""
    job = jobs.next()
    if job is None or any("fault" in state for state in service.snapshots.state(service.settings.day()).values()):
        return None  # while a snapshot is missing or stale every line would be refused
    client = service.access.client(job.bank)
    try:
        lines, read = next_lines(jobs.input_path(job), job.read, CHUNK * workers)
    except FileNotFoundError:
        jobs.cancel(job)
        return next_part(service, jobs, workers)
    return JobPart(
        job, lines, read, client is None or client.disabled or client.kind == AGENCY or "job" not in client.scopes
    )


def score_lines(service: ScoringService, bank: str, job: str, first: int, lines: Sequence[str]) -> list[ScoredLine]:
    """Score lines as single requests are: each has its own mandate and subject. Nothing is written."""
    by, scored = Actor(bank, Role.BANK), []
    for number, line in enumerate(lines, first):
        details = {"bank": bank, "job": job, "line": number}
        call = RequestContext(by=by, details=details, recipient=Recipient.BANK)  # no other client sends a job
        try:
            answer = service.prepare_answer(call, read_line(line))
        except CreditError as error:
            scored.append(ScoredLine(call.id, call.details, error=error))
        else:
            row = answer_row(number, read_answer(answer.whole(entry=_HOLE, seq=0)))
            before, _, after = row.rpartition(_HOLE.encode())
            scored.append(ScoredLine(call.id, call.details, answer.digest, (before, after)))
    return scored


def write(service: ScoringService, jobs: JobStore, part: JobPart, scored: Sequence[ScoredLine]) -> bool:
    """Write entries, then rows, then the job's progress; False when it was cancelled meanwhile. Raises Broken, OSError.

    Two lines in a hundred, and at least a hundred, may be refused with status 403 or 404, so that codes cannot be
    tried by file. Every line after them is refused with 429.
    """
    job, by = part.job, Actor(part.job.bank, Role.BANK)
    left = max(100, job.lines // 50) - job.refused
    acts: list[_Act] = []
    lines: list[ScoredLine] = []
    for number, line in enumerate(scored, job.done + 1):
        if left <= 0 or part.is_barred:
            over = TooMany("job-scoring.too-many-lines-led-nowhere", after=3600)
            line = ScoredLine(line.id, {"bank": job.bank, "job": job.id, "line": number}, error=over)
        lines.append(line)
        if line.error is None:
            acts.append((ANSWERED, line.id, by, {**line.details, "status": 200, "digest": line.digest}))
            continue
        checks = [finding.check for finding in getattr(line.error, "findings", ())]
        details = {**line.details, "status": line.error.status, "slug": line.error.slug, "checks": checks}
        acts.append((REFUSED, line.id, by, details))
        if line.error.status in (403, 404):
            left -= 1
            if left == 0:
                acts.append((SUSPECTED, f"bank-{job.bank}", SERVICE, {"bank": job.bank, "job": job.id}))
    entries = {entry.object: entry.id for entry in _in_turns(service, acts)}
    rows = [
        entries[line.id].encode().join(line.row) if line.error is None else refusal_row(number, line.id, line.error)
        for number, line in enumerate(lines, job.done + 1)
    ]
    size = job.size or append(jobs.result_path(job), 0, header_row())
    size = append(jobs.result_path(job), size, b"".join(rows))
    refused = sum(line.error is not None for line in lines)
    return jobs.progress(replace(job, done=job.done + len(lines), answered=job.answered + len(lines) - refused,
                                 refused=job.refused + refused, read=part.read, size=size))  # fmt: skip


def finish(service: ScoringService, jobs: JobStore, part: JobPart, scored: Sequence[ScoredLine]) -> None:
    """Write a part, and delete the files of a job that was cancelled meanwhile."""
    try:
        if not write(service, jobs, part, scored):
            for path in (jobs.input_path(part.job), jobs.result_path(part.job)):
                path.unlink(missing_ok=True)
    except FileNotFoundError:
        jobs.cancel(part.job)


def work(service: ScoringService, jobs: JobStore) -> bool:
    """Process one part in this process; False when there is nothing to do now."""
    part = next_part(service, jobs)
    if part is None:
        return False
    finish(service, jobs, part, [line for slice_ in part.slices() for line in score_lines(service, *slice_)])
    return True


def _in_turns(service: ScoringService, acts: Sequence[_Act]) -> list[Entry]:
    """Append entries, a few at a time with pauses, so that no answer waits long for the ledger; durable on return."""
    entries: list[Entry] = []
    for start in range(0, len(acts), ENTRIES_AT_ONCE):
        if start:
            time.sleep(PAUSE)
        entries += service.journal.write(acts[start : start + ENTRIES_AT_ONCE])
    service.journal.sync()
    return entries
