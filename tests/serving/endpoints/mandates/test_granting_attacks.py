"""What the service writes into its own ledger does not weaken the platform's rules for what it signs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from serving_world import ENGINEER, PLATFORM, PURPOSE

from credit.actor import Actor, Role
from credit.ledger import Entry
from credit.requests.task import Task
from infra.agents.service_mandates import ServiceMandates
from serving.mandates.application_store import Draft
from serving.mandates.rules import ApplicationState
from tests.credit.requests.zone_lab import ZoneLab

from .conftest import FIRM, OTHER, PDF, UNTIL, MandateWorld, Subject, b64, wanted

pytestmark = pytest.mark.attack
BANK, CLERK = Actor("bohai", Role.BANK), Actor("agent-service", Role.SERVICE)
ALONE = {"requests": ["bank"], "confirms": [], "people": 1, "hours": 24}
TWO = {"requests": ["bank"], "confirms": ["platform"], "people": 2, "hours": 24}
NAME = f"application-{1:032x}"


def request(mandates: MandateWorld, evidence: str, *, code: str = FIRM, by: Actor = BANK, **more: Any) -> None:
    """Write a request as the service's key can write any."""
    details = {
        "bank": "bohai", "subject": mandates.world.pseudonyms.key_of(code).hex, "purpose": PURPOSE, "batch": "",
        "mandate_from": "2026-11-01", "mandate_until": UNTIL, "evidence": evidence, "document": "0" * 64,
        "act": evidence, "rule": ALONE, "status": 200,
    }  # fmt: skip
    mandates.world.ledger.append("application.requested", NAME, by=by, details={**details, **more})


def confirm(mandates: MandateWorld, by: Actor, **details: Any) -> None:
    mandates.world.ledger.append("application.confirmed", NAME, by=by, details=details)


def signed(mandates: MandateWorld, applications: Any = None) -> list[Entry]:
    """The mandates that the platform grants when the service's agent names the application."""
    details = {"applications": applications or {NAME: ""}}
    mandates.signer.sign(mandates.proposals.append("mandates.proposed", "proposal-1", by=CLERK, details=details))
    return [entry for entry in mandates.platform.entries() if entry.verb == "mandate.granted"]


@pytest.mark.parametrize("evidence", ["document", "page"])
def test_a_rule_that_needs_no_second_person_grants_nothing_that_needs_one(
    mandates: MandateWorld, evidence: str
) -> None:
    request(mandates, evidence)
    assert signed(mandates) == []


def test_the_rule_of_another_evidence_grants_nothing(mandates: MandateWorld) -> None:
    request(mandates, "document", act="consent")
    assert signed(mandates) == []


def test_a_page_that_a_person_of_the_platform_confirmed_grants_nothing(mandates: MandateWorld) -> None:
    request(mandates, "page", rule=TWO)
    mandates.desk.add(("request-1", str(ENGINEER), NAME))
    confirm(mandates, ENGINEER, request="request-1")
    assert signed(mandates) == []


def test_what_is_signed_is_what_was_confirmed_and_no_earlier_request(mandates: MandateWorld) -> None:
    """A request by no bank counts for nothing, and so its words reach no mandate."""
    request(mandates, "document", code=OTHER, by=CLERK, rule=TWO)
    request(mandates, "document", code=FIRM, rule=TWO)
    mandates.desk.add(("request-1", str(ENGINEER), NAME))
    confirm(mandates, ENGINEER, request="request-1")
    (granted,) = signed(mandates)
    assert granted.details["subject"] == mandates.world.pseudonyms.key_of(FIRM).hex


def test_a_person_confirms_of_a_batch_what_was_there_when_they_decided(mandates: MandateWorld, tmp_path: Path) -> None:
    """A bank sends its batch again, once the cause of a part's refusal is removed: that part no person has seen."""
    lab = ZoneLab.make(tmp_path / "lab")
    unsigned = Subject(OTHER)
    parts = {"applications": [wanted(FIRM, "document", b64(PDF)), wanted(OTHER, "consent", unsigned.consent()),
                              {**wanted(OTHER, "document", b64(PDF)), "until": "2028-11-30"}]}  # fmt: skip
    first = mandates.post("/v1/mandates/batch", parts, key="k").json()
    batch = first["batch_id"]
    assert [part["status"] for part in first["applications"]] == [200, 403, 422]
    request = lab.state(lab.request("application", PLATFORM, application=batch, act="confirm")).request
    seen = first["applications"][0]["application"]["application_id"]
    later = f"application-{7:032x}"
    row = mandates.store.application(seen)
    assert row is not None
    draft = Draft(later, "bohai", row.subject, PURPOSE, UNTIL, "document", "0" * 64, batch, 1e12)
    mandates.store.draft(draft)
    entry = mandates.world.ledger.about(seen)[0]
    mandates.world.ledger.append("application.requested", later, by=BANK, details=dict(entry.details))
    mandates.store.record(later, ApplicationState.WAITING, "e", 1)
    service = mandates.running.http.app.service
    steps = ServiceMandates(mandates.applications, mandates.world.ledger, mandates.world.pseudonyms, service.settings)
    task = Task(request, 0, request.arguments, (), {}, request.at.date(), lambda *_: None)
    assert steps.application(task).result["decided"] == 1
    assert [mandates.status(name)["state"] for name in (seen, later)] == ["accepted", "waiting"]
