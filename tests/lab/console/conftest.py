"""A research zone with a real hub and console for tests with a login, and an empty one for tests without."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from credit.ledger import Ledger
from credit.shelf import Shelf
from lab.console.app import create_app
from lab.console.settings import HubSettings
from tests.lab.console.made_answers import some_answers
from tests.lab.console.made_versions import MadeVersions, some_versions
from tests.lab.console.servers import PREFIX, Servers, running_servers, served
from tests.lab.console.zone import Zone


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    root = tmp_path_factory.mktemp("console")
    zone = Zone.make(root)
    zone.release()
    zone.some_projects()
    zone.some_orders()
    zone.some_scores()
    shelf, key = Shelf(zone.settings.shelf, zone.ring), zone.keys["compute"]
    some_answers(Ledger(zone.settings.compute_ledger, key, zone.ring, "compute"), shelf, key)
    zone.some_cells(("lab.catalogue()", "lab.sql('select count(*) from registration')"))
    zone.parcels.update(zone.some_parcels())
    with running_servers(zone, root) as started:
        yield started


@pytest.fixture(scope="session")
def versions(servers: Servers) -> MadeVersions:
    """Versions of a model in every state, for the pages of models."""
    return some_versions(servers.zone)


def console_of(zone: Zone) -> FastAPI:
    """A console whose hub does not answer, for tests without a login."""
    nowhere = "http://127.0.0.1:9"
    return create_app(zone.settings, HubSettings(secrets.token_hex(16), f"{nowhere}/hub/api", nowhere, PREFIX))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Zone:
    return Zone.make(tmp_path_factory.mktemp("bare"), people={})


@pytest.fixture(scope="module")
def app(bare: Zone) -> FastAPI:
    return console_of(bare)


@pytest.fixture(scope="module")
def anonymous(app: FastAPI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with served(app, tmp_path_factory.mktemp("socket") / "s") as client:
        yield client
