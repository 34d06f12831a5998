"""From the city team's request to repair a record to the first answer of the running service without it.

The whole way, by the commands people type: repair, release, snapshots of both models, dossiers, and the service's own
look at its shelf. At 20,000 subjects in the home that the road was walked in; at 710,000 in one made for this, which
takes a quarter of an hour and is kept: its city is brought in and released, and the 20,000's versions score it.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.flows.demo_steps import OUT, SIZES, walk
from bench.record import record
from credit.actor import Actor
from credit.canonical import digest
from credit.keys import load_secret
from credit.requests.flows import FLOWS
from credit.subjects import PseudonymKey
from infra import stack
from infra.demo.invented_city import CITY_DAY
from infra.desk.running import desk_and_agents
from infra.home import Home
from privacy.vault import Vault
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import RateLimit
from serving.auth.mandates import grant

CITY, TIMES, PURPOSE = 710_000, 3, "credit_granting"
BANK = f"repair-bank-{os.getpid()}"  # one of this run
STEPS = ("release scoring", "release inquiry", "snapshot enterprise", "snapshot individual_business", "dossiers")
PLATFORM, CLERK = Actor.parse("platform:petra"), "city:chen"
HASTE = 0.1  # seconds between two questions


@dataclass(frozen=True, slots=True)
class Repaired:
    """Seconds from the beginning of the command: nothing answered any more, a score and a list without the record."""

    suppressed: float
    score: float
    listed: float


def repair_to_answer_seconds() -> None:
    """At both sizes, each the middle of some repairs; the slower of score and list counts."""
    walk(SIZES[0])
    road = Home((OUT / f"road-{SIZES[0]}" / "home").resolve())
    small = Home((OUT / f"repair-{SIZES[0]}").resolve())
    shutil.rmtree(small.root, ignore_errors=True)
    shutil.copytree(road.root, small.root)
    for subjects, home in ((SIZES[0], small), (CITY, city_of(CITY, road))):
        output = measure(home)
        took = [max(each.score, each.listed) for each in output]
        more = {
            "subjects": subjects, "repairs": len(output), "slowest": round(max(took), 1),
            **{name: round(statistics.median(getattr(each, name) for each in output), 2)
               for name in ("suppressed", "score", "listed")},
        }  # fmt: skip
        record("repair_to_answer_seconds", statistics.median(took), "s", goal=60, more=more,
               data=f"invented city, {subjects} subjects")  # fmt: skip


def city_of(subjects: int, road: Home) -> Home:
    """A home of so many subjects with the versions of the road; made once."""
    home = Home((OUT / f"repair-{subjects}").resolve())
    if not (home.root / "made").exists():
        shutil.rmtree(home.root, ignore_errors=True)
        for part in ("keys", "ledgers", "shelf/order", "shelf/version"):
            shutil.copytree(road.root / part, home.root / part)
        (home.root / "shelf" / "pointers").mkdir()
        for model in ("enterprise", "individual_business"):
            shutil.copy(road.root / "shelf" / "pointers" / f"champion-{model}.json", home.root / "shelf" / "pointers")
        raw = home.root / "city"
        for words in (f"city --subjects {subjects} --out {raw}", f"intake {raw}", *STEPS):
            by = () if words.startswith("city") else ("--by", str(PLATFORM))
            haihe(home, *words.split(), *by)
        shutil.rmtree(raw)
        (home.root / "made").touch()
    return home


def measure(home: Home) -> list[Repaired]:
    """Some repairs in a home whose front desk, agents and service run on two cores beside them, as in a lab."""
    score_requests = subjects_to_repair(home)
    secret, mandates = admit(home, [code for code, _ in score_requests])
    env = {"HAIHE_SERVICE_TODAY": CITY_DAY.isoformat(), "HAIHE_SERVICE_WORKERS": "2"}
    with (
        desk_and_agents(home, FLOWS["repair"].zones),
        stack.scoring_service(home, env=env) as url,
        httpx.Client(base_url=url, timeout=60) as http,
    ):
        form = {"grant_type": "client_credentials"}
        token = http.post("/oauth2/token", data=form, auth=(BANK, secret)).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        return [
            once(home, http, document, {"uscc": code, "purpose": PURPOSE, "mandate": mandates[code]})
            for code, document in score_requests
        ]


def once(home: Home, http: httpx.Client, document: str, requested: dict[str, str]) -> Repaired:
    """One repair; the old answers must be over before the first that is withheld."""
    old = http.post("/v1/scores", json=requested).json()["snapshot"]["id"]
    assert document in (documents(http, requested) or ())
    begin, suppressed, score, listed = time.monotonic(), 0.0, 0.0, 0.0
    command = [sys.executable, "-m", "infra.haihe", "repair", document, "--json", "--by", CLERK]
    with subprocess.Popen(command, env=environment(home), stdout=subprocess.DEVNULL) as running:
        while not (score and listed):
            assert time.monotonic() < begin + 600
            answer, now = http.post("/v1/scores", json=requested), time.monotonic() - begin
            if answer.status_code == 503:
                suppressed = suppressed or now
            elif suppressed:
                assert answer.json()["snapshot"]["id"] != old
                score = score or now
            if (result := documents(http, requested)) is not None and document not in result:
                listed = listed or time.monotonic() - begin
            time.sleep(HASTE)
    assert running.returncode == 0
    return Repaired(suppressed, score, listed)


def documents(http: httpx.Client, requested: dict[str, str]) -> list[str] | None:
    """Document numbers of the penalties shown; None while nothing is."""
    answer = http.post("/v1/queries/penalties", json={**requested, "size": 100})
    return [record["document"] for record in answer.json()["records"]] if answer.status_code == 200 else None


def subjects_to_repair(home: Home) -> list[tuple[str, str]]:
    """Codes of active firms, each with the number of a penalty that is shown and may be repaired."""
    vault = Vault(home.root / "raw", load_secret(home.keys("custody") / "raw.key"))
    repaired = set(vault.read("credit_repair", ["document_number"]).column(0).to_pylist())
    active = {
        row["subject_code"]
        for row in vault.read("registration", ["subject_code", "status"]).to_pylist()
        if row["status"] == "存续" and row["subject_code"].startswith("91")
    }
    wanted = {"severity": "general", "record_state": "normal", "use_scope": "公示"}
    columns = ["subject_code", "document_number", "decided_on", "published_until", *wanted]
    result = {
        row["subject_code"]: row["document_number"]
        for row in vault.read("administrative_penalty", columns).to_pylist()
        if wanted.items() <= row.items()
        and row["subject_code"] in active
        and row["document_number"] not in repaired
        and date(2025, 1, 1) < row["decided_on"] < date(2026, 7, 1)
        and row["published_until"] > CITY_DAY
    }
    step = max(1, len(result) // TIMES)
    return sorted(result.items())[::step][:TIMES]


def admit(home: Home, codes: list[str]) -> tuple[str, dict[str, str]]:
    """A bank of ours with a mandate of each subject: its secret, and the mandates by code."""
    access = AccessDatabase(home.root / "service" / "access.db")
    secret = access.add_client(BANK)
    access.set_limit(BANK, RateLimit(1e6, 1e6))
    key = PseudonymKey("scoring", load_secret(home.keys("custody") / "pseudonym-scoring.key"))
    output: dict[str, Any] = {"valid_from": CITY_DAY, "valid_until": CITY_DAY + timedelta(days=30), "purpose": PURPOSE}
    ledger = home.ledger("platform", writing=True)
    mandates = {
        code: grant(access, bank=BANK, subject=key.key_of(code), document=digest(b"paper"), by=PLATFORM,
                    key=home.key("platform"), ledger=ledger, **output).id
        for code in codes
    }  # fmt: skip
    access.close()
    return secret, mandates


def haihe(home: Home, *words: str) -> dict[str, Any]:
    """Run a verb in a home."""
    command = [sys.executable, "-m", "infra.haihe", *words, "--json"]
    done = subprocess.run(command, env=environment(home), stdout=subprocess.PIPE, text=True, check=True, cwd=Path.cwd())
    output: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return output


def environment(home: Home) -> dict[str, str]:
    """The environment of a verb that runs in this home."""
    return {**os.environ, "HAIHE_HOME": str(home.root), "HAIHE_TODAY": CITY_DAY.isoformat()}
