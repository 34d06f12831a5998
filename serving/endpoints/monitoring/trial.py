"""A webhook sent as a trial, now and once: so a bank need not wait for a subject to change to see that it hears."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import Request

from credit.canonical import canonical
from credit.errors import CreditError, Malformed
from serving.bank.webhooks import sign
from serving.core.recovery import earlier_entry
from serving.core.request import RequestContext, resource_id
from serving.core.service import ScoringService
from serving.endpoints.monitoring.watch_store import WatchStore
from serving.endpoints.monitoring.webhook_sender import AGENT, webhook_sender

TRIED, COST = "webhook.tried", 20  # in the ledger and as the message's type; in answers of a quota


async def try_webhook(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Send one. Raises Malformed when the bank has not said where; an address that does not answer is an answer."""
    store: WatchStore = request.app.state.watches
    url, name = store.webhook(call.by.name), resource_id("msg_", call)
    before = await earlier_entry(service, call, TRIED, name)
    if before is not None:
        heard, came = before.details["heard"], before.details["came"]
        return canonical({"webhook_id": name, "heard": heard, "came": came})
    if url is None:
        raise Malformed("trial.no-webhook")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    told = canonical({"type": TRIED, "timestamp": now, "data": {"bank": call.by.name}})
    heard = False
    try:
        status = await webhook_sender(service.settings).post(url, AGENT | sign(name, told, service.signer.key), told)
        heard, came = 200 <= status < 300, f"status {status}"
    except CreditError as fault:
        came = fault.what if not fault.why else f"{fault.what}: {fault.why}"
    details = {**call.details, "came": came, "heard": heard, "status": 200}
    await service.ledger_writer.record(TRIED, name, by=call.by, details=details)
    return canonical({"webhook_id": name, "heard": heard, "came": came})
