"""The routes of watches (预警): a bank's webhook address, its watches, and its deliveries."""

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
from serving.endpoints.monitoring.webhook_signing import new_secret
from serving.http.routing import ProductRoute
from serving.idempotency.stored_answer import StoredAnswer
from serving.responses.request_schemas import parse_body

PURPOSE, MAX_WATCHES, SCOPE, RESOLVE_SECONDS = "post_loan_management", 100_000, "watch", 5.0  # seconds
KEYS, RESENT = "/.well-known/jwks.json", "webhook.resent"
_STATUS = {"name": "status", "in": "query", "required": False,
           "schema": {"enum": [WAITING, DELIVERED, DEAD, WITHDRAWN]}}  # fmt: skip


async def set_webhook(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Set this bank's webhook address; gives the secret that its webhooks are signed with, beside our own key.

    Raises Malformed and Refused for an address that is not allowed, Missing when the name does not resolve.
    """
    requested, loopback = parse_body(schemas.WebhookRequestSchema, body), service.settings.webhooks_to_loopback
    url = requested.url
    target = read_address(url, loopback=loopback)
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            await resolve(target, loopback=loopback)
    except TimeoutError as timeout:
        raise Missing("routes.webhook-host-no-address") from timeout
    details = {**call.details, "host": target.host, "new_secret": requested.new_secret}
    await service.ledger_writer.record("webhook.set", f"bank-{call.by.name}", by=call.by, details=details)
    endpoint = await asyncio.to_thread(
        _store(request).set_webhook, call.by.name, url, new_secret(), replace=requested.new_secret
    )
    return canonical({"url": endpoint.url, "keys": KEYS, "secret": endpoint.secret})


async def webhook(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """This bank's webhook address."""
    endpoint = await asyncio.to_thread(_store(request).webhook, call.by.name)
    return canonical({"url": endpoint.url if endpoint else None, "keys": KEYS})


async def begin(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Begin to watch a subject. Raises Malformed, and as `ScoringService.look_up`."""
    wanted, store, name = (
        parse_body(schemas.WatchRequestSchema, body),
        _store(request),
        resource_id("watch-", call),
    )
    if wanted.purpose != PURPOSE:
        raise Refused("routes.not-purpose-watch", purpose=PURPOSE)
    if await asyncio.to_thread(store.webhook, call.by.name) is None:
        raise Malformed("routes.no-webhook")
    if await asyncio.to_thread(store.count, call.by.name) >= MAX_WATCHES:
        raise Malformed("routes.too-many-watches", limit=MAX_WATCHES)
    subject = service.look_up(call, wanted.uscc, wanted.purpose, wanted.mandate)
    snapshot = subject.snapshot
    watch = Watch(
        name,
        call.by.name,
        subject.mandate.subject.hex,
        snapshot.model,
        subject.mandate.id,
        wanted.purpose,
        tuple(dict.fromkeys(wanted.kinds)),
        watched_state(snapshot, subject.row),
        snapshot.version,
        snapshot.snapshot,
        time.time(),
        None,
    )
    entry = await earlier_entry(service, call, "watch.opened", name)
    if entry is None:
        details = {**call.details, "kinds": list(watch.kinds), "status": 200}
        entry = await service.ledger_writer.record("watch.opened", name, by=call.by, details=details)
    await asyncio.to_thread(store.open, watch)
    request.app.state.background_tasks.wake()
    opened = _as_json(
        replace(watch, model=entry.details["model"], seen=entry.details["snapshot"])
    )  # as the watch was when it was opened
    receipt = {"entry": entry.id, "seq": entry.seq, "digest": digest(canonical(opened))}
    return canonical({**opened, "uscc": subject.uscc, "receipt": receipt})


async def repeat_begin(
    service: ScoringService, call: RequestContext, body: bytes, answer: StoredAnswer
) -> tuple[bytes, bytes]:
    """A repetition of `begin`: the mandate must still be in force. Raises Malformed, Refused."""
    request = parse_body(schemas.WatchRequestSchema, body)
    subject = service.pseudonyms.key_of(Uscc.parse(request.uscc).code)
    call.details |= {"subject": subject.hex, "mandate": request.mandate, "purpose": request.purpose}
    service.gate.require(request.mandate, bank=call.by.name, subject=subject, purpose=request.purpose,
                      day=service.settings.day(), judge=SERVICE)  # fmt: skip
    return answer.body, answer.body


async def list_watches(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """This bank's active watches."""
    watches = await asyncio.to_thread(_store(request).watches, call.by.name)
    return canonical({"watches": [_as_json(watch) for watch in watches]})


async def watch(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """One watch. Raises Missing, also for another bank's watch."""
    return canonical(_as_json(await _own(request, call)))


async def end_watch(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """End a watch: nothing more is sent, and what is stored of the subject is erased. Raises Missing."""
    own, reason = await _own(request, call), "ended by the bank"
    if own.ended is None:
        await service.ledger_writer.record("watch.ended", own.id, by=call.by, details={**call.details, "why": reason})
        await asyncio.to_thread(_store(request).end, own.id, reason)
    return canonical(_as_json(await _own(request, call)))


async def deliveries(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """This bank's deliveries; with `status=dead` those that failed at every attempt. Raises Malformed."""
    status = request.query_params.get("status")
    known = (WAITING, DELIVERED, DEAD, WITHDRAWN)
    if status is not None and status not in known:
        raise Malformed("routes.not-state-delivery", known=", ".join(known))
    selected = await asyncio.to_thread(_store(request).deliveries, call.by.name, (status,) if status else known)
    return canonical({"deliveries": [
        {"delivery_id": each.id, "watch_id": each.watch, "status": each.status, "attempts": each.attempts,
         "last": each.last} for each in selected
    ]})  # fmt: skip


async def resend(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Retry a dead delivery, from the first attempt. Raises Missing, also for another bank's delivery."""
    name, store = request.path_params["name"], _store(request)
    earlier = await earlier_entry(service, call, RESENT, name)
    if earlier is not None and earlier.details.get("call") == call.id:
        # no effect if it was queued again before the answer was lost
        await asyncio.to_thread(store.requeue, call.by.name, name, time.time())
        request.app.state.background_tasks.wake()
        return canonical({"delivery_id": name, "status": WAITING})
    dead = await asyncio.to_thread(store.deliveries, call.by.name, (DEAD,))
    if not any(one.id == name for one in dead):
        raise Missing("routes.no-such-dead-letter")
    await service.ledger_writer.record(RESENT, name, by=call.by, details={**call.details, "call": call.id})
    await asyncio.to_thread(store.requeue, call.by.name, name, time.time())
    request.app.state.background_tasks.wake()
    return canonical({"delivery_id": name, "status": WAITING})


async def _own(request: Request, call: RequestContext) -> Watch:
    own = await asyncio.to_thread(_store(request).watch, request.path_params["name"])
    if own is None or own.bank != call.by.name:
        raise Missing("routes.no-such-watch")
    return own


def _as_json(watch: Watch) -> dict[str, Any]:
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
        "Set this bank's webhook address",
        schemas.WebhookRequestSchema,
        schemas.WebhookSetSchema,
    ),
    ProductRoute("GET", "/v1/webhook", SCOPE, webhook, "This bank's webhook address", None, schemas.WebhookSchema),
    ProductRoute(
        "POST",
        "/v1/webhook/trial",
        SCOPE,
        try_webhook,
        "Send one trial webhook at once",
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
        "GET", "/v1/watches", SCOPE, list_watches, "This bank's active watches", None, schemas.WatchListSchema
    ),
    ProductRoute("GET", "/v1/watches/{name}", SCOPE, watch, "A watch and its status", None, schemas.WatchSchema),
    ProductRoute("DELETE", "/v1/watches/{name}", SCOPE, end_watch, "End a watch", None, schemas.WatchSchema),
    ProductRoute(
        "GET",
        "/v1/deliveries",
        SCOPE,
        deliveries,
        "This bank's deliveries",
        None,
        schemas.DeliveryListSchema,
        query=(_STATUS,),
    ),
    ProductRoute(
        "POST",
        "/v1/deliveries/{name}/resend",
        SCOPE,
        resend,
        "Retry a dead delivery",
        None,
        schemas.ResentSchema,
        repeated="webhook.repeated",
    ),
)
