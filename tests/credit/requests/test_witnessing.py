"""Agents watch each other's ledgers: a cut tail is an alarm within a minute, and a silent witness stops nothing."""

from __future__ import annotations

import os
import shutil
import time

from credit.requests.request import Stage
from credit.requests.task import StepResult
from tests.credit.requests.zone_lab import PETRA, ZoneLab, serving

EVERY = 0.1  # seconds between two countersignatures in this test


def test_a_cut_ledger_is_an_alarm_of_the_other_agents(lab: ZoneLab) -> None:
    custody = lab.ledger("custody")
    for number in range(3):
        custody.append("record.kept", f"record-{number}", by=PETRA)
    agents = [lab.agent(zone, {}, witness=EVERY) for zone in ("compute", "platform")]
    alarms = [lab.root / "ledgers" / "witness" / zone / "custody.alarm.json" for zone in ("compute", "platform")]
    with serving(*agents):
        statements = [path.with_name("custody.json") for path in alarms]
        wait_for(lambda: all(path.exists() for path in statements))
        assert not any(path.exists() for path in alarms)
        lines = custody.path.read_bytes().splitlines(keepends=True)
        custody.path.write_bytes(b"".join(lines[:-1]))
        began = time.monotonic()
        wait_for(lambda: all(path.exists() for path in alarms))
        assert time.monotonic() - began < 60
    for zone in ("compute", "platform"):
        assert [entry.object for entry in lab.ledger(zone).entries() if entry.verb == "ledger.broken"] == [
            "ledger-custody"
        ]


def test_a_witness_that_cannot_write_stops_no_request(lab: ZoneLab) -> None:
    (lab.root / "ledgers").mkdir()
    os.symlink("/nowhere/at/all", lab.root / "ledgers" / "witness")
    with serving(lab.agent("custody", {"release": lambda task: StepResult({})}, witness=EVERY)):
        lab.wait(lab.request("release", PETRA, on="1"), lambda state: state.stage is Stage.DONE)


def wait_for(holds: object, seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if holds():  # type: ignore[operator]
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def test_a_ledger_that_was_removed_with_its_beginning_is_an_alarm_too(lab: ZoneLab) -> None:
    """Nothing of it says any more that it has begun; the witness knows."""
    custody = lab.ledger("custody")
    custody.append("record.kept", "record-1", by=PETRA)
    folder = lab.root / "ledgers" / "witness" / "compute"
    with serving(lab.agent("compute", {}, witness=EVERY)):
        wait_for((folder / "custody.json").exists)
        for path in (*(lab.root / "ledgers").glob("custody*"), lab.root / "keys" / "ring" / "custody.genesis.json"):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        wait_for((folder / "custody.alarm.json").exists)


def test_a_ledger_that_has_not_begun_is_no_alarm(lab: ZoneLab) -> None:
    with serving(lab.agent("compute", {}, witness=EVERY)):
        lab.ledger("desk").append("home.begun", "home", by=PETRA)
        wait_for((lab.root / "ledgers" / "witness" / "compute" / "desk.json").exists)
    assert not list((lab.root / "ledgers" / "witness").rglob("*.alarm.json"))
