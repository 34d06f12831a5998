"""Applications in bulk in bounded memory; and whatever is killed, every application ends in one mandate."""

from __future__ import annotations

import asyncio
import json
import os
import random
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psutil
import pytest
from serving_post_requests import simulate_kill
from serving_webhook_receiver import WebhookReceiver
from serving_world import ENGINEER

from credit.confirmation import Move
from credit.ledger import Ledger
from serving.auth.clients import RateLimit
from serving.auth.mandates import mark_revoked
from serving.endpoints.mandates.review import MandateReview
from serving.endpoints.monitoring.service_notices import NoticeStore, deliver_notices
from serving.endpoints.monitoring.watch_store import WatchStore
from serving.endpoints.monitoring.webhook_sender import WebhookSender
from serving.mandates.decisions import decide

from .conftest import FIRM, PDF, UNTIL, MandateWorld, Subject, b64, wanted

MIB = 1 << 20
BATCHES = int(os.environ.get("HAIHE_MANDATE_BATCHES", "2"))  # of a thousand


def consents(subject: Subject, count: int) -> list[dict[str, Any]]:
    return [wanted(subject.code, "consent", subject.consent()) for _ in range(count)]


def granted(mandates: MandateWorld) -> list[str]:
    return [entry.object for entry in mandates.platform.entries() if entry.verb == "mandate.granted"]


def test_thousands_of_applications_start_by_themselves_in_bounded_memory(mandates: MandateWorld) -> None:
    mandates.access.set_limit("bohai", RateLimit(10_000, 20_000))
    subject, process, sizes = mandates.register(Subject(FIRM)), psutil.Process(), []
    for _ in range(BATCHES):
        response = mandates.post("/v1/mandates/batch", {"applications": consents(subject, 1000)})
        assert {part["status"] for part in response.json()["applications"]} == {200}
        sizes.append(process.memory_info().rss)
    assert sizes[-1] - sizes[0] < 64 * MIB
    mandates.agents()
    assert len(set(granted(mandates))) == BATCHES * 1000
    assert mandates.store.page("bohai", ("accepted", "waiting"), before=10**18, limit=1) == []
    page = mandates.call("GET", "/v1/mandates?state=granted&limit=1").json()["applications"][0]
    assert mandates.running.score(FIRM, page["mandate"]).status_code == 200


class Killed(Exception):
    """Stands where a process is killed."""


class KillingLedger(Ledger):
    """A ledger whose process is killed before or after some of its writes."""

    def append_many(self, acts: Any) -> Any:
        where = RANDOM.random()
        if where < 0.2:
            raise Killed
        entries = Ledger.append_many(self, acts)
        if where > 0.8:
            raise Killed
        return entries


RANDOM = random.Random(7)


@pytest.mark.attack
@pytest.mark.parametrize("seed", range(4))
def test_kills_between_any_two_entries_leave_one_mandate_for_each_application(
    mandates: MandateWorld, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    RANDOM.seed(seed)
    subject = mandates.register(Subject(FIRM))
    batch = {"applications": [*consents(subject, 3), wanted(FIRM, "document", b64(PDF))]}
    first = mandates.post("/v1/mandates/batch", batch, key="k")
    parts = [part["application"] for part in first.json()["applications"]]
    simulate_kill(mandates.running)
    if seed % 2:  # as where it was killed before it said in the store what is in the ledger
        mandates.store.rows("UPDATE application SET state = 'draft', entry = '', seq = 0")
    again = mandates.post("/v1/mandates/batch", batch, key="k")
    assert again.content == first.content
    world, ring = mandates.world, mandates.world.ring
    proposals, platform, answers = (
        KillingLedger(each.path, world.key(zone), ring, zone)
        for each, zone in ((mandates.proposals, "service"), (mandates.platform, "platform"), (world.ledger, "service"))
    )
    clerk = replace(mandates.clerk, proposals=proposals)
    signer = replace(mandates.signer, ledger=platform)
    paper = parts[3]["application_id"]
    mandates.desk.add(("request-1", str(ENGINEER), paper))
    for _ in range(25):
        clerk.recover()
        if mandates.store.application(paper).state == "waiting":  # type: ignore[union-attr]
            attempt(lambda: decide(mandates.store, answers, paper, Move.CONFIRM, by=ENGINEER,
                                   details={"request": "request-1"}))  # fmt: skip
        attempt(clerk.propose)
        for entry in list(mandates.proposals.entries()):
            attempt(lambda entry=entry: signer.sign(entry))  # type: ignore[misc]
        for entry in list(mandates.platform.entries()):
            clerk.take(entry)
    states = {part["application_id"]: mandates.status(part["application_id"]) for part in parts}
    assert {each["state"] for each in states.values()} == {"granted"}
    assert sorted(granted(mandates)) == sorted(str(each["mandate"]) for each in states.values())
    assert len(mandates.running.entries("application.requested")) == 4
    assert len(mandates.running.entries("application.confirmed")) == 1


def attempt(act: Any) -> None:
    with suppress(Killed):
        act()


def test_a_draft_that_never_reached_the_ledger_is_forgotten_and_its_consent_is_free(mandates: MandateWorld) -> None:
    subject = mandates.register(Subject(FIRM))
    consent = subject.consent()
    name = mandates.apply(FIRM, "consent", consent).json()["application_id"]
    lost = "application-" + "0" * 32
    mandates.store.rows("UPDATE application SET id = ?, state = 'draft', made_at = 0 WHERE id = ?", lost, name)
    mandates.store.rows("UPDATE used_consent SET application = ?", lost)
    review = review_of(mandates)
    review.review()
    assert mandates.store.application(lost) is None
    assert mandates.apply(FIRM, "consent", consent).status_code == 200
    mandates.store.rows("UPDATE application SET state = 'draft', made_at = 0")
    review.review()
    (each,) = mandates.store.page("bohai", ("accepted",), before=10**18, limit=9)
    assert each.seq > 0


def test_the_document_of_a_mandate_has_an_end_three_years_after_the_mandates(mandates: MandateWorld) -> None:
    """Of an expired and of a revoked one alike; the digest stays, and the ledger says that it was deleted."""
    days = {"2023-11-18": [], "2023-11-20": [("application/pdf", PDF)], UNTIL: [("application/pdf", PDF)]}
    names = [mandates.apply(FIRM, "document", b64(PDF)).json()["application_id"] for _ in days]
    for name in names:
        mandates.confirm(name)
    mandates.agents()
    review = review_of(mandates)
    for name, until in zip(names, days, strict=True):
        mandates.store.rows("UPDATE application SET until = ? WHERE id = ?", until, name)
    for _ in range(2):
        review.review()
    assert [[each] if (each := mandates.store.document(name)) else [] for name in names] == list(days.values())
    (entry,) = mandates.running.entries("document.deleted")
    application = mandates.store.application(names[0])
    assert application is not None
    assert (entry.object, entry.details["digest"]) == (names[0], application.digest)
    mandates.call("DELETE", f"/v1/mandates/{names[2]}")
    mandates.store.rows("UPDATE application SET until = '2020-01-01' WHERE id = ?", names[2])
    review.review()
    assert mandates.store.document(names[2]) is None
    assert not mandates.store.is_idle, "a document is left to be deleted, although no mandate is"
    mandates.store.delete_document(names[1])
    assert mandates.store.is_idle


def review_of(mandates: MandateWorld) -> MandateReview:
    service = mandates.running.http.app.service
    watches, notices = WatchStore(service.store), NoticeStore(service.store)
    return MandateReview(service, mandates.store, watches, notices, mandates.world.ring)


def test_the_bank_is_notified_once_of_each_decision(mandates: MandateWorld) -> None:
    subject = mandates.register(Subject(FIRM))
    review = review_of(mandates)
    with WebhookReceiver() as receiver:
        review.watches.set_webhook("bohai", receiver.url, "whsec_" + "A" * 43 + "=", replace=False)
        kept, ended, refused = (mandates.consent(subject) for _ in range(3))
        paper = mandates.apply(FIRM, "document", b64(PDF)).json()["application_id"]
        mandates.store.rows("UPDATE application SET until = '2026-11-19' WHERE id = ?", kept)
        decide(mandates.store, mandates.world.ledger, paper, Move.REFUSE, by=ENGINEER, details={"why": "unreadable"})
        for _ in range(2):
            review.review()
            mandates.agents()
            review.review()
        mandates.call("DELETE", f"/v1/mandates/{ended}")
        mandate = str(mandates.status(refused)["mandate"])
        mark_revoked(mandates.access, mandate)  # as the platform does
        review.review()
        review.review()
        sender = WebhookSender(loopback=True)
        service = mandates.running.http.app.service
        while asyncio.run(deliver_notices(service, review.watches, review.notices, sender)):
            pass
    bodies = [json.loads(body) for _, _, body in receiver.received]
    seen = sorted((body["type"], body["data"]["application_id"]) for body in bodies)
    assert seen == sorted([
        ("mandate.granted", kept), ("mandate.granted", ended), ("mandate.granted", refused),
        ("mandate.refused", paper), ("mandate.expired", kept), ("mandate.revoked", ended),
        ("mandate.revoked", refused),
    ])  # fmt: skip
    assert all(FIRM not in json.dumps(body) for body in bodies)
    assert len(mandates.running.entries("mandate.expired")) == 1
