"""One research zone with a running gateway for all tests that do not stop it, and the environment of a kernel in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.library import gateway_client
from tests.lab import running_gateway


@pytest.fixture(scope="package")
def house() -> Iterator[running_gateway.House]:
    """A home with a release and projects, and a gateway process for it."""
    with running_gateway.house(subjects=200) as made, running_gateway.gateway(made):
        yield made


@pytest.fixture
def kernel(
    house: running_gateway.House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[running_gateway.House]:
    """The environment of alice's kernel in the project on loans: its data and its gateway."""
    monkeypatch.setenv("HAIHE_LAB_DATA", str(house.mounted(tmp_path / "data")))
    monkeypatch.setenv("HAIHE_LAB_GATEWAY", house.open("alice", "loans")["kernel"])
    yield house
    gateway_client.close()
