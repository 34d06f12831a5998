"""A trial webhook, sent at once and a single time: a bank can test its receiver before any subject changes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fastapi import Request

from credit.canonical import canonical
from credit.errors import CreditError, Malformed
from serving.core.recovery import earlier_entry
from serving.core.request import RequestContext, resource_id
from serving.core.service import ScoringService
from serving.endpoints.monitoring.watch_store import WatchStore
from serving.endpoints.monitoring.webhook_sender import AGENT, webhook_sender
from serving.endpoints.monitoring.webhook_signing import sign

TRIED, COST = "webhook.tried", 20  # the verb and the message's type; the cost in answers of the quota


async def try_webhook(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Send a trial webhook.

    Raises Malformed when the bank has set no address; a receiver's failure is a normal answer.
    """
    store: WatchStore = request.app.state.watches
    endpoint, name = await asyncio.to_thread(store.webhook, call.by.name), resource_id("msg_", call)
    earlier = await earlier_entry(service, call, TRIED, name)
    if earlier is not None:
        is_received, outcome = earlier.details["heard"], earlier.details["came"]
        return canonical({"webhook_id": name, "heard": is_received, "came": outcome})
    if endpoint is None:
        raise Malformed("trial.no-webhook")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    message = canonical({"type": TRIED, "timestamp": now, "data": {"bank": call.by.name}})
    is_received = False
    try:
        headers = AGENT | sign(name, message, service.signer.key, endpoint.secret)
        status = await webhook_sender(service.settings).post(endpoint.url, headers, message)
        is_received, outcome = 200 <= status < 300, f"status {status}"
    except CreditError as fault:
        outcome = fault.what if not fault.why else f"{fault.what}: {fault.why}"
    details = {**call.details, "came": outcome, "heard": is_received, "status": 200}
    await service.ledger_writer.record(TRIED, name, by=call.by, details=details)
    return canonical({"webhook_id": name, "heard": is_received, "came": outcome})
