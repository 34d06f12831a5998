"""Delivery of webhooks: at least once, with longer waits after each failure, and only while the mandate allows it.

Just before each attempt the mandate and the suppression of the subject are checked again.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from credit.errors import CreditError
from serving.core.service import ScoringService
from serving.endpoints.monitoring.watch_review import current_mandate, end_watch, record_entry
from serving.endpoints.monitoring.watch_store import Delivery, WatchStore
from serving.endpoints.monitoring.webhook_sender import AGENT, WebhookSender
from serving.endpoints.monitoring.webhook_signing import sign
from serving.observability import log

AT_ONCE = 16
SUPPRESSED_DELAY = 5.0  # seconds
_REMOVED = 410  # Gone (RFC 9110 §15.5.11): the receiver wants no more webhooks


@dataclass(frozen=True, slots=True)
class Backoff:
    """When to retry: after `first` seconds, four times as long each time, at most `longest` seconds, `attempts` in all.

    With the defaults the last attempt is about two days after the first.
    """

    first: float = 5.0
    longest: float = 6 * 3600.0
    attempts: int = 14

    def next_at(self, tried: int, now: float) -> float | None:
        """The time of the next attempt (seconds since 1970) after `tried` attempts; None when none is left.

        Half of the wait is random, so that retries of many deliveries spread out.
        """
        if tried >= self.attempts:
            return None
        wait: float = min(self.longest, self.first * 4.0 ** (tried - 1))
        return now + wait * (0.5 + random.random() / 2)


async def deliver(
    service: ScoringService, store: WatchStore, sender: WebhookSender, backoff: Backoff | None = None
) -> int:
    """Try every delivery that is due, up to AT_ONCE at the same time; gives how many were tried."""
    due = await asyncio.to_thread(store.due, time.time(), AT_ONCE)
    await asyncio.gather(*(_try(service, store, sender, backoff or Backoff(), delivery) for delivery in due))
    return len(due)


async def _try(
    service: ScoringService, store: WatchStore, sender: WebhookSender, backoff: Backoff, delivery: Delivery
) -> None:
    watch, endpoint = store.watch(delivery.watch), store.webhook(delivery.bank)
    assert watch is not None
    mandate = await asyncio.to_thread(current_mandate, service, watch)
    if isinstance(mandate, str):
        await asyncio.to_thread(end_watch, service, store, watch, mandate)
        return
    try:  # while the subject is suppressed, wait for the next snapshot, which withdraws an outdated delivery
        await asyncio.to_thread(service.snapshots.require_current, watch.subject, watch.seen)
    except CreditError:
        await asyncio.to_thread(store.postpone, delivery.id, time.time() + SUPPRESSED_DELAY)
        return
    outcome, status = "no address", 0
    if endpoint is not None:
        headers = AGENT | sign(delivery.id, delivery.body, service.signer.key, endpoint.secret)
        try:
            status = await sender.post(endpoint.url, headers, delivery.body)
            outcome = f"status {status}"
        except CreditError as fault:
            outcome = fault.what if not fault.why else f"{fault.what}: {fault.why}"
    details: dict[str, object] = {
        "watch": delivery.watch,
        "bank": delivery.bank,
        "attempt": delivery.attempts + 1,
        "came": outcome,
    }
    if 200 <= status < 300:
        await asyncio.to_thread(record_entry, service, "webhook.delivered", delivery.id, details)
        await asyncio.to_thread(store.delivered, delivery.id, outcome)
        return
    next_at = None if status == _REMOVED else backoff.next_at(delivery.attempts + 1, time.time())
    await asyncio.to_thread(
        record_entry, service, "webhook.failed" if next_at else "webhook.dead", delivery.id, details
    )
    await asyncio.to_thread(store.failed, delivery.id, outcome, next_at)
    log.event("webhook.failed", bank=delivery.bank, delivery=delivery.id, attempt=delivery.attempts + 1, status=status)
