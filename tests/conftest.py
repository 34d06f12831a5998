"""What several zones' tests share: keys, a shelf, a ledger, and real servers started once for a whole run."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from credit.keys import KeyRing, SigningKey
from credit.shelf import Shelf
from infra import stack
from infra.home import Home

if TYPE_CHECKING:
    from models.distributed.ray_cluster import Tasks

# A test measures what holds, never how long it takes: machines are noisy, and speeds are figures of the bench.
# And a run says the same of the same code, today and in CI; new examples are looked for by `make fuzz`.
settings.register_profile("same", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("new", deadline=None, derandomize=False, max_examples=300, print_blob=True)
settings.load_profile("same")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """By folders with `--dist loadscope`, and as xdist does with every other word."""
    if config.getoption("dist") == "loadscope":
        from tests.scheduling import FolderScheduling

        return FolderScheduling(config, log)
    return None


def pytest_collection_finish() -> None:
    """What is imported by now stays to the end: the collector of garbage need not look at all of it again and again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """At the end it looks at all again: libraries count what they think is lost."""
    gc.unfreeze()


gc.set_threshold(10_000, 20, 20)
ZONES = ("custody", "research", "compute", "platform", "service")


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
    from models.distributed.ray_cluster import cluster

    with cluster(cpus=2) as started:
        yield started


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server on SQLite and a folder."""
    with stack.mlflow_server(Home(tmp_path_factory.mktemp("mlflow"))) as uri:
        yield uri
