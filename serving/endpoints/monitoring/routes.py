"""The routes of watches: an address, watches begun and ended, deliveries looked at and sent anew."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

from fastapi import Request

from credit.canonical import canonical, digest
from credit.errors import Malformed, Missing, Refused
from credit.uscc import Uscc
from serving.core.recovery import earlier_entry
from serving.core.request import SERVICE, RequestContext, resource_id
from serving.core.service import ScoringService
from serving.endpoints.monitoring import schemas
from serving.endpoints.monitoring.changes import watched_state
from serving.endpoints.monitoring.trial import COST, try_webhook
from serving.endpoints.monitoring.watch_store import DEAD, DELIVERED, WAITING, WITHDRAWN, Watch, WatchStore
from serving.endpoints.monitoring.webhook_addresses import read_address, resolve
from serving.http.routing import ProductRoute
from serving.responses.request_schemas import parse_body

PURPOSE, MAX_WATCHES, SCOPE, RESOLVE_SECONDS = "post_loan_management", 100_000, "watch", 5.0  # seconds
KEYS, RESENT = "/.well-known/jwks.json", "webhook.resent"
_STATUS = {"name": "status", "in": "query", "required": False,
           "schema": {"enum": [WAITING, DELIVERED, DEAD, WITHDRAWN]}}  # fmt: skip


async def set_webhook(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Say where this bank is told. Raises Malformed and Refused for an address that may not be, Missing for none."""
    url, loopback = parse_body(schemas.WebhookRequestSchema, body).url, service.settings.webhooks_to_loopback
    target = read_address(url, loopback=loopback)
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            await resolve(target, loopback=loopback)
    except TimeoutError as slow:
        raise Missing("routes.webhook-host-no-address") from slow
    details = {**call.details, "host": target.host}
    await service.ledger_writer.record("webhook.set", f"bank-{call.by.name}", by=call.by, details=details)
    _store(request).set_webhook(call.by.name, url)
    return canonical({"url": url, "keys": KEYS})


async def webhook(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Where this bank is told."""
    return canonical({"url": _store(request).webhook(call.by.name), "keys": KEYS})


async def begin(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Begin to watch a subject. Raises Malformed, and as `ScoringService.look_up`."""
    asked, store, name = parse_body(schemas.WatchRequestSchema, body), _store(request), resource_id("watch-", call)
    if asked.purpose != PURPOSE:
        raise Refused("routes.not-purpose-watch", purpose=PURPOSE)
    if store.webhook(call.by.name) is None:
        raise Malformed("routes.no-webhook")
    if store.count(call.by.name) >= MAX_WATCHES:
        raise Malformed("routes.too-many-watches", limit=MAX_WATCHES)
    found = service.look_up(call, asked.uscc, asked.purpose, asked.mandate)
    book = found.snapshot
    watch = Watch(name, call.by.name, found.mandate.subject.hex, book.model, found.mandate.id, asked.purpose,
                  tuple(dict.fromkeys(asked.kinds)), watched_state(book, found.row), book.version, book.snapshot,
                  time.time(), None)  # fmt: skip
    entry = await earlier_entry(service, call, "watch.opened", name)
    if entry is None:
        details = {**call.details, "kinds": list(watch.kinds), "status": 200}
        entry = await service.ledger_writer.record("watch.opened", name, by=call.by, details=details)
    store.open(watch)
    request.app.state.background_tasks.wake()
    told = _told(replace(watch, model=entry.details["model"], seen=entry.details["snapshot"]))  # as it was opened
    receipt = {"entry": entry.id, "seq": entry.seq, "digest": digest(canonical(told))}
    return canonical({**told, "uscc": found.uscc, "receipt": receipt})


async def repeat_begin(
    service: ScoringService, call: RequestContext, body: bytes, first: str, said: bytes
) -> tuple[bytes, bytes]:
    """A repetition: the mandate must still hold. Raises Malformed, Refused."""
    asked = parse_body(schemas.WatchRequestSchema, body)
    subject = service.pseudonyms.key_of(Uscc.parse(asked.uscc).code)
    call.details |= {"subject": subject.hex, "mandate": asked.mandate, "purpose": asked.purpose}
    service.gate.require(asked.mandate, bank=call.by.name, subject=subject, purpose=asked.purpose,
                      day=service.settings.day(), judge=SERVICE)  # fmt: skip
    return said, said


async def list_watches(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """This bank's living watches."""
    return canonical({"watches": [_told(watch) for watch in _store(request).watches(call.by.name)]})


async def watch(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """One watch. Raises Missing, also for another bank's."""
    return canonical(_told(_own(request, call)))


async def end_watch(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """End a watch: nothing more is told, and what was remembered is wiped. Raises Missing."""
    held, why = _own(request, call), "ended by the bank"
    if held.ended is None:
        await service.ledger_writer.record("watch.ended", held.id, by=call.by, details={**call.details, "why": why})
        _store(request).end(held.id, why)
    return canonical(_told(_own(request, call)))


async def deliveries(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """This bank's deliveries; with `status=dead` those that were tried in vain. Raises Malformed."""
    wanted = request.query_params.get("status")
    known = (WAITING, DELIVERED, DEAD, WITHDRAWN)
    if wanted is not None and wanted not in known:
        raise Malformed("routes.not-state-delivery", known=", ".join(known))
    found = _store(request).deliveries(call.by.name, (wanted,) if wanted else known)
    return canonical({"deliveries": [
        {"delivery_id": one.id, "watch_id": one.watch, "status": one.status, "attempts": one.attempts,
         "last": one.last} for one in found
    ]})  # fmt: skip


async def resend(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Try a dead letter anew, from the first attempt. Raises Missing, also for another bank's."""
    name, store = request.path_params["name"], _store(request)
    before = await earlier_entry(service, call, RESENT, name)
    if before is not None and before.details.get("call") == call.id:
        store.requeue(call.by.name, name, time.time())  # unless it was sent anew before the answer was lost
        request.app.state.background_tasks.wake()
        return canonical({"delivery_id": name, "status": WAITING})
    if not any(one.id == name for one in store.deliveries(call.by.name, (DEAD,))):
        raise Missing("routes.no-such-dead-letter")
    await service.ledger_writer.record(RESENT, name, by=call.by, details={**call.details, "call": call.id})
    store.requeue(call.by.name, name, time.time())
    request.app.state.background_tasks.wake()
    return canonical({"delivery_id": name, "status": WAITING})


def _own(request: Request, call: RequestContext) -> Watch:
    found = _store(request).watch(request.path_params["name"])
    if found is None or found.bank != call.by.name:
        raise Missing("routes.no-such-watch")
    return found


def _told(watch: Watch) -> dict[str, Any]:
    return {"watch_id": watch.id, "mandate": watch.mandate, "purpose": watch.purpose, "model": watch.model,
            "kinds": list(watch.kinds), "seen": watch.seen, "ended": watch.ended}  # fmt: skip


def _store(request: Request) -> WatchStore:
    store: WatchStore = request.app.state.watches
    return store


ROUTES = (
    ProductRoute(
        "PUT",
        "/v1/webhook",
        SCOPE,
        set_webhook,
        "Say where this bank is told",
        schemas.WebhookRequestSchema,
        schemas.WebhookSchema,
    ),
    ProductRoute("GET", "/v1/webhook", SCOPE, webhook, "Where this bank is told", None, schemas.WebhookSchema),
    ProductRoute(
        "POST",
        "/v1/webhook/trial",
        SCOPE,
        try_webhook,
        "Send a webhook as a trial, now and once",
        None,
        schemas.TrialSchema,
        cost=COST,
        repeated="webhook.repeated",
    ),
    ProductRoute(
        "POST",
        "/v1/watches",
        SCOPE,
        begin,
        "Watch a subject (预警)",
        schemas.WatchRequestSchema,
        schemas.OpenedWatchSchema,
        again=repeat_begin,
        repeated="watch.repeated",
    ),
    ProductRoute(
        "GET", "/v1/watches", SCOPE, list_watches, "This bank's living watches", None, schemas.WatchListSchema
    ),
    ProductRoute("GET", "/v1/watches/{name}", SCOPE, watch, "How a watch stands", None, schemas.WatchSchema),
    ProductRoute("DELETE", "/v1/watches/{name}", SCOPE, end_watch, "End a watch", None, schemas.WatchSchema),
    ProductRoute(
        "GET",
        "/v1/deliveries",
        SCOPE,
        deliveries,
        "What was sent, or could not be",
        None,
        schemas.DeliveryListSchema,
        query=(_STATUS,),
    ),
    ProductRoute(
        "POST",
        "/v1/deliveries/{name}/resend",
        SCOPE,
        resend,
        "Try a dead letter anew",
        None,
        schemas.ResentSchema,
        repeated="webhook.repeated",
    ),
)
