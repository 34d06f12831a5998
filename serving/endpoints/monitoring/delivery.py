"""Telling banks: at least once, later and later after each failure, and never what the mandate no longer allows.

Just before each attempt the mandate is judged again and the delivery looked at again; only then does it leave.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from credit.errors import CreditError
from serving.bank.webhooks import sign
from serving.core.service import ScoringService
from serving.endpoints.monitoring.watch_review import current_mandate, end_watch, record_entry
from serving.endpoints.monitoring.watch_store import Delivery, WatchStore
from serving.endpoints.monitoring.webhook_sender import AGENT, WebhookSender
from serving.observability import log

AT_ONCE = 16
SUPPRESSED_DELAY = 5.0  # seconds
_GONE = 410


@dataclass(frozen=True, slots=True)
class Backoff:
    """When to try again: after `first` seconds, four times as long each time, at most `longest`, `attempts` in all.

    With these numbers the last attempt is about two days after the first.
    """

    first: float = 5.0
    longest: float = 6 * 3600.0
    attempts: int = 14

    def next_at(self, tried: int, now: float) -> float | None:
        """The time of the next attempt after `tried` of them, half of the wait by chance; None when none is left."""
        if tried >= self.attempts:
            return None
        wait: float = min(self.longest, self.first * 4.0 ** (tried - 1))
        return now + wait * (0.5 + random.random() / 2)


async def deliver(
    service: ScoringService, store: WatchStore, sender: WebhookSender, backoff: Backoff | None = None
) -> int:
    """Try everything that is due, a few at once; how many were tried."""
    due = await asyncio.to_thread(store.due, time.time(), AT_ONCE)
    await asyncio.gather(*(_try(service, store, sender, backoff or Backoff(), one) for one in due))
    return len(due)


async def _try(
    service: ScoringService, store: WatchStore, sender: WebhookSender, backoff: Backoff, one: Delivery
) -> None:
    watch, url = store.watch(one.watch), store.webhook(one.bank)
    assert watch is not None
    judged = await asyncio.to_thread(current_mandate, service, watch)
    if isinstance(judged, str):
        await asyncio.to_thread(end_watch, service, store, watch, judged)
        return
    try:  # while the subject is withheld it waits for the next snapshot, which withdraws it when it is out of date
        await asyncio.to_thread(service.snapshots.require_current, watch.subject, watch.seen)
    except CreditError:
        await asyncio.to_thread(store.postpone, one.id, time.time() + SUPPRESSED_DELAY)
        return
    last, status = "no address", 0
    if url is not None:
        try:
            status = await sender.post(url, AGENT | sign(one.id, one.body, service.signer.key), one.body)
            last = f"status {status}"
        except CreditError as fault:
            last = fault.what if not fault.why else f"{fault.what}: {fault.why}"
    details: dict[str, object] = {"watch": one.watch, "bank": one.bank, "attempt": one.attempts + 1, "came": last}
    if 200 <= status < 300:
        await asyncio.to_thread(record_entry, service, "webhook.delivered", one.id, details)
        await asyncio.to_thread(store.delivered, one.id, last)
        return
    next_at = None if status == _GONE else backoff.next_at(one.attempts + 1, time.time())
    await asyncio.to_thread(record_entry, service, "webhook.failed" if next_at else "webhook.dead", one.id, details)
    await asyncio.to_thread(store.failed, one.id, last, next_at)
    log.event("webhook.failed", bank=one.bank, delivery=one.id, attempt=one.attempts + 1, status=status)
