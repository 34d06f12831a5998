"""A usage statement is what the ledger says and no more; a sandbox is of invented firms that do what they are for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from serving_world import PLATFORM, PURPOSE, TODAY, codes

from credit.actor import Actor
from credit.errors import CreditError, Malformed, Missing, Refused
from credit.ledger import Entry
from credit.seal import Kind
from credit.settings import BEIJING
from serving import bank_sandbox
from serving.audit.usage import statement
from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import Mandate, sign_mandate, store_mandate
from serving.data.snapshot import open_snapshot, read_pointers

GOOD, OTHER = codes("enterprise", 2)


def test_a_statement_counts_every_call_of_a_month_once_and_each_subject_once(running: Any) -> None:
    mandate, theirs = running.world.grant("bohai", GOOD).id, running.world.grant("jincheng", OTHER).id
    token = running.fresh_token()
    for _ in range(3):
        running.score(GOOD, mandate, token=token)
    running.score(OTHER, mandate, token=token)
    running.score(OTHER, theirs, token=running.fresh_token("jincheng"))
    request = {"uscc": GOOD, "purpose": PURPOSE, "mandate": mandate}
    headers = {"Authorization": f"Bearer {token}"}
    running.http.post("/v1/scores/batch", json={"asks": [request, {**request, "uscc": OTHER}]}, headers=headers)
    entries = list(running.world.ledger.verified())
    month = datetime.now(UTC).astimezone(BEIJING).strftime("%Y-%m")
    counts = {(line["bank"], line["product"], line["status"]): (line["calls"], line["subjects"])
              for line in statement(entries, month)}  # fmt: skip
    assert counts == {
        ("bohai", "score", 200): (3, 1), ("bohai", "refused", 403): (1, 1), ("bohai", "token", 200): (1, 0),
        ("bohai", "batch", 200): (1, 2), ("bohai", "batch", 403): (1, 2),
        ("jincheng", "score", 200): (1, 1), ("jincheng", "token", 200): (1, 0),
    }  # fmt: skip
    assert {line["bank"] for line in statement(entries, month, "jincheng")} == {"jincheng"}
    assert statement(entries, "2001-01") == []
    assert running.world.pseudonyms.hex_of(GOOD) not in str(statement(entries, month))


def test_a_month_begins_and_ends_in_beijing() -> None:
    def at(text: str) -> Entry:
        when = datetime.fromisoformat(text)
        return Entry(1, when, Actor.parse("bank:bohai"), "score.answered", "x", {"status": 200}, "", "")

    for text, counted in (("2026-10-31T15:59:59+00:00", 0), ("2026-10-31T16:00:00+00:00", 1),
                          ("2026-11-30T15:59:59+00:00", 1), ("2026-11-30T16:00:00+00:00", 0)):  # fmt: skip
        assert len(statement([at(text)], "2026-11")) == counted
    for text in ("2026-13", "2026-1", "november", "2026-11-01"):
        with pytest.raises(Malformed):
            statement([], text)


def test_firms_of_a_sandbox_answer_as_expected(running: Any) -> None:
    world = running.world
    snapshot = open_snapshot(world.shelf, read_pointers(world.shelf, "enterprise"))
    everybody = codes("enterprise", 40)
    named = bank_sandbox.choose_firms(snapshot, everybody, everybody[:20], world.pseudonyms)
    assert set(named) == set(bank_sandbox.EXPECTED)
    assert len(set(named.values())) == len(named)
    access = AccessDatabase(world.root / "access.db")
    first = f"mandate-{'0' * 28}"
    wanted, firms = bank_sandbox.plan_mandates(named, bank="bohai", day=TODAY, pseudonyms=world.pseudonyms, first=first)
    for number, planned in enumerate(wanted):  # as the platform's agent signs them, and the service's stores them
        mandate = Mandate.of({**planned, "id": f"{first}{number:04x}"})
        store_mandate(access, sign_mandate(mandate, by=PLATFORM, key=world.key("platform")), world.ring)
    access.close()
    token, points = running.token(), {}
    for who, firm in firms.items():
        response = running.score(firm.code, firm.mandate, token=token)
        assert response.status_code == firm.status, (who, response.text)
        if response.status_code == 200:
            points[who] = response.json()["points"]
        elif response.status_code == 403:
            (check,) = (finding["check"] for finding in response.json()["findings"])
            assert f"`{check}`" in firm.because
    assert max(points.values()) == points["good"]
    assert min(points.values()) == points["bad"]
    with pytest.raises(Missing):
        bank_sandbox.choose_firms(snapshot, everybody[:3], [], world.pseudonyms)


@pytest.mark.attack
def test_a_home_with_records_of_real_subjects_gets_no_sandbox(world: Any) -> None:
    for terms in ({}, {"invented": False}, {"invented": "true"}):
        made = world.seal(Kind.RELEASE, "custody", {"rows": b"r"}, purpose="scoring", **terms)
        with pytest.raises(Refused):
            bank_sandbox.require_invented(world.shelf, made)
    bank_sandbox.require_invented(world.shelf, world.seal(Kind.RELEASE, "custody", {"rows": b"r"}, invented=True))
    with pytest.raises(CreditError):
        bank_sandbox.require_invented(world.shelf, "release-0")
