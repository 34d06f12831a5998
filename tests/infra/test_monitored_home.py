"""Compute's agent reports on the champion of a home by what banks reported, and raises each alert once."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from credit.alerts import read_alerts
from credit.errors import Broken
from credit.requests.request import Request
from credit.requests.settings import AgentSettings
from credit.requests.task import StepResult, Task
from credit.seal import Kind
from credit.settings import read
from credit.shelf import Shelf
from infra.agents import compute
from models.scoring.snapshot_layout import read_keys
from serving.endpoints.outcomes.outcome_sealing import FILE, outcomes_folder
from serving.settings import ServiceSettings
from tests.infra.repair_home import DAY, MODEL, PLATFORM, RepairHome

RIPE = date(2027, 7, 15)


def monitored(place: RepairHome, today: date) -> StepResult:
    env = place.home.environment("compute")
    handler = compute.open_agent(read(AgentSettings, env, "HAIHE_COMPUTE_"), env).handlers["monitor"]
    arguments: dict[str, Any] = {"model": MODEL}
    now = datetime.now(UTC)
    request = Request(f"request-{1:032x}", "monitor", arguments, False, "", PLATFORM, "invented", now, now, today, 1)
    return handler.carry_out(Task(request, 0, arguments, (), {}, today, lambda label, done, total: None))


def report_loans(place: RepairHome) -> None:
    """Seal a running loan of every scored subject; half of them default, which no model has said."""
    home = place.home
    shelf = Shelf(outcomes_folder(home.settings(ServiceSettings, "service")), home.ring)
    lines = []
    for number, raw in enumerate(read_keys(home.shelf.open(place.pointed(), deep=False).path)):
        key = raw.tobytes().hex()
        events = [("granted", -9, 0), ("drawn", -8, 0)] + [("overdue", 120, 95)] * (number % 2)
        lines += [
            {"id": f"{number}-{name}", "bank": "bank-0", "loan": key, "subject": key, "event": name, "late": 0,
             "happened_on": (DAY + timedelta(days=day)).isoformat(), "days_overdue": days, "replaces": ""}
            for name, day, days in events
        ]  # fmt: skip
    with shelf.staging() as folder:
        (folder / FILE).write_text("\n".join(map(json.dumps, lines)))
        shelf.put(folder, Kind.OUTCOMES, parents=(), terms={"form": 1}, expires_on=RIPE + timedelta(days=365),
                  by=PLATFORM, key=home.key("service"))  # fmt: skip


def test_wrong_labels_raise_an_alert_once_and_none_raise_nothing(
    repair_home: RepairHome,
) -> None:
    nothing = monitored(repair_home, DAY)
    assert (nothing.result["outcomes"], nothing.result["raised"]) == (False, [])
    report_loans(repair_home)
    first, again = monitored(repair_home, RIPE), monitored(repair_home, RIPE)
    report = first.private["report"]
    json.dumps(report, allow_nan=False)
    assert report["labels"]["events"] == report["labels"]["lines"]
    assert {alert["watch"] for alert in report["alerts"]} >= {"calibration"}
    assert first.result["raised"]
    assert again.result["raised"] == []
    home = repair_home.home
    listed = read_alerts(home.ledger("compute"), home.ledger("platform"))
    assert {alert.id for alert in listed} == set(first.result["raised"])
    assert all(alert.details["since"] == "2026-11" for alert in listed)


def test_outcomes_that_cannot_be_read_are_a_refusal(repair_home: RepairHome) -> None:
    folder = repair_home.home.root / "service" / "outcomes"
    folder.symlink_to(folder)  # there, and an error of the machine for its reader
    with pytest.raises(Broken):
        monitored(repair_home, DAY)
