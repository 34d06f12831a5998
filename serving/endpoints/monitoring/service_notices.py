"""Notices of the service itself, to every bank with a webhook: answers are stopped, or are given again.

They name no subject, so they are sent also while answers are stopped. Each is queued once per bank and act, by an id
that follows from both, and is signed and tried again like every other webhook.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credit.canonical import canonical
from credit.errors import CreditError
from serving.core.service import ScoringService
from serving.endpoints.monitoring.delivery import Backoff
from serving.endpoints.monitoring.watch_review import record_entry
from serving.endpoints.monitoring.watch_store import WatchStore
from serving.endpoints.monitoring.webhook_sender import AGENT, WebhookSender
from serving.endpoints.monitoring.webhook_signing import sign
from serving.state.answer_switch import STARTED, STOPPED
from serving.store.store import Store, statement
from serving.store.transaction import Transaction

FRESH = 24 * 3600.0  # seconds after which an act is news no more


@dataclass(frozen=True, slots=True)
class ServiceNotice:
    """One notice that a bank has not received yet."""

    id: str
    bank: str
    body: bytes
    attempts: int


class NoticeStore:
    """The queue. What was sent stays, without a time, so that it is not sent again."""

    def __init__(self, store: Store) -> None:
        """Use the table in this store."""
        self._store = store

    def queue(self, banks: Sequence[str], act: str, body: bytes) -> None:
        """Queue one notice of this act for each bank that has none of it."""
        sql = "INSERT INTO notice (id, bank, body, next_at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"

        def queue_all(transaction: Transaction) -> None:
            for bank in banks:
                transaction.rows(sql, notice_id(act, bank), bank, body, time.time())

        self._store.run(queue_all)

    def due(self, now: float) -> list[ServiceNotice]:
        """The notices that are due, the longest waiting first."""
        sql = "SELECT id, bank, body, attempts FROM notice WHERE next_at <= ? ORDER BY next_at LIMIT 16"
        return [ServiceNotice(*row) for row in self._store.query(statement(sql, now))]

    def tried(self, name: str, next_at: float | None) -> None:
        """Count an attempt; the notice is due again at `next_at`, or is done with."""
        sql = "UPDATE notice SET attempts = attempts + 1, next_at = ? WHERE id = ?"
        self._store.run(statement(sql, next_at, name))


def notice_id(act: str, bank: str) -> str:
    """The id of a bank's notice of an act, as Standard Webhooks has them."""
    return f"msg_{hashlib.sha256(f'{act} {bank}'.encode()).hexdigest()[:32]}"


def queue_notices(watches: WatchStore, notices: NoticeStore, pointer: Mapping[str, Any]) -> None:
    """Queue the notice of a change of the switch for every bank with a webhook, unless it is old."""
    at = str(pointer["at"])
    if time.time() - datetime.fromisoformat(at).timestamp() > FRESH:
        return
    kind = STOPPED if pointer["stopped"] else STARTED
    body = canonical({"type": kind, "timestamp": at, "data": {"why": pointer["why"]}})
    notices.queue(watches.banks_with_webhook(), str(pointer["request"]), body)


async def deliver_notices(
    service: ScoringService, watches: WatchStore, notices: NoticeStore, sender: WebhookSender,
    backoff: Backoff | None = None,
) -> int:  # fmt: skip
    """Try every notice that is due; gives how many were tried."""
    due = await asyncio.to_thread(notices.due, time.time())
    await asyncio.gather(*(_try(service, watches, notices, sender, backoff or Backoff(), one) for one in due))
    return len(due)


async def _try(
    service: ScoringService, watches: WatchStore, notices: NoticeStore, sender: WebhookSender, backoff: Backoff,
    notice: ServiceNotice,
) -> None:  # fmt: skip
    client, endpoint = await asyncio.to_thread(
        lambda: (service.access.client(notice.bank), watches.webhook(notice.bank))
    )
    if client is None or client.disabled or endpoint is None:
        await asyncio.to_thread(notices.tried, notice.id, None)
        return
    outcome, status = "", 0
    try:
        headers = AGENT | sign(notice.id, notice.body, service.signer.key, endpoint.secret)
        status = await sender.post(endpoint.url, headers, notice.body)
        outcome = f"status {status}"
    except CreditError as fault:
        outcome = fault.what if not fault.why else f"{fault.what}: {fault.why}"
    is_received = 200 <= status < 300
    next_at = None if is_received else backoff.next_at(notice.attempts + 1, time.time())
    verb = "webhook.delivered" if is_received else "webhook.failed" if next_at else "webhook.dead"
    details: dict[str, object] = {"bank": notice.bank, "attempt": notice.attempts + 1, "came": outcome}
    await asyncio.to_thread(record_entry, service, verb, notice.id, details)
    await asyncio.to_thread(notices.tried, notice.id, next_at)
