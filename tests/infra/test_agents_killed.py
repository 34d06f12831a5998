"""Agents killed at fifty random moments of real repairs do each step once, and leave what an undisturbed one does."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from credit.requests.desk_client import DeskClient
from credit.requests.request import STEP_DONE, Stage
from credit.seal import Kind
from infra.desk import running
from tests.infra.repair_home import CITY, DAY, RepairHome
from tests.infra.repair_steps import RepairSteps
from tests.infra.test_repairs import firms

KILLS, LONGEST = 50, 300.0  # seconds that a step may take


@pytest.mark.servers
@pytest.mark.attack
def test_repairs_are_done_once_however_often_agents_are_killed(repair_home: RepairHome) -> None:
    place, moments, killed = repair_home, random.Random(12), 0
    some = iter(firms(place))
    features = {code: place.features(code)["penalties_36m"] for code in place.documents}
    repaired: list[str] = []
    command = [sys.executable, "-m", "tests.infra.forked_agents", str(place.home.root)]
    with (
        running.desk(place.home) as socket,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as forks,
    ):
        assert forks.stdin is not None
        assert forks.stdout is not None
        client = DeskClient(socket, by=str(CITY))
        state, took = (
            {"stage": Stage.DONE},
            dict[str, float](),
        )  # of the first repair, whose agents are not killed early
        while killed < KILLS or state["stage"] == Stage.OPEN:
            if state["stage"] == Stage.DONE:
                repaired.append(code := next(some))
                state = client.request("repair", {"documents": [place.documents[code]]}, today=DAY.isoformat())
            zone, name = state["zone"], str(state["id"])
            forks.stdin.write(f"{zone}\n".encode())
            forks.stdin.flush()
            pid, begun = int(forks.stdout.readline()), time.monotonic()
            is_early = zone in took and killed < KILLS
            ends = begun + (moments.uniform(0, 1.2 * took[zone]) if is_early else LONGEST)
            while time.monotonic() < ends and state["zone"] == zone:
                time.sleep(0.01)
                state = client.call("GET", f"/requests/{name}?since=")
            took.setdefault(zone, time.monotonic() - begun)
            os.kill(pid, signal.SIGKILL)
            killed += is_early
            state = client.call("GET", f"/requests/{name}?since=")
            assert state["stage"] in (Stage.OPEN, Stage.DONE), state["failure"]
        forks.stdin.close()
    for zone, steps in (("custody", 0), ("compute", 1), ("platform", 2)):
        ledger = place.home.ledger(zone)
        done = [(entry.object, entry.details["step"]) for entry in ledger.verified() if entry.verb == STEP_DONE]
        assert len(done) == len(set(done)) == len(repaired), (zone, steps, done)
    for code in repaired:
        assert place.features(code)["penalties_36m"] == features[code] - 1
    names = [e.object for e in place.home.ledger("custody").verified() if e.verb == "record.repaired"]
    assert len(names) == len(set(names)) == len(repaired), "each act has its entry, once"
    for kind in (Kind.RELEASE, Kind.SNAPSHOT):
        for seal in place.home.shelf.list(kind):
            place.home.shelf.open(seal.id)
    assert RepairSteps(place).carry_out()["pointed"] == [], "there is nothing left to do"
