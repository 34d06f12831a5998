"""A real process over real HTTP: the client gets scores and errors, the log names no subject, and it stops cleanly."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from haihe_client import (
    AuthenticationError,
    ConnectionFailed,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    ServiceClient,
)
from serving_world import PURPOSE, TODAY, codes

pytestmark = pytest.mark.servers


@pytest.fixture
def server(world: Any) -> Iterator[tuple[str, Path, subprocess.Popen[bytes]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {"PATH": os.environ["PATH"], "HAIHE_SERVICE_TODAY": str(TODAY), "HAIHE_SERVICE_PORT": str(port)}
    for name, path in (
        ("SHELF", "shelf"),
        ("KEYS", "keys"),
        ("RING", "ring"),
        ("LEDGER", "ledger.jsonl"),
        ("ACCESS", "access.db"),
    ):
        env[f"HAIHE_SERVICE_{name}"] = str(world.root / path)
    log = world.root / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen([sys.executable, "-m", "serving"], env=env, stderr=stream, stdout=stream)
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(200):
                try:
                    if httpx.get(f"{url}/ready").status_code == 200:
                        break
                except httpx.HTTPError:
                    assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            yield url, log, process
        finally:
            process.kill()
            process.wait()


def test_a_bank_scores_over_http(server: Any, world: Any, template: Any) -> None:
    url, log, process = server
    known, unknown = codes("enterprise", 1)[0], codes("enterprise", 99)[-1]
    mandate = world.grant("bohai", known).id
    with ServiceClient(url, "bohai", template[1]["bohai"]) as bank:
        assert bank.ready()["ready"] is True
        first_score = bank.score(known, PURPOSE, mandate)
        assert first_score["uscc"] == known
        with pytest.raises(InvalidRequestError):
            bank.score(known[:-1], PURPOSE, mandate)
        with pytest.raises(NotFoundError):
            bank.score(unknown, PURPOSE, world.grant("bohai", unknown).id)
        with pytest.raises(PermissionDeniedError, match="another purpose") as refused:
            bank.score(known, "post_loan_management", mandate)
        assert refused.value.findings[0]["check"] == "purpose"
        bank._auth._token = "forged"
        assert bank.score(known, PURPOSE, mandate)["points"] == first_score["points"]  # a new token was fetched
    with ServiceClient(url, "bohai", "wrong") as unauthenticated, pytest.raises(AuthenticationError):
        unauthenticated.score(known, PURPOSE, mandate)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) in (0, -signal.SIGTERM)
    assert world.ledger.verify()
    written = log.read_text()
    assert known not in written
    assert unknown not in written
    assert world.pseudonyms.hex_of(known) not in written
    assert "POST" not in written
    with ServiceClient(url, "bohai", "x") as late, pytest.raises(ConnectionFailed, match="cannot be reached"):
        late.ready()


def test_many_at_once_are_all_answered_and_all_recorded(server: Any, world: Any, template: Any) -> None:
    url, _, _ = server
    subjects = codes("enterprise", 4)
    mandates = {code: world.grant("bohai", code).id for code in subjects}

    def score_twenty(number: int) -> int:
        with ServiceClient(url, "bohai", template[1]["bohai"]) as bank:
            for turn in range(20):
                code = subjects[(number + turn) % 4]
                bank.score(code, PURPOSE, mandates[code])
        return 20

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(score_twenty, range(8))) == 160
    answered = [entry for entry in world.ledger.entries() if entry.verb == "score.answered"]
    assert len({entry.object for entry in answered}) == 160


def test_settings_that_are_missing_end_the_process_naming_themselves() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "serving"], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "HAIHE_SERVICE_SHELF" in done.stderr
