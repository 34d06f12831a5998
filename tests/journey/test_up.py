"""``haihe up`` keeps MLflow and the service up and stops both on Ctrl-C; ``haihe demo`` can be stopped too."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from credit.releases import newest_practice
from infra import stack
from tests.journey.hand import Hand, Walked

pytestmark = pytest.mark.servers


@pytest.fixture
def heeds_interrupts() -> Iterator[None]:
    """A shell lets what it starts in the background ignore Ctrl-C, and a program passes that on to those it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_up_keeps_up_and_stops_cleanly(walked: Walked) -> None:
    service, mlflow = stack.free_port(), stack.free_port()
    words = ("up", "--home", str(walked.home.root), "--port", str(service), "--mlflow-port", str(mlflow))
    with walked.hand.starts(*words) as up:
        try:
            for url in (f"http://127.0.0.1:{mlflow}/health", f"http://127.0.0.1:{service}/live"):
                wait_for(url, 200)
            assert newest_practice(walked.home.shelf), "an invented home without practice tables gets some"
            # No model may be promoted yet in this home: then the service lives, and says that it is not ready, and why.
            assert httpx.get(f"http://127.0.0.1:{service}/ready").status_code in (200, 503)
            family = psutil.Process(up.pid).children(recursive=True)
            assert len(family) >= 2
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(90)
        assert up.returncode == 0
    _, survivors = psutil.wait_procs(family, timeout=10)
    assert not survivors
    for port in (service, mlflow):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_stopped_demo_leaves_nothing_running(tmp_path: Path, heeds_interrupts: None) -> None:
    command = [sys.executable, "-m", "infra.haihe", "demo", "--subjects", "1000", "--out", str(tmp_path / "demo")]
    env = {name: value for name, value in os.environ.items() if name != "HAIHE_REAL_DATA"}
    with subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as demo:
        time.sleep(8)
        family = psutil.Process(demo.pid).children(recursive=True)
        os.killpg(demo.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
        demo.wait(60)
        errors = demo.stderr.read().decode() if demo.stderr else ""
    assert demo.returncode == 130, errors
    assert "Traceback" not in errors
    assert not psutil.wait_procs(family, timeout=20)[1]


def test_a_port_that_is_in_use_is_reported(walked: Walked) -> None:
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        port = str(occupied.getsockname()[1])
        hand: Hand = walked.hand
        words = ("up", "--home", str(walked.home.root), "--port", port, "--mlflow-port", port)
        hand.is_refused(*words, code=2, why=f"port {port} is taken")


def wait_for(url: str, status: int) -> None:
    """Wait until the address answers so."""
    limit = time.monotonic() + 240
    while time.monotonic() < limit:
        try:
            if httpx.get(url, timeout=2).status_code == status:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{url} never answered {status}")
