"""One real home a session, copied for every test that repairs in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.infra.repair_home import RepairHome


@pytest.fixture(scope="session")
def repair_template(tmp_path_factory: pytest.TempPathFactory) -> RepairHome:
    from tests.infra.repair_home import make

    return make(tmp_path_factory.mktemp("repairs") / "home")


@pytest.fixture
def repair_home(repair_template: RepairHome, tmp_path: Path) -> RepairHome:
    from tests.infra.repair_home import copied

    return copied(repair_template, tmp_path)
