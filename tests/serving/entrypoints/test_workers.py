"""Two processes are one service: what one stores the other reads, one that dies loses nothing and starts again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving_bank_keys import BankKey
from serving_service_process import free_port, serving
from serving_world import PURPOSE, codes

from credit.keys import KeyRing, SigningKey
from serving.audit.signatures import HEADER, verify
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import RateLimit
from serving.responses.job_columns import INPUT_COLUMNS
from serving.store.copy import copy_store
from serving.store.store import open_store

pytestmark = pytest.mark.servers
CODE, OTHER = codes("enterprise", 2)
FORM = {"grant_type": "client_credentials"}


class Pair:
    """Two workers behind one address."""

    def __init__(self, world: Any, secret: str, url: str, process: Any, mandate: str, place: Path | str) -> None:
        self.world, self.url, self.process, self.auth = world, url, process, ("bohai", secret)
        self.mandate, self.place = mandate, place

    def token(self) -> str:
        return str(httpx.post(f"{self.url}/oauth2/token", data=FORM, auth=self.auth).json()["access_token"])

    def score(self, token: str, **headers: str) -> httpx.Response:
        """On a connection of its own, so that the kernel chooses the worker."""
        body = {"uscc": CODE, "purpose": PURPOSE, "mandate": self.mandate}
        sent = {"Authorization": f"Bearer {token}", **headers}
        return httpx.post(f"{self.url}/v1/scores", json=body, headers=sent, timeout=30)

    def workers(self) -> set[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return set(map(int, children.split()))

    @contextlib.contextmanager
    def load(self, callers: int = 4) -> Iterator[list[httpx.Response]]:
        """Calls on and on while this lasts; every answer, or None where the connection broke."""
        responses: list[Any] = []
        stop = threading.Event()

        def on() -> None:
            token = self.token()
            while not stop.is_set():
                try:
                    responses.append(self.score(token))
                except httpx.HTTPError:
                    responses.append(None)

        with ThreadPoolExecutor(callers) as pool:
            running = [pool.submit(on) for _ in range(callers)]
            try:
                yield responses
            finally:
                stop.set()
            for each in running:
                each.result(30)


both = pytest.mark.parametrize("pair", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def pair(world: Any, template: Any, request: pytest.FixtureRequest) -> Iterator[Pair]:
    mandate, place, more = world.grant("bohai", CODE).id, world.root / "access.db", {}
    if getattr(request, "param", "sqlite") == "postgresql":
        address = request.getfixturevalue("postgres").database()
        store = open_store(address)
        copy_store(place, store)
        store.close()
        place, more = address, {"HAIHE_SERVICE_STORE": address}
    with serving(world, free_port(), HAIHE_SERVICE_WORKERS="2", **more) as (url, _, process):
        yield Pair(world, template[1]["bohai"], url, process, mandate, place)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@both
def test_what_one_stored_the_other_reads(pair: Pair) -> None:
    token = pair.token()
    with ThreadPoolExecutor(8) as pool:  # many at once with one key: one act, wherever they land
        responses = list(pool.map(lambda _: pair.score(token, **{"Idempotency-Key": "one"}), range(24)))
    assert {answer.status_code for answer in responses} == {200}
    assert len({answer.content for answer in responses}) == 1
    answered = [entry for entry in pair.world.ledger.verified() if entry.verb == "score.answered"]
    assert len(answered) == 1

    key = BankKey()
    access = AccessDatabase(pair.place)
    access.add_key("bohai", key.jwk)
    access.set_limit("bohai", RateLimit(0.001, 10))
    access.close()
    statuses = [pair.score(token).status_code for _ in range(16)]
    assert statuses == [200] * 10 + [429] * 6
    once = key.assertion("bohai", aud=f"{pair.url}/oauth2/token")
    given = [httpx.post(f"{pair.url}/oauth2/token", data=once).status_code for _ in range(8)]
    assert given == [200] + [401] * 7  # an assertion is good once, and not once a process
    counts = httpx.get(f"{pair.url}/metrics").text
    assert 'haihe_calls_total{product="/v1/scores",status="200"} 34.0' in counts


def test_a_worker_killed_under_load_loses_no_entry_and_comes_again(pair: Pair) -> None:
    with pair.load() as responses:
        before = pair.workers()
        _until(lambda: len(responses) > 60)
        victim = min(before)
        signal.pidfd_send_signal(os.pidfd_open(victim), signal.SIGKILL)
        _until(lambda: len(pair.workers() - before) == 1 and _ready(pair))
        enough = len(responses) + 60
        _until(lambda: len(responses) > enough)
    answers = [one for one in responses if one is not None]
    assert {one.status_code for one in answers} == {200}
    assert len(responses) - len(answers) <= 8  # those that the dead worker had in hand
    entries = {entry.object: entry.id for entry in pair.world.ledger.verified()}
    for one in answers:
        assert entries[one.json()["score_id"]] == one.json()["receipt"]["entry"]


def test_the_service_gets_a_new_key_and_no_call_fails(pair: Pair) -> None:
    world = pair.world
    old, new = world.key("service"), SigningKey.create(world.root / "next", "service")
    with pair.load(2) as responses:
        (world.root / "ring" / "service-2.pem").write_bytes(new.public_pem())  # first all verifiers have it
        _renewed(pair)
        (world.root / "next" / "signing-service.pem").replace(world.root / "keys" / "signing-service.pem")
        _renewed(pair)  # then it signs
        enough = len(responses) + 40
        _until(lambda: len(responses) > enough)
    assert {one and one.status_code for one in responses} == {200}
    ring = KeyRing.load(world.root / "ring")
    for one in responses:
        verify(one.content, one.headers[HEADER], ring)
    signers = {entry["keyid"] for entry in _lines(world) if "keyid" in entry}  # the last of each write
    assert signers == {f"service:{key.keyid}" for key in (old, new)}
    assert world.ledger.verify() > len(responses)


@both
def test_requests_to_both_at_once_under_one_key_are_made_once(pair: Pair) -> None:
    token = pair.token()
    request = {"uscc": CODE, "purpose": PURPOSE, "mandate": pair.mandate}
    score = pair.score(token).json()["score_id"]
    file = f"{','.join(INPUT_COLUMNS)}\n{CODE},{PURPOSE},{pair.mandate}\n".encode()
    table: list[tuple[str, str, dict[str, Any]]] = [
        ("/v1/objections", "objection.asked", {"json": {"score_id": score, "kind": "correction", "statement": "?"}}),
        ("/v1/jobs", "job.sent", {"content": file}),
        ("/v1/scores/batch", "score.answered", {"json": {"asks": [request] * 200}}),
    ]
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "one"}
    for path, verb, sent in table:
        before = [entry.verb for entry in pair.world.ledger.verified()].count(verb)

        def post(_: int, path: str = path, sent: dict[str, Any] = sent) -> httpx.Response:
            return httpx.post(f"{pair.url}{path}", headers=headers, timeout=30, **sent)

        with ThreadPoolExecutor(8) as pool:
            responses = list(pool.map(post, range(24)))
        assert {answer.status_code for answer in responses} == {200}, path
        assert len({answer.content for answer in responses}) == 1, path
        after = [entry.verb for entry in pair.world.ledger.verified()].count(verb)
        assert after - before == (200 if path.endswith("batch") else 1), path


def _renewed(pair: Pair) -> None:
    before = pair.workers()
    pair.process.send_signal(signal.SIGHUP)
    _until(lambda: len(pair.workers()) == 2 and not pair.workers() & before)


def _lines(world: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (world.root / "ledger.jsonl").read_text().splitlines()]


def _ready(pair: Pair) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{pair.url}/ready").status_code == 200
    return False


def _until(so: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.05)
