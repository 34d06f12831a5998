"""A bank's labels are accepted under mandates alone, each once, and each is accounted for, also a forged one."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from serving_credit_files import FIRM, OTHER
from serving_world import PLATFORM, PURPOSE, TODAY

from credit.errors import Broken
from credit.seal import Kind
from credit.shelf import Shelf
from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import SPECIAL_REPORT, revoke
from serving.endpoints.outcomes.outcome_sealing import FILE, SEALED, outcomes_folder, seal_outcomes

SECRET_LOAN = "L-2026-Bohai-17"


class Bank:
    """A bank that reports events of one loan of FIRM, unless it says otherwise."""

    def __init__(self, running: Any, name: str = "bohai") -> None:
        self.running, self.name = running, name
        self.mandate = running.world.grant(name, FIRM).id

    def line(self, event: str, before: int = 0, **more: Any) -> dict[str, Any]:
        day = (TODAY - timedelta(days=before)).isoformat()
        base = {"uscc": FIRM, "purpose": PURPOSE, "mandate": self.mandate, "loan": SECRET_LOAN}
        return base | {"event": event, "happened_on": day} | more

    def post(self, *lines: dict[str, Any], key: str = "") -> Any:
        headers = {"Authorization": f"Bearer {self.running.token(self.name)}"}
        headers |= {"Idempotency-Key": key} if key else {}
        return self.running.http.post("/v1/outcomes", json={"outcomes": list(lines)}, headers=headers)

    def results_of(self, *lines: dict[str, Any]) -> dict[str, Any]:
        answer = self.post(*lines)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        assert body["accepted"] + body["repeated"] + body["refused"] == len(lines) == len(body["outcomes"])
        return body


def title(body: dict[str, Any], number: int = 0) -> str:
    return str(body["outcomes"][number]["problem"]["title"])


@pytest.fixture
def bank(serve: Any) -> Any:
    with serve(chores=False) as running:
        yield Bank(running)


def sealed_rows(running: Any) -> list[dict[str, Any]]:
    """Seal what waits, and read every seal as compute does."""
    world, service = running.world, running.http.app.service
    shelf = Shelf(outcomes_folder(world.settings()), world.ring)
    running.http.portal.call(lambda: seal_outcomes(service, shelf, world.key("service")))
    seals = [shelf.open(seal.id) for seal in shelf.list(Kind.OUTCOMES)]
    return [json.loads(line) for each in seals for line in (each.path / FILE).read_text().splitlines()]


def test_a_course_is_accepted_in_one_request_and_reaches_a_seal_of_the_service_without_a_code(bank: Bank) -> None:
    body = bank.results_of(bank.line("granted", 9), bank.line("drawn", 8), bank.line("overdue", 1, days_overdue=3))
    assert body["accepted"] == 3
    rows = sealed_rows(bank.running)
    assert [row["event"] for row in sorted(rows, key=lambda row: row["happened_on"])] == ["granted", "drawn", "overdue"]
    assert {row["subject"] for row in rows} == {bank.running.world.pseudonyms.key_of(FIRM).hex}
    text = json.dumps(rows) + json.dumps([entry.details for entry in bank.running.world.ledger.entries()])
    assert FIRM not in text
    assert SECRET_LOAN not in text
    assert "bohai" not in json.dumps(rows)
    assert len(bank.running.entries(SEALED)) == 1
    assert sealed_rows(bank.running) == rows  # nothing is sealed twice


def test_a_label_of_another_bank_subject_purpose_or_day_is_refused_and_accounted_for(bank: Bank) -> None:
    world = bank.running.world
    stolen, special = world.grant("jincheng", FIRM).id, world.grant("bohai", FIRM, purpose=SPECIAL_REPORT).id
    body = bank.results_of(
        bank.line("granted", mandate=stolen),
        bank.line("granted", uscc=OTHER),
        bank.line("granted", purpose="post_loan_management"),
        bank.line("granted", purpose=SPECIAL_REPORT, mandate=special),
        bank.line("granted", 11),  # before the mandate began
        bank.line("granted", mandate="mandate-" + "0" * 32),
        bank.line("granted", uscc="91120116MA06XY128B"),
    )
    assert body["refused"] == 7
    assert {part["status"] for part in body["outcomes"][:6]} == {403}
    (entry,) = bank.running.entries("outcomes.received")
    assert sum(entry.details["why"].values()) == 7
    assert sealed_rows(bank.running) == []


def test_a_label_under_a_revoked_mandate_is_refused(bank: Bank) -> None:
    access = AccessDatabase(bank.running.world.root / "access.db")
    revoke(access, bank.mandate, by=PLATFORM, ledger=bank.running.world.ledger)
    access.close()
    assert bank.results_of(bank.line("granted"))["refused"] == 1


def test_a_late_label_is_accepted_and_marked(bank: Bank) -> None:
    long = bank.running.world.grant("bohai", FIRM, valid_from=TODAY - timedelta(days=400)).id
    body = bank.results_of(bank.line("granted", 100, mandate=long), bank.line("drawn", 1, mandate=long))
    assert [part["late"] for part in body["outcomes"]] == [True, False]
    assert bank.running.entries("outcomes.received")[0].details["late"] == 1


def test_a_label_sent_twice_is_stored_once(bank: Bank) -> None:
    first = bank.results_of(bank.line("granted"), bank.line("granted"))
    again = bank.results_of(bank.line("granted"))
    assert [part["result"] for part in first["outcomes"]] == ["accepted", "repeated"]
    assert again["outcomes"][0] == first["outcomes"][1]
    assert len(sealed_rows(bank.running)) == 1


def test_a_contradictory_label_is_refused_until_it_names_what_it_replaces(bank: Bank) -> None:
    granted = bank.results_of(bank.line("granted", 9), bank.line("drawn", 5))["outcomes"][0]["outcome_id"]
    assert title(bank.results_of(bank.line("granted", 8))) == "This event of the loan was reported with another day"
    assert bank.results_of(bank.line("granted", 8, replaces=granted))["accepted"] == 1
    assert (
        title(bank.results_of(bank.line("granted", 7, replaces=granted)))
        == "There is no report of this loan to replace"
    )
    late = bank.results_of(bank.line("granted", 8))["outcomes"][0]["outcome_id"]
    assert (
        bank.results_of(bank.line("granted", 4, replaces=late))["refused"] == 1
    )  # the loan was drawn on the day before
    rows = {row["id"]: row for row in sealed_rows(bank.running)}
    assert rows[late]["replaces"] == granted


def test_a_loan_has_one_borrower_and_no_bank_reaches_anothers_loans(bank: Bank) -> None:
    granted = bank.results_of(bank.line("granted", 3))["outcomes"][0]["outcome_id"]
    other = bank.running.world.grant("bohai", OTHER).id
    assert (
        title(bank.results_of(bank.line("drawn", uscc=OTHER, mandate=other)))
        == "This loan was reported for another subject"
    )
    rival = Bank(bank.running, "jincheng")
    body = rival.results_of(rival.line("granted", 1), rival.line("granted", 1, replaces=granted))
    assert body["outcomes"][0]["result"] == "accepted"  # the same number at another bank is another loan
    assert title(body, 1) == "There is no report of this loan to replace"


def test_a_token_without_the_scope_and_an_agency_report_nothing(bank: Bank) -> None:
    headers = {"Authorization": f"Bearer {bank.running.token('scjgj')}"}
    answer = bank.running.http.post("/v1/outcomes", json={"outcomes": [bank.line("granted")]}, headers=headers)
    assert answer.status_code in (401, 403)
    assert sealed_rows(bank.running) == []


@pytest.mark.parametrize("key", ["platform", "compute"])
def test_no_other_zones_key_makes_such_a_seal(bank: Bank, key: str) -> None:
    world = bank.running.world
    bank.results_of(bank.line("granted"))
    shelf = Shelf(world.root / "forged", world.ring)
    with pytest.raises(Broken):
        asyncio.run(seal_outcomes(bank.running.http.app.service, shelf, world.key(key)))


def test_a_label_whose_process_was_killed_before_its_entry_is_sealed_once_it_is_reported_again(bank: Bank) -> None:
    bank.results_of(bank.line("granted"))
    store = bank.running.http.app.service.store
    store.run(lambda transaction: transaction.rows("UPDATE outcome SET entry = ''"))
    assert sealed_rows(bank.running) == []
    assert bank.results_of(bank.line("granted"))["repeated"] == 1
    assert len(sealed_rows(bank.running)) == 1
