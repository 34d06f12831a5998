"""While banks ask all the time a repair fails and mixes no answer, and within a minute its record is in none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import pytest

from infra import stack
from models.scoring.snapshot_layout import ANSWERS_FILE, SUBJECTS_FILE
from tests.infra.repair_home import BANK, CITY, DAY, PURPOSE, RepairHome
from tests.infra.test_repairs import firms


@dataclass(slots=True)
class PollingBank:
    """A bank that requests the score of one subject again and again, over one connection."""

    url: str
    place: RepairHome
    code: str
    answers: list[tuple[float, int, dict[str, Any]]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with httpx.Client(base_url=self.url, timeout=30) as http:
            form = {"grant_type": "client_credentials"}
            token = http.post("/oauth2/token", data=form, auth=(BANK, self.place.secret)).json()["access_token"]
            body = {"uscc": self.code, "purpose": PURPOSE, "mandate": self.place.mandates[self.code]}
            while not self.over.is_set():
                answer = http.post("/v1/scores", json=body, headers={"Authorization": f"Bearer {token}"})
                self.answers.append((time.monotonic(), answer.status_code, answer.json()))
                time.sleep(0.005)


def points(place: RepairHome, snapshot: str, code: str) -> float:
    """What a snapshot says of a subject."""
    opened = place.home.shelf.open(snapshot, deep=False).path
    keys, wanted = (opened / SUBJECTS_FILE).read_bytes(), place.key("scoring").key_of(code).raw
    row = [keys[at : at + 16] for at in range(0, len(keys), 16)].index(wanted)
    return round(float(np.load(opened / ANSWERS_FILE)["points"][row]) * 100) / 100


@pytest.mark.servers
def test_repairs_under_load_fail_and_mix_no_answer(repair_home: RepairHome) -> None:
    place = repair_home
    who, other = firms(place)[:2]
    env = {"HAIHE_SERVICE_TODAY": DAY.isoformat(), "HAIHE_SERVICE_MODELS": "enterprise", "HAIHE_SERVICE_WORKERS": "2"}
    haihe = {**os.environ, "HAIHE_HOME": str(place.home.root), "HAIHE_TODAY": DAY.isoformat()}
    old = place.pointed()
    with stack.scoring_service(place.home, env=env) as url:
        banks = [PollingBank(url, place, code) for code in (who, other, other)]
        threads = [threading.Thread(target=bank.run) for bank in banks]
        for thread in threads:
            thread.start()
        try:
            time.sleep(1)
            entered = time.monotonic()
            command = [sys.executable, "-m", "infra.haihe", "repair", place.documents[who], "--json", "--by", str(CITY)]
            done = subprocess.run(command, env=haihe, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stderr
            new = json.loads(done.stdout)["snapshots"]["enterprise"]
            limit = time.monotonic() + 60
            while not all(bank.answers[-1][2].get("snapshot", {}).get("id") == new for bank in banks):
                assert time.monotonic() < limit
                time.sleep(0.05)
        finally:
            for bank in banks:
                bank.over.set()
            for thread in threads:
                thread.join()
    expected = {(snapshot, code): points(place, snapshot, code) for snapshot in (old, new) for code in (who, other)}
    for bank in banks:
        for _, status, answer in bank.answers:
            if status == 200:
                assert answer["points"] == expected[answer["snapshot"]["id"], bank.code], "an answer is of one snapshot"
                assert answer["release"] == place.home.shelf.open(answer["snapshot"]["id"], deep=False).seal.parents[1]
            else:
                assert (bank.code, status, answer["type"]) == (who, 503, "urn:haihe:problem:anew"), answer
    assert Counter(status for bank in banks[1:] for _, status, _ in bank.answers).keys() == {200}
    last_old = max(at for at, status, answer in banks[0].answers if status == 200 and answer["snapshot"]["id"] == old)
    first_new = min(at for at, status, answer in banks[0].answers if status == 200 and answer["snapshot"]["id"] == new)
    assert last_old < first_new, "once withheld the old answer never comes again"
    assert first_new - entered < 60
    assert expected[new, who] >= expected[old, who], "a repaired record may only help"
