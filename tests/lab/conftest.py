"""One research zone with a running gateway for all tests that do not end it, and a workspace's kernel in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.library import gateway_client
from tests.lab import gate


@pytest.fixture(scope="package")
def house() -> Iterator[gate.House]:
    """A home, its release and projects, and the gateway's process over it."""
    with gate.house(subjects=200) as made, gate.gateway(made):
        yield made


@pytest.fixture
def kernel(house: gate.House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[gate.House]:
    """The environment of alice's kernel in the project on loans: its data and its gateway."""
    monkeypatch.setenv("HAIHE_LAB_DATA", str(house.mounted(tmp_path / "data")))
    monkeypatch.setenv("HAIHE_LAB_GATEWAY", house.open("alice", "loans")["kernel"])
    yield house
    gateway_client.close()
