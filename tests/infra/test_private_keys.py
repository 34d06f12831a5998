"""No process ever holds the private keys of two zones: the memory of every process of the journey is searched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from bench.flows.private_keys import KeyWatch
from credit.requests.state_reader import ZONES
from infra import stack
from infra.desk import running
from infra.home import Home
from tests.infra.repair_home import BANK, CITY, DAY, PURPOSE, RepairHome
from tests.infra.test_repairs import firms

HOLDER = """
import sys
from pathlib import Path
from credit.keys import SigningKey
keys = [SigningKey.load(Path(sys.argv[1]) / zone, zone) for zone in sys.argv[2:]]
print("loaded", flush=True)
sys.stdin.read()
"""

MAKER = """
import sys
from pathlib import Path
from infra.desk.city_marking import mark_in_own_process
from infra.desk import running
from infra.home import Home
home = Home(Path(sys.argv[1]))
print(home.ensure_keys(), mark_in_own_process(home, ()), flush=True)
sys.stdin.read()
"""


def haihe(home: Home, *words: str) -> str:
    env = {**os.environ, "HAIHE_HOME": str(home.root), "HAIHE_TODAY": DAY.isoformat()}
    command = [sys.executable, "-m", "infra.haihe", *words, "--json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("zones", [(), ("custody",), ("desk", "service")])
def test_a_process_with_two_keys_is_noticed(tmp_path: Path, zones: tuple[str, ...]) -> None:
    """The search itself: it finds exactly the keys that a process has loaded."""
    home = Home(tmp_path / "home")
    home.ensure_keys()
    command = [sys.executable, "-c", HOLDER, str(home.root / "keys"), *zones]
    with (
        KeyWatch(home.root, every=600) as watch,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        watch.search()
        process.stdin.close()
    assert [keys for (pid, _), keys in watch.zones.items() if pid == process.pid] == [set(zones)]
    assert watch.most == len(zones)


def test_the_process_that_makes_a_home_holds_no_key(tmp_path: Path) -> None:
    """Each zone's key is made by a process of its own, and the front desk's marks the home."""
    home = Home(tmp_path / "home")
    command = [sys.executable, "-c", MAKER, str(home.root)]
    with (
        KeyWatch(home.root, every=600) as watch,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"True True\n"
        watch.search()
        process.stdin.close()
    assert [keys for (pid, _), keys in watch.zones.items() if pid == process.pid] == [set()]
    assert home.ledger("desk").head()[0] > 0


@pytest.mark.servers
def test_from_a_repair_to_the_bank_s_new_answer_no_process_holds_two_keys(repair_home: RepairHome) -> None:
    """The city's request, the agents' steps, the service's answer: each process has one zone's key, or none."""
    place = repair_home
    who = firms(place)[0]
    env = {"HAIHE_SERVICE_TODAY": DAY.isoformat(), "HAIHE_SERVICE_MODELS": "enterprise", "HAIHE_SERVICE_WORKERS": "2"}
    with (
        running.desk_and_agents(place.home),  # for the whole test, so that the last search meets them all
        stack.scoring_service(place.home, env=env) as url,
        httpx.Client(base_url=url, timeout=60) as http,
        KeyWatch(place.home.root, every=0.2) as watch,
    ):
        form = {"grant_type": "client_credentials"}
        token = http.post("/oauth2/token", data=form, auth=(BANK, place.secret)).json()["access_token"]
        body = {"uscc": who, "purpose": PURPOSE, "mandate": place.mandates[who]}
        headers = {"Authorization": f"Bearer {token}"}
        made = json.loads(haihe(place.home, "repair", place.documents[who], "--by", str(CITY)))
        limit = time.monotonic() + 60
        while (
            http.post("/v1/scores", json=body, headers=headers).json().get("snapshot", {}).get("id")
            != (made["snapshots"]["enterprise"])
        ):
            assert time.monotonic() < limit
            time.sleep(0.05)
        watch.search()
    assert watch.most == 1, watch.zones
    zones = {zone for keys in watch.zones.values() for zone in keys}
    assert zones == set(ZONES), "every zone was seen at work"
    assert not [line for (_, line), keys in watch.zones.items() if "infra.haihe" in line and keys]
