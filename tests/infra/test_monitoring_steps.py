"""An alert is raised once, and a person of the platform acknowledges it once, with a reason that the ledger keeps."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from credit.actor import Actor, Role
from credit.alerts import ALERTED, open_alerts, read_alerts
from credit.errors import CreditError, Malformed, Missing
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.requests.flows import FLOWS
from credit.requests.request import Request
from credit.requests.task import Task
from infra.agents.monitoring import MAXIMUM_WORDS, acknowledge_alert

WANG = Actor("wang", Role.PLATFORM)
DETAILS = {"model": "enterprise", "version": "version-1", "watch": "score", "since": "2026-03", "p": 1e-9}


@pytest.fixture
def ledgers(tmp_path: Path) -> tuple[Ledger, Ledger]:
    keys = {zone: SigningKey.create(tmp_path, zone) for zone in ("compute", "platform")}
    ring = KeyRing({zone: {key.keyid: key.private.public_key()} for zone, key in keys.items()})
    compute, platform = (Ledger(tmp_path / f"{zone}.jsonl", key, ring, zone) for zone, key in keys.items())
    compute.append(ALERTED, "alert-1", by=WANG, details=DETAILS)
    return compute, platform


def task(**arguments: Any) -> Task:
    now = datetime.now(UTC)
    request = Request("request-1", "acknowledge", arguments, False, "", WANG, "totp", now, now, None, 1)
    return Task(request, 0, arguments, [], {}, date(2026, 4, 1), lambda label, done, total: None)


def test_an_alert_stays_open_until_it_is_acknowledged_with_a_reason(ledgers: tuple[Ledger, Ledger]) -> None:
    assert [alert.id for alert in open_alerts(*ledgers)] == ["alert-1"]
    acknowledge_alert(task(alert="alert-1", why="a new form of the tax office"), *ledgers)
    assert open_alerts(*ledgers) == []
    (alert,) = read_alerts(*ledgers)
    assert (alert.acknowledged_by, alert.reason) == (WANG, "a new form of the tax office")
    assert alert.as_json()["watch"] == "score"


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"alert": "alert-1", "why": " "}, Malformed),
        ({"alert": "alert-1", "why": "x" * (MAXIMUM_WORDS + 1)}, Malformed),
        ({"alert": "alert-2", "why": "x"}, Missing),
    ],
)
def test_no_reason_and_no_such_alert_are_refused(
    ledgers: tuple[Ledger, Ledger], arguments: dict[str, str], refusal: type[CreditError]
) -> None:
    with pytest.raises(refusal):
        acknowledge_alert(task(**arguments), *ledgers)
    assert len(open_alerts(*ledgers)) == 1


def test_an_alert_is_acknowledged_once(ledgers: tuple[Ledger, Ledger]) -> None:
    acknowledge_alert(task(alert="alert-1", why="x"), *ledgers)
    with pytest.raises(Malformed):
        acknowledge_alert(task(alert="alert-1", why="y"), *ledgers)
    assert read_alerts(*ledgers)[0].reason == "x"


def test_only_the_platform_monitors_and_acknowledges() -> None:
    assert FLOWS["monitor"].roles == FLOWS["acknowledge"].roles == (Role.PLATFORM,)
