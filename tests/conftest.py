"""What several zones' tests share: keys, a shelf, a ledger, and real servers started once for a whole run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credit.keys import KeyRing, SigningKey
from credit.shelf import Shelf

if TYPE_CHECKING:
    from models.cluster import Tasks

ZONES = ("custody", "research", "compute", "platform", "service")
START_SECONDS = 90


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SigningKey]:
    folder = tmp_path_factory.mktemp("keys")
    return {zone: SigningKey.create(folder, zone) for zone in ZONES}


@pytest.fixture(scope="session")
def ring(keys: dict[str, SigningKey]) -> KeyRing:
    return KeyRing.of(*keys.values())


@pytest.fixture
def shelf(tmp_path: Path, ring: KeyRing) -> Shelf:
    return Shelf(tmp_path / "shelf", ring)


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Tasks]:
    """A real local Ray cluster."""
    from models.cluster import cluster

    with cluster(cpus=2) as started:
        yield started


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server on SQLite and a folder."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uri = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    env = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder, start_new_session=True)
        try:
            _await(f"{uri}/health", process)
            yield uri
        finally:
            os.killpg(process.pid, 15)
            process.wait(30)


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, "the MLflow server ended"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError("the MLflow server did not start")
