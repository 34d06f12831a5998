"""Working a job off: some hundred lines at a time, their entries in one durable write, their rows after it.

A worker killed between the two scores those lines again, under new ids: the ledger may hold an answer that nobody got,
and the result never one that the ledger has not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from credit.actor import Actor, Role
from credit.errors import CreditError
from serving.calls import ANSWERED, REFUSED, SERVICE, SUSPECTED, Call, Desk
from serving.jobs.lines import answer_of, bad, good, head, next_lines, read_line
from serving.jobs.store import Job, Jobs, append
from serving.quotas import TooMany
from serving.sheets import Filled

CHUNK = 256
_Act = tuple[str, str, Actor, Mapping[str, Any]]


@dataclass(slots=True)
class Misses:
    """How many lines of a job may lead nowhere: two in a hundred, and at least a hundred; codes are not to be tried."""

    left: int

    @classmethod
    def of(cls, job: Job) -> Misses:
        """What is left for a job, also one that goes on after a kill."""
        return cls(max(100, job.lines // 50) - job.refused)

    @property
    def are_over(self) -> bool:
        """Whether none is left."""
        return self.left <= 0


def work_on(desk: Desk, jobs: Jobs, job: Job) -> bool:
    """Score the next lines of a job; False when it was cancelled meanwhile. Raises Broken when nothing can be written.

    Every line is looked at as a call is: its mandate, its subject, and an entry of its own whatever comes of it.
    """
    size, misses = job.size, Misses.of(job)
    if size == 0:
        size = append(jobs.told(job), 0, head())
    by = Actor(job.bank, Role.BANK)
    client = desk.access.client(job.bank)
    shut_out = client is None or client.disabled or "job" not in client.scopes
    made: list[tuple[int, Call, Filled | CreditError]] = []
    acts: list[_Act] = []
    answered = refused = 0
    lines, read = next_lines(jobs.asked(job), job.read, CHUNK)
    for number, text in enumerate(lines, job.done + 1):
        call = Call(by=by, because={"bank": job.bank, "job": job.id, "line": number})
        told: Filled | CreditError
        try:
            if misses.are_over or shut_out:
                raise TooMany("Too many lines that led nowhere", after=3600, remedy="Mend the file and send it anew")
            told = desk.find(call, read_line(text))
            answered += 1
            acts.append((ANSWERED, call.id, by, {**call.because, "status": 200, "digest": told.digest}))
        except CreditError as error:
            told, refused = error, refused + 1
            checks = [finding.check for finding in getattr(error, "findings", ())]
            because = {**call.because, "status": error.status, "slug": error.slug, "checks": checks}
            acts.append((REFUSED, call.id, by, because))
            if error.status in (403, 404):
                misses.left -= 1
                if misses.left == 0:
                    acts.append((SUSPECTED, f"bank-{job.bank}", SERVICE, {"bank": job.bank, "job": job.id}))
        made.append((number, call, told))
    entries = {entry.object: entry for entry in desk.journal.append_many(acts)}
    rows = [
        good(number, answer_of(told.whole(entry=entries[call.id].id, seq=entries[call.id].seq)))
        if isinstance(told, Filled)
        else bad(number, call.id, told)
        for number, call, told in made
    ]
    size = append(jobs.told(job), size, b"".join(rows))
    done = job.done + len(made)
    return jobs.progress(replace(job, done=done, answered=job.answered + answered, refused=job.refused + refused,
                                 read=read, size=size))  # fmt: skip


def work(desk: Desk, jobs: Jobs) -> bool:
    """One step of whatever is to be done; False when there is nothing. What cannot be done now is left for later."""
    job = jobs.next()
    if job is None:
        return False
    if any("fault" in state for state in desk.library.state(desk.settings.day()).values()):
        return False  # while a book is missing or stale its lines would all be refused: they wait
    try:
        if not work_on(desk, jobs, job):
            for path in (jobs.asked(job), jobs.told(job)):
                path.unlink(missing_ok=True)
    except FileNotFoundError:
        jobs.cancel(job)
    return True
