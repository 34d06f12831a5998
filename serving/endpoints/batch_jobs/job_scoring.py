"""Working a job off, part by part: its lines are looked at, their entries written, and their rows after them.

The lines can be looked at anywhere, by several processes at once; entries and rows are written in one place and in
order. Killed between the two, those lines are scored again under new ids: the ledger may hold an answer that nobody
got, and the result never one that the ledger has not.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from credit.actor import Actor, Role
from credit.errors import CreditError
from credit.ledger import Entry
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

CHUNK = 256  # lines that one process looks at before they are written
TURN, PAUSE = 16, 0.001  # entries while the ledger is ours alone: a millisecond; and then its other writers have theirs
_HOLE = "the entry"
_Act = tuple[str, str, Actor, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class JobPart:
    """The next lines of a job; `read` bytes of its file are read with them."""

    job: Job
    lines: Sequence[str]
    read: int
    shut_out: bool  # the bank may not ask any more

    def slices(self) -> list[tuple[str, str, int, Sequence[str]]]:
        """What `look_at` takes, CHUNK lines each."""
        starts = range(0, len(self.lines), CHUNK)
        first = self.job.done + 1
        return [(self.job.bank, self.job.id, first + at, self.lines[at : at + CHUNK]) for at in starts]


@dataclass(frozen=True, slots=True)
class ScoredLine:
    """A line that was looked at, whatever came of it: its entry to be, and its row around that entry's name."""

    id: str
    details: Mapping[str, Any]
    digest: str = ""
    row: tuple[bytes, bytes] = field(default=(b"", b""), repr=False)
    error: CreditError | None = None


def next_part(service: ScoringService, jobs: JobStore, hands: int = 1) -> JobPart | None:
    """What is to be done next, by so many processes; None when that is nothing, or when it has to wait."""
    job = jobs.next()
    if job is None or any("fault" in state for state in service.snapshots.state(service.settings.day()).values()):
        return None  # while a book is missing or stale its lines would all be refused
    client = service.access.client(job.bank)
    try:
        lines, read = next_lines(jobs.input_path(job), job.read, CHUNK * hands)
    except FileNotFoundError:
        jobs.cancel(job)
        return next_part(service, jobs, hands)
    return JobPart(job, lines, read, client is None or client.disabled or "job" not in client.scopes)


def score_lines(service: ScoringService, bank: str, job: str, first: int, lines: Sequence[str]) -> list[ScoredLine]:
    """Look at lines as at calls: each has its own mandate and subject; nothing is written."""
    by, made = Actor(bank, Role.BANK), []
    for number, text in enumerate(lines, first):
        call = RequestContext(by=by, details={"bank": bank, "job": job, "line": number})
        try:
            told = service.prepare_answer(call, read_line(text))
        except CreditError as error:
            made.append(ScoredLine(call.id, call.details, error=error))
        else:
            row = answer_row(number, read_answer(told.whole(entry=_HOLE, seq=0)))
            before, _, after = row.rpartition(_HOLE.encode())
            made.append(ScoredLine(call.id, call.details, told.digest, (before, after)))
    return made


def write(service: ScoringService, jobs: JobStore, part: JobPart, looked: Sequence[ScoredLine]) -> bool:
    """Entries, then rows, then how far the job is; False when it was cancelled meanwhile. Raises Broken, OSError.

    Two lines in a hundred may lead nowhere, and at least a hundred: codes are not to be tried by file either. Beyond
    them a line gets that for an answer, whatever was found.
    """
    job, by = part.job, Actor(part.job.bank, Role.BANK)
    left = max(100, job.lines // 50) - job.refused
    acts: list[_Act] = []
    told: list[ScoredLine] = []
    for number, one in enumerate(looked, job.done + 1):
        if left <= 0 or part.shut_out:
            over = TooMany("job-scoring.too-many-lines-led-nowhere", after=3600)
            one = ScoredLine(one.id, {"bank": job.bank, "job": job.id, "line": number}, error=over)
        told.append(one)
        if one.error is None:
            acts.append((ANSWERED, one.id, by, {**one.details, "status": 200, "digest": one.digest}))
            continue
        checks = [finding.check for finding in getattr(one.error, "findings", ())]
        details = {**one.details, "status": one.error.status, "slug": one.error.slug, "checks": checks}
        acts.append((REFUSED, one.id, by, details))
        if one.error.status in (403, 404):
            left -= 1
            if left == 0:
                acts.append((SUSPECTED, f"bank-{job.bank}", SERVICE, {"bank": job.bank, "job": job.id}))
    entries = {entry.object: entry.id for entry in _in_turns(service, acts)}
    rows = [
        entries[one.id].encode().join(one.row) if one.error is None else refusal_row(number, one.id, one.error)
        for number, one in enumerate(told, job.done + 1)
    ]
    size = job.size or append(jobs.result_path(job), 0, header_row())
    size = append(jobs.result_path(job), size, b"".join(rows))
    refused = sum(one.error is not None for one in told)
    return jobs.progress(replace(job, done=job.done + len(told), answered=job.answered + len(told) - refused,
                                 refused=job.refused + refused, read=part.read, size=size))  # fmt: skip


def finish(service: ScoringService, jobs: JobStore, part: JobPart, looked: Sequence[ScoredLine]) -> None:
    """Write a part, and leave nothing of a job that was cancelled meanwhile."""
    try:
        if not write(service, jobs, part, looked):
            for path in (jobs.input_path(part.job), jobs.result_path(part.job)):
                path.unlink(missing_ok=True)
    except FileNotFoundError:
        jobs.cancel(part.job)


def work(service: ScoringService, jobs: JobStore) -> bool:
    """One part in this very process; False when there is nothing to do now."""
    part = next_part(service, jobs)
    if part is None:
        return False
    finish(service, jobs, part, [one for each in part.slices() for one in score_lines(service, *each)])
    return True


def _in_turns(service: ScoringService, acts: Sequence[_Act]) -> list[Entry]:
    """Append entries, a few at a time with a breath between, so that no answer waits long for the ledger; durable."""
    entries: list[Entry] = []
    for start in range(0, len(acts), TURN):
        if start:
            time.sleep(PAUSE)
        entries += service.journal.write(acts[start : start + TURN])
    service.journal.sync()
    return entries
