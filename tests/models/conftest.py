"""One fitted version and one town, made once and copied where a test changes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credit.keys import KeyRing, SigningKey
from models.dataset.sample import Sample
from models.distributed.ray_cluster import in_process
from models.registry import version
from models.training.fit import VersionContent, fit
from tests.models import invented

if TYPE_CHECKING:
    from tests.models.town import Town


@pytest.fixture(scope="session")
def sample() -> Sample:
    return invented.sample()


@pytest.fixture(scope="session")
def fitted(sample: Sample) -> VersionContent:
    return fit(invented.declaration(), sample, in_process(), order=f"order-{'0' * 64}", release=f"release-{'1' * 64}")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, fitted: VersionContent, sample: Sample) -> Path:
    path = tmp_path_factory.mktemp("version")
    version.write_version(
        path,
        text=fitted.text,
        scorecard=fitted.scorecard,
        sql="SELECT 1",
        features=sample.features,
        evidence=fitted.evidence,
        leaves=fitted.leaves,
    )
    return path


@pytest.fixture(scope="session")
def first_town(tmp_path_factory: pytest.TempPathFactory, keys: dict[str, SigningKey], ring: KeyRing) -> Town:
    """A town that is copied and never changed."""
    from tests.models.town import Town

    return Town(tmp_path_factory.mktemp("town"), keys, ring)


@pytest.fixture(scope="module")
def town(first_town: Town, tmp_path_factory: pytest.TempPathFactory) -> Town:
    """The town of one file of tests."""
    return first_town.copied(tmp_path_factory.mktemp("town"))
