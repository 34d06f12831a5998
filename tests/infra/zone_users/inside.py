"""Run by ``test_zone_users`` where other users reach the interpreter: each zone is uid 710x, of the group 7100."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from credit.requests.state_reader import ZONES
from infra import processes, stack
from infra.desk.running import desk_and_agents
from infra.home import Home
from infra.zone_users import ZoneUsers
from tests.infra.repair_home import DAY, make

USERS = ZoneUsers(7100, {zone: 7101 + number for number, zone in enumerate(ZONES)})
CITY, PLATFORM = ("--by", "city:chen"), ("--by", "platform:petra")


@dataclass(slots=True)
class Lab:
    home: Home
    url: str = ""

    def haihe(self, *words: str, until_answered: bool = False) -> Any:
        """The document of a command; with ``until_answered`` None while a subject is being evaluated again."""
        env = {**os.environ, "HAIHE_HOME": str(self.home.root), "HAIHE_TODAY": DAY.isoformat()}
        command = [sys.executable, "-m", "infra.haihe", *words, "--json"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
        logs = {path.name: path.read_text()[-400:] for path in (self.home.root / "logs").glob("*.log")}
        if until_answered and done.returncode == 3 and "evaluated again" in done.stderr:
            return None
        assert done.returncode == 0, (words, done.stderr, logs)
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A home that was one user's and is given to the zones' users; then the desk and the agents run."""
    root = Path(tempfile.mkdtemp(prefix="haihe-zones-", dir="/dev/shm"))
    root.chmod(0o755)
    try:
        home = make(root / "home").home
        USERS.take_over(home)
        USERS.take_over(home)
        with desk_and_agents(home):
            yield Lab(home)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def test_from_intake_to_a_bank_s_score_and_a_repair(lab: Lab) -> None:
    """Every verb of the journey works, as no zone reaches further than its own and what others left for it."""
    home, raw = lab.home, lab.home.root / "more"
    assert lab.haihe("city", "--subjects", "1400", "--seed", "8", "--out", str(raw))["invented_home"]
    assert lab.haihe("intake", str(raw), *CITY)["kept"] > 1_000
    for purpose in ("research", "scoring", "inquiry"):
        lab.haihe("release", purpose, *PLATFORM)
    made = lab.haihe("snapshot", "enterprise", *PLATFORM)
    lab.haihe("dossiers", *PLATFORM)
    secret, paper = home.root / "bank.json", home.root / "paper.txt"
    paper.write_text("a signed paper")
    lab.haihe("bank", "second-bank", "--save", str(secret), *PLATFORM)
    example = json.loads((raw / "city.json").read_text())["examples"]["penalised_enterprise"]
    words = ("mandate", "second-bank", example["code"], "--until", "2026-12-01", "--document", str(paper))
    mandate = lab.haihe(*words, *PLATFORM)["mandate"]
    env = {"HAIHE_SERVICE_TODAY": DAY.isoformat(), "HAIHE_SERVICE_MODELS": "enterprise"}
    with stack.scoring_service(home, env=env) as url:
        score = ("score", example["code"], "--as", str(secret), "--mandate", mandate, "--url", url)
        before = lab.haihe(*score)
        assert before["snapshot"]["id"] == made["snapshot"]
        repaired = lab.haihe("repair", example["repairable_document"], *CITY)
        limit = time.monotonic() + 60
        while (
            not (answer := lab.haihe(*score, until_answered=True))
            or answer["snapshot"]["id"] != repaired["snapshots"]["enterprise"]
        ):
            assert time.monotonic() < limit
        check_users(home, ["desk", *(f"agent of {zone}" for zone in ZONES[1:]), "scoring service"])
    lab.haihe("ledger", "verify")


def check_users(home: Home, wanted: list[str]) -> None:
    """Each process of the lab, and each of its children, is its zone's user and in the zones' group alone."""
    names = {}
    for process in processes.running(home):
        zone = {"desk": "desk", "scoring service": "service"}.get(process.name, process.name.rpartition(" ")[2])
        names[process.name] = zone
        root = psutil.Process(process.pid)
        for each in (root, *root.children(recursive=True)):
            assert set(each.uids()) == {USERS.users[zone]}, each
            assert set(each.gids()) == {7100}, each
    assert set(wanted) <= set(names)


@pytest.mark.parametrize("zone", ZONES)
def test_a_zone_s_user_reads_and_changes_nothing_of_another(lab: Lab, zone: str) -> None:
    """Keys, records, ledgers, requests, seals, pointers, the ring: whatever is not its own the machine refuses."""
    script = Path(__file__).with_name("attempts.py")
    done = subprocess.run(
        [sys.executable, str(script), str(lab.home.root), zone], capture_output=True, text=True, timeout=60,
        user=USERS.users[zone], group=7100, extra_groups=[],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *succeeded, tried = done.stdout.splitlines()
    assert succeeded == []
    assert int(tried.split()[1]) > 60


def test_a_seal_is_for_the_zones_alone(lab: Lab) -> None:
    """What is on the shelf is for the zones' group: another user of the machine sees no seal and no ledger."""
    release = next((lab.home.root / "shelf" / "release").iterdir())
    reading = [sys.executable, "-c", f"import os; os.listdir({str(release)!r})"]
    for user, group, code in ((7105, 7100, 0), (7999, 7999, 1)):
        done = subprocess.run(reading, user=user, group=group, extra_groups=[], capture_output=True)
        assert done.returncode == code
