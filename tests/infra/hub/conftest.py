"""One hub for all tests of signing in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infra.hub.sign_in_hub import SignInHub, running_sign_in_hub


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignInHub]:
    """A real hub with our authenticator and our pages."""
    with running_sign_in_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running
