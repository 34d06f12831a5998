"""One fitted version, made once and copied where a test changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from models import version
from models.cluster import in_process
from models.fit import Fitted, fit
from models.sample import Sample
from tests.models import invented


@pytest.fixture(scope="session")
def sample() -> Sample:
    return invented.sample()


@pytest.fixture(scope="session")
def fitted(sample: Sample) -> Fitted:
    return fit(invented.declaration(), sample, in_process(), order=f"order-{'0' * 64}", release=f"release-{'1' * 64}")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, fitted: Fitted, sample: Sample) -> Path:
    path = tmp_path_factory.mktemp("version")
    version.write(
        path, text=fitted.text, told=fitted.told, sql="SELECT 1", features=sample.features, evidence=fitted.evidence
    )
    return path
