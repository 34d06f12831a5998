"""The lifespan of the application: what is opened at start, runs in the background, and is closed at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from credit import messages
from serving.app.readiness import readiness
from serving.app.wiring import background_stores, open_applications, open_service
from serving.audit.refusal_sampling import SECONDS
from serving.auth.auth_throttle import AuthThrottle
from serving.core.service import ScoringService
from serving.endpoints.batch_jobs.job_files import JobFiles
from serving.endpoints.outcomes.outcome_store import are_all_sealed
from serving.endpoints.reports import typeface
from serving.endpoints.reports.report_routes import pdf_process
from serving.http.endpoint import ScoringEndpoint
from serving.observability import log
from serving.processes.background_tasks import BackgroundTasks
from serving.processes.shared_readiness import SharedReadiness
from serving.settings import ServiceSettings

AGAIN_SECONDS = 1.0  # before a task that failed runs again
_SHOW_SECONDS = 0.1  # between two updates of the shared readiness


@asynccontextmanager
async def lifespan(
    app: FastAPI, settings: ServiceSettings, shared_readiness: SharedReadiness | None, place: int
) -> AsyncIterator[None]:
    """Open the service, run its periodic tasks until the application stops, and close everything.

    With `shared_readiness` the process shows there, at its `place`, whether it is ready. Raises as `open_service`.
    """
    endpoint: ScoringEndpoint = app.state.endpoint
    service = endpoint.service = app.state.service = open_service(settings)
    await asyncio.to_thread(messages.load)  # the first refusal would read them on the event loop
    for snapshot in await asyncio.to_thread(service.snapshots.refresh):
        await service.record_snapshot_opened(snapshot)
    for evaluation in await asyncio.to_thread(service.evaluations.refresh):
        await service.record_evaluation_opened(evaluation)
    credit_files = service.credit_files
    assert credit_files is not None
    if (opened := await asyncio.to_thread(credit_files.refresh)) is not None:
        await service.record_credit_files_opened(opened)
    started_as = await asyncio.to_thread(service.switch.refresh)
    watches, jobs = app.state.watches, app.state.jobs = background_stores(service)
    applications = app.state.applications = open_applications(settings, service.store)
    background, files = app.state.background_tasks, app.state.files = BackgroundTasks(settings), JobFiles()
    if no_pdf := typeface.font_fault():
        log.event("report.no_typeface", level=log.ERROR, fault=no_pdf)
    app.state.no_pdf = no_pdf  # shown only: scores do not need it
    report_worker, throttle = app.state.drawer, app.state.throttle = pdf_process(), AuthThrottle()
    stores = (watches, jobs, applications.store)
    if not await asyncio.to_thread(lambda: all(one.is_idle for one in stores) and are_all_sealed(service.store)):
        background.wake()

    async def follow_switch(pointer: Mapping[str, Any]) -> None:
        if await asyncio.to_thread(watches.banks_with_webhook):
            background.wake()
        await service.record_switch(pointer)

    if started_as is not None:
        await follow_switch(started_as)
    periodic: list[Callable[[], Awaitable[None]]] = [
        background.keep,
        lambda: service.snapshots.watch(settings.watch_seconds, service.record_snapshot_opened),
        lambda: credit_files.watch(settings.watch_seconds, service.record_credit_files_opened),
        lambda: service.evaluations.watch(settings.watch_seconds, service.record_evaluation_opened),
        lambda: service.switch.watch(follow_switch),
        lambda: _prune_idempotency(service),
        lambda: _settle_store(service),
        lambda: _record_refusal_counts(service),
    ]
    if shared_readiness is not None:
        periodic.append(lambda: _show_readiness(service, shared_readiness, place))
    running = [asyncio.create_task(keep_running(task)) for task in periodic]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await service.record_refusal_counts()
        await asyncio.to_thread(files.close)
        await asyncio.to_thread(report_worker.close)
        await asyncio.to_thread(throttle.close)
        await asyncio.to_thread(background.close)
        await asyncio.to_thread(service.ledger_writer.close)
        await asyncio.to_thread(service.store.close)


async def keep_running(task: Callable[[], Awaitable[None]]) -> None:
    """Run a task that never ends, again after whatever ended it: a store that was away, or a process too many.

    Without this the first fault would be the last thing that the task did, and nothing would show it.
    """
    while True:
        try:
            await task()
        except Exception as fault:
            log.event("task.failed", level=log.ERROR, fault=type(fault).__name__)
        await asyncio.sleep(AGAIN_SECONDS)


async def _prune_idempotency(service: ScoringService, every: float = 3600) -> None:
    """Delete answers that are too old to be repeated, also while no requests arrive: they contain subjects' data."""
    while True:
        await service.idempotency.prune()
        await service.lasting_idempotency.prune()
        await asyncio.sleep(every)


async def _settle_store(service: ScoringService, every: float = 1.0) -> None:
    """Do the periodic work of the store in a thread, so that no request waits for it."""
    while True:
        if service.store.lags:
            await asyncio.to_thread(service.store.settle)
        await asyncio.sleep(every)


async def _record_refusal_counts(service: ScoringService, every: float = SECONDS) -> None:
    """Record the counted refusals once per interval, in seconds."""
    while True:
        await asyncio.sleep(every)
        await service.record_refusal_counts()


async def _show_readiness(service: ScoringService, shared_readiness: SharedReadiness, place: int) -> None:
    """Show the other processes whether this one is ready."""
    while True:
        shared_readiness.put(place, working=True, ready=readiness(service).ok)
        await asyncio.sleep(_SHOW_SECONDS)
