"""One research zone with a running gateway for all tests that do not end it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import gate


@pytest.fixture(scope="package")
def house() -> Iterator[gate.House]:
    """A home, its release and projects, and the gateway's process over it."""
    with gate.house() as made, gate.gateway(made):
        yield made
