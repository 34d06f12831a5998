"""The process of the background tasks: looks after watches, deliveries and jobs until its standard input ends.

When several services share one access database, one of their processes does the tasks; those of the others wait for
its file lock, before they load anything.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from serving.settings import PREFIX, ServiceSettings

NICE = 10
IDLE_SECONDS, SWEEP_SECONDS = 0.25, 60.0


def main() -> int:
    """Do the background tasks until standard input ends."""
    path = Path(os.environ[f"{PREFIX}ACCESS"]).with_name("chores.lock")
    threading.Thread(target=_end_with_service, daemon=True).start()
    writer = ThreadPoolExecutor(1, "writer")
    # The writer's thread starts before the priority is lowered, and keeps its own: while it holds the ledger's lock
    # every answer waits for it.
    writer.submit(os.getpid).result()
    os.nice(NICE)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        asyncio.run(_run(writer))
    return 0


async def _run(writer: Executor) -> None:
    """Run each task at its own interval, so that a long job delays no delivery."""
    from credit.errors import CreditError
    from credit.keys import KeyRing, SigningKey
    from credit.settings import read
    from credit.shelf import Shelf
    from serving.app.wiring import background_stores, open_applications, open_service
    from serving.audit.signatures import ZONE
    from serving.endpoints.batch_jobs.job_processes import JobProcesses
    from serving.endpoints.mandates.review import MandateReview
    from serving.endpoints.monitoring.delivery import deliver
    from serving.endpoints.monitoring.service_notices import NoticeStore, deliver_notices, queue_notices
    from serving.endpoints.monitoring.watch_review import review_watches
    from serving.endpoints.monitoring.webhook_sender import webhook_sender
    from serving.endpoints.outcomes.outcome_sealing import outcomes_folder, seal_outcomes
    from serving.observability import log

    log.start()
    settings = read(ServiceSettings, os.environ, PREFIX)
    service = open_service(settings)
    watches, jobs = background_stores(service)
    scoring_processes = JobProcesses(settings.as_environment(), writer, settings.job_processes)
    sender, notices = webhook_sender(settings), NoticeStore(service.store)
    applications, ring = open_applications(settings, service.store), KeyRing.load(settings.ring)
    outcomes, key = Shelf(outcomes_folder(settings), ring), SigningKey.load(settings.keys, ZONE)
    mandates = MandateReview(service, applications.store, watches, notices, ring)

    async def sweep() -> None:
        watches.sweep(time.time())
        for job in jobs.expire(time.time()):
            log.event("job.expired", job=job.id)

    reviewed: list[object] = []  # the generation and the day of the last review of all mandates

    async def review() -> None:
        await asyncio.to_thread(service.snapshots.refresh)
        now = [await asyncio.to_thread(service.access.generation), settings.day()]
        await asyncio.to_thread(review_watches, service, watches, every=now != reviewed)
        reviewed[:] = now

    async def review_mandates() -> None:
        await asyncio.to_thread(mandates.review)

    async def seal_reports() -> None:
        while await seal_outcomes(service, outcomes, key) is not None:
            pass

    async def score_jobs() -> None:
        while service.switch.fault is None and await scoring_processes.step(service, jobs):
            pass

    async def deliver_webhooks() -> None:
        while service.switch.fault is None and await deliver(service, watches, sender):
            pass

    async def follow_switch() -> None:
        if (pointer := await asyncio.to_thread(service.switch.refresh)) is not None:
            await asyncio.to_thread(queue_notices, watches, notices, pointer)
        while await deliver_notices(service, watches, notices, sender):
            pass

    async def repeat(task: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            try:
                await task()
            except CreditError as fault:  # of the ledger or a snapshot: logged, and tried again
                log.event("chore.failed", level=log.ERROR, fault=fault.what)
            except Exception as fault:  # one task's fault does not stop the others
                log.event("chore.failed", level=log.ERROR, fault=type(fault).__name__)
            await asyncio.sleep(seconds)

    await follow_switch()
    await review()
    await asyncio.to_thread(mandates.recover)
    tasks = ((follow_switch, IDLE_SECONDS), (review, settings.watch_seconds), (deliver_webhooks, IDLE_SECONDS),
             (review_mandates, settings.watch_seconds), (score_jobs, IDLE_SECONDS), (sweep, SWEEP_SECONDS),
             (seal_reports, SWEEP_SECONDS))  # fmt: skip
    await asyncio.gather(*(repeat(task, seconds) for task, seconds in tasks))


def _end_with_service() -> None:
    """End when the service closes its end of the pipe. Every step may be interrupted anywhere and continued later."""
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
