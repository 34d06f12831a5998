"""The routes of batch jobs: send a file, read the progress, fetch the result, cancel."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

from fastapi import Request
from pydantic import Field

from credit.canonical import canonical, digest
from credit.errors import Malformed, Missing, Refused
from credit.files import write_atomically
from credit.messages import Text
from serving.core.recovery import earlier_entry
from serving.core.request import RequestContext, ResumedRequest, resource_id
from serving.core.service import ScoringService
from serving.endpoints.batch_jobs.job_files import JobFiles, accepted_media_type
from serving.endpoints.batch_jobs.job_store import CANCELLED, DONE, EXPIRED, QUEUED, RUNNING, Job, JobStore
from serving.endpoints.batch_jobs.upload_places import UploadPlaces
from serving.http.products import BodyLimits
from serving.http.routing import ProductRoute, RouteReply
from serving.responses.api_schema import ApiSchema
from serving.responses.job_columns import CSV, MAX_BYTES, PARQUET

SCOPE, OPEN_AT_ONCE, KEPT, ARRIVES = (
    "job",
    2,
    7 * 24 * 3600,
    120.0,
)  # open jobs per bank; seconds until a job expires; seconds for the upload
BOUNDS = BodyLimits(MAX_BYTES, ARRIVES, "routes.file-did-not-arrive")
_STATES = {
    QUEUED: Text.of("routes.job-queued"),
    RUNNING: Text.of("routes.job-running"),
    CANCELLED: Text.of("routes.job-cancelled"),
    EXPIRED: Text.of("routes.job-expired"),
}


class JobSchema(ApiSchema, published="JobStands"):
    """A job's progress."""

    job_id: str
    state: str = Field(description="queued, running, done, cancelled or expired")
    lines: int
    done: int
    answered: int
    refused: int
    expires_at: float = Field(description="when the file and the result are deleted, in seconds since 1970")


class JobListSchema(ApiSchema):
    """A bank's jobs, the newest first, without those that were deleted."""

    jobs: list[JobSchema]


UPLOADS = UploadPlaces()


async def send(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Take a file, CSV or Parquet.

    Raises Malformed, TooLarge, TooSlow, Refused when two of this bank's jobs are open.
    """
    jobs, name = _jobs(request), resource_id("job-", call)
    if isinstance(call, ResumedRequest) and (
        (existing := await asyncio.to_thread(jobs.job, name, call.by.name)) is not None
    ):
        return canonical(_as_json(replace(existing, state=QUEUED, done=0, answered=0, refused=0)))
    await asyncio.to_thread(_require_few_open, jobs, call.by.name)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    lines, lines_csv = await _files(request).read(call.by.name, media, body)
    await asyncio.to_thread(
        _require_few_open, jobs, call.by.name
    )  # other requests may have been answered while this file was read
    now = time.time()
    job = Job(name, call.by.name, QUEUED, lines, 0, 0, 0, 0, 0, now, now + KEPT)
    await asyncio.to_thread(write_atomically, jobs.input_path(job), lines_csv, mode=0o600)
    if await earlier_entry(service, call, "job.sent", name) is None:
        details = {**call.details, "lines": lines, "status": 200}
        await service.ledger_writer.record("job.sent", name, by=call.by, details=details)
    await asyncio.to_thread(jobs.add, job)
    request.app.state.background_tasks.wake()
    return canonical(_as_json(job))


async def job(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """A job's progress. Raises Missing, also for another bank's job."""
    return canonical(_as_json(await _own(request, call)))


async def list_jobs(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """This bank's jobs, so that a bank that lost a job's id can find it."""
    own = await asyncio.to_thread(_jobs(request).of, call.by.name)
    return canonical({"jobs": [_as_json(each) for each in own]})


async def result(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> RouteReply:
    """The result, CSV or as the header Accept asks. Raises Missing, and Malformed while it is not complete."""
    finished = await _own(request, call)
    if finished.state != DONE:
        raise Malformed("routes.job-no-result", state=_STATES[finished.state])
    media = accepted_media_type(request.headers.get("accept", ""))
    file = await _files(request).write(media, _jobs(request).result_path(finished))
    details = {**call.details, "digest": digest(file), "format": media, "status": 200}
    await service.ledger_writer.record("job.fetched", finished.id, by=call.by, details=details)
    return RouteReply(file, media)


async def cancel(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Stop a job, or discard a finished one: its files are deleted. Raises Missing."""
    own = await _own(request, call)
    await service.ledger_writer.record("job.cancelled", own.id, by=call.by, details={**call.details, "done": own.done})
    await asyncio.to_thread(_jobs(request).cancel, own)
    return canonical({**_as_json(own), "state": CANCELLED})


def _require_few_open(jobs: JobStore, bank: str) -> None:
    if jobs.open_of(bank) >= OPEN_AT_ONCE:
        raise Refused("routes.too-many-jobs-at-once", open_at_once=OPEN_AT_ONCE)


async def _own(request: Request, call: RequestContext) -> Job:
    own = await asyncio.to_thread(_jobs(request).job, request.path_params["name"], call.by.name)
    if own is None:
        raise Missing("routes.no-such-job")
    return own


def _as_json(job: Job) -> dict[str, Any]:
    return {"job_id": job.id, "state": job.state, "lines": job.lines, "done": job.done, "answered": job.answered,
            "refused": job.refused, "expires_at": job.expires_at}  # fmt: skip


def _jobs(request: Request) -> JobStore:
    jobs: JobStore = request.app.state.jobs
    return jobs


def _files(request: Request) -> JobFiles:
    files: JobFiles = request.app.state.files
    return files


ROUTES = (
    ProductRoute("POST", "/v1/jobs", SCOPE, send, "Score a file of up to 100,000 lines", None, JobSchema,
          body_media=(CSV, PARQUET), bounds=BOUNDS, reserve=UPLOADS.reserve, repeated="job.repeated"),
    ProductRoute("GET", "/v1/jobs", SCOPE, list_jobs, "This bank's jobs", None, JobListSchema),
    ProductRoute("GET", "/v1/jobs/{name}", SCOPE, job, "A job's progress", None, JobSchema),
    ProductRoute("GET", "/v1/jobs/{name}/result", SCOPE, result, "The result of a job", media=(CSV, PARQUET)),
    ProductRoute("DELETE", "/v1/jobs/{name}", SCOPE, cancel, "Stop a job and delete its files", None, JobSchema),
)  # fmt: skip
