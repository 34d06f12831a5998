"""Jobs: their progress in the store, their input and result in files that are deleted with them."""

from __future__ import annotations

import os
from dataclasses import astuple, dataclass
from pathlib import Path

from serving.store.store import Store, statement
from serving.store.transaction import Rows

QUEUED, RUNNING, DONE, CANCELLED, EXPIRED = "queued", "running", "done", "cancelled", "expired"
OPEN = (QUEUED, RUNNING)
NO_JOB = 24 * 3600  # seconds for which a file may exist without its job: as long as an idempotency key is stored
_JOB = "id, bank, state, lines, done, answered, refused, read, size, made_at, expires_at"


@dataclass(frozen=True, slots=True)
class Job:
    """One job.

    `done` of its `lines`, the first `read` bytes of the input, are in the first `size` bytes of the result.
    """

    id: str
    bank: str
    state: str
    lines: int
    done: int
    answered: int
    refused: int
    read: int
    size: int
    made_at: float
    expires_at: float


class JobStore:
    """Safe to use from several threads and processes. Every change is on the disk before it returns."""

    def __init__(self, store: Store, folder: Path) -> None:
        """Use the table in this store, and the folder of files, which only their owner can read."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder, self._store = folder, store

    def input_path(self, job: Job) -> Path:
        """The input file: one `uscc,purpose,mandate` per line, without a header."""
        return self.folder / f"{job.id}.asked.csv"

    def result_path(self, job: Job) -> Path:
        """The result file."""
        return self.folder / f"{job.id}.told.csv"

    def add(self, job: Job) -> None:
        """Queue a job whose input file is written. A job that is already queued under its name stays as it is."""
        marks = ",".join("?" * 11)
        self._run(f"INSERT INTO job ({_JOB}) VALUES ({marks}) ON CONFLICT (id) DO NOTHING", *astuple(job))

    def job(self, name: str, bank: str) -> Job | None:
        """The job of this name, if it is this bank's."""
        return next(iter(self._jobs("WHERE id = ? AND bank = ?", name, bank)), None)

    def of(self, bank: str) -> list[Job]:
        """The jobs of a bank whose files exist, the newest first; a thousand at most."""
        return self._jobs("WHERE bank = ? AND state IN (?, ?, ?) ORDER BY made_at DESC LIMIT 1000", bank, *OPEN, DONE)

    def open_of(self, bank: str) -> int:
        """How many jobs of a bank are not finished."""
        return len(self._jobs("WHERE bank = ? AND state IN (?, ?)", bank, *OPEN))

    def next(self) -> Job | None:
        """The job to work on: one that is running, else the one that has waited longest."""
        return next(iter(self._jobs("WHERE state IN (?, ?) ORDER BY state DESC, made_at LIMIT 1", *OPEN)), None)

    def progress(self, job: Job) -> bool:
        """Store a job's progress; False when it was cancelled meanwhile. A job is done when every line is."""
        state = DONE if job.done == job.lines else RUNNING
        numbers = (job.done, job.answered, job.refused, job.read, job.size)
        sql = "UPDATE job SET state = ?, done = ?, answered = ?, refused = ?, read = ?, size = ? WHERE id = ?"
        return bool(self._run(f"{sql} AND state IN (?, ?) RETURNING id", state, *numbers, job.id, *OPEN))

    def cancel(self, job: Job) -> None:
        """Stop a job in any state, and delete its files."""
        self._end(job, CANCELLED)

    def expire(self, now: float) -> list[Job]:
        """End the jobs whose time is over and delete their files; gives the jobs.

        Also deletes files without a job after a day.
        """
        expired = self._jobs("WHERE expires_at < ? AND state NOT IN (?, ?)", now, CANCELLED, EXPIRED)
        for job in expired:
            self._end(job, EXPIRED)
        for path in self.folder.iterdir():  # a process was killed before it queued the job, and the bank did not retry
            if path.stat().st_mtime < now - NO_JOB and not self._jobs("WHERE id = ?", path.name.partition(".")[0]):
                path.unlink(missing_ok=True)
        return expired

    @property
    def is_idle(self) -> bool:
        """Whether no job needs work or deletion, now or later."""
        return not self._jobs("WHERE state NOT IN (?, ?) LIMIT 1", CANCELLED, EXPIRED)

    def _end(self, job: Job, state: str) -> None:
        self._run("UPDATE job SET state = ? WHERE id = ?", state, job.id)
        for path in (self.input_path(job), self.result_path(job)):
            path.unlink(missing_ok=True)

    def _jobs(self, where: str, *values: object) -> list[Job]:
        return [Job(*row) for row in self._store.query(statement(f"SELECT {_JOB} FROM job {where}", *values))]

    def _run(self, sql: str, *values: object) -> Rows:
        return self._store.run(statement(sql, *values))


def append(path: Path, size: int, text: bytes) -> int:
    """Write `text` after the first `size` bytes of a file, durably; gives the new size.

    What followed them was never sent.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as stream:
        stream.truncate(size)
        stream.seek(size)
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    return size + len(text)
