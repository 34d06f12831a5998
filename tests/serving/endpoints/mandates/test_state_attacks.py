"""Late readers, kills and wrong clocks leave no mandate that its subject withdrew, or that cannot be withdrawn."""

from __future__ import annotations

import time
from typing import Any

import pytest
from serving_world import PURPOSE

from credit.actor import Actor, Role
from credit.confirmation import Move
from credit.ledger import Ledger
from serving.auth.mandates import mark_revoked
from serving.endpoints.mandates.review import SWEEP_EVERY
from serving.mandates.application_store import Draft
from serving.mandates.decisions import decide, reconcile
from serving.mandates.rules import ApplicationState
from tests.serving.endpoints.subject.test_subject_page import entered

from .conftest import FIRM, UNTIL, MandateWorld, Subject, wanted
from .test_bulk_and_kills import review_of

pytestmark = pytest.mark.attack


class LateReader(Ledger):
    """A ledger that is read slowly: something happens before its entries arrive."""

    def about(self, object_id: str) -> Any:
        entries = Ledger.about(self, object_id)
        WHILE_READING.pop()() if WHILE_READING else None
        return entries


WHILE_READING: list[Any] = []


def subject_of(mandates: MandateWorld) -> Actor:
    return Actor(mandates.world.pseudonyms.key_of(FIRM).hex, Role.SUBJECT)


def test_who_reads_an_older_state_puts_no_granted_application_back(mandates: MandateWorld) -> None:
    name = mandates.apply(FIRM, "page").json()["application_id"]
    by, world = subject_of(mandates), mandates.world
    decide(mandates.store, world.ledger, name, Move.CONFIRM, by=by, details={"subject": by.name})
    mandates.store.rows("UPDATE application SET state = 'waiting' WHERE id = ?", name)

    def meanwhile() -> None:
        reconcile(mandates.store, world.ledger, name)
        mandates.agents()

    WHILE_READING.append(meanwhile)
    reconcile(mandates.store, LateReader(world.ledger.path, world.key("service"), world.ring, "service"), name)
    assert mandates.status(name)["state"] == "granted"
    assert mandates.call("DELETE", f"/v1/mandates/{name}").json()["state"] == "revoked"


def test_a_consent_stays_used_when_its_draft_is_settled_as_it_is_recorded(mandates: MandateWorld) -> None:
    subject = mandates.register(Subject(FIRM))
    consent = subject.consent()
    name = mandates.apply(FIRM, "consent", consent).json()["application_id"]
    mandates.store.discard(name)  # by a review that saw the draft before it was recorded
    assert mandates.apply(FIRM, "consent", consent).status_code == 403
    assert mandates.store.document(name) is not None


def test_what_was_confirmed_at_the_last_moment_does_not_lapse(mandates: MandateWorld) -> None:
    name = mandates.apply(FIRM, "page").json()["application_id"]
    by = subject_of(mandates)
    decide(mandates.store, mandates.world.ledger, name, Move.CONFIRM, by=by, details={"subject": by.name})
    mandates.store.rows("UPDATE application SET state = 'waiting', lapses_at = ? WHERE id = ?", time.time() - 1, name)
    review_of(mandates).review()
    mandates.agents()
    assert mandates.status(name)["state"] == "granted"


@pytest.mark.parametrize("who", ["bank", "subject"])
def test_a_revocation_whose_process_was_killed_after_its_entry_is_made(mandates: MandateWorld, who: str) -> None:
    name = mandates.consent(mandates.register(Subject(FIRM)))
    mandates.agents()
    mandate = mandates.status(name)["mandate"]
    review = review_of(mandates)
    review.review()
    by = Actor("bohai", Role.BANK) if who == "bank" else subject_of(mandates)
    mandates.world.ledger.append("mandate.revoked", mandate, by=by, details={"application": name})
    review.review()  # the minute is not over
    assert mandates.running.score(FIRM, mandate).status_code == 200
    assert review.swept_at is not None
    review.swept_at -= SWEEP_EVERY
    review.review()
    assert mandates.running.score(FIRM, mandate).status_code == 403
    assert mandates.status(name)["state"] == "revoked"


def test_a_revocation_by_a_clock_that_was_set_back_is_seen(mandates: MandateWorld) -> None:
    subject, review = mandates.register(Subject(FIRM)), review_of(mandates)
    first, second = mandates.consent(subject), mandates.consent(subject)
    mandates.agents()
    for name, at in ((first, "2026-11-30T12:00:00+00:00"), (second, "2026-11-30T11:00:00+00:00")):
        mandate = str(mandates.status(name)["mandate"])
        mark_revoked(mandates.access, mandate)
        mandates.access.rows("UPDATE mandate SET revoked_at = ? WHERE id = ?", at, mandate)
        review.review()
    assert {mandates.status(name)["state"] for name in (first, second)} == {"revoked"}


def test_a_bank_hides_no_mandate_from_its_subject_by_many_others(mandates: MandateWorld) -> None:
    name = mandates.consent(mandates.register(Subject(FIRM)))
    mandates.agents()
    row = mandates.store.application(name)
    assert row is not None
    flood = [Draft(f"application-{number:032x}", "bohai", row.subject, PURPOSE, UNTIL, "page", "0" * 64, "", 1e12)
             for number in range(600)]  # fmt: skip
    for each in flood:
        mandates.store.draft(each)
    mandates.store.rows("UPDATE application SET state = ? WHERE evidence = 'page'", ApplicationState.WITHDRAWN)
    browser = entered(mandates)
    assert name in browser.get().text
    assert browser.post("withdraw", form=browser.form, application=name).status_code == 303
    assert mandates.status(name)["state"] == "revoked"


def test_a_bank_hides_no_other_bank_by_its_own_applications(mandates: MandateWorld) -> None:
    """One bank has a few applications at a time that wait for one subject, alone or in a batch."""
    statuses = [mandates.apply(FIRM, "page").status_code for _ in range(22)]
    assert statuses == [200] * 20 + [429] * 2
    batch = mandates.post("/v1/mandates/batch", {"applications": [wanted(), wanted()]}).json()
    assert {part["status"] for part in batch["applications"]} == {429}
    assert mandates.apply(FIRM, "page", bank="jincheng").status_code == 200
