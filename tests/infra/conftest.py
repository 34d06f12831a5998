"""What several rooms share: one real home a session, copied for every test that repairs in it, and one real hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.infra.repair_home import RepairHome
    from tests.infra.running_hub import RunningHub


@pytest.fixture(scope="session")
def repair_template(tmp_path_factory: pytest.TempPathFactory) -> RepairHome:
    from tests.infra.repair_home import make

    return make(tmp_path_factory.mktemp("repairs") / "home")


@pytest.fixture
def repair_home(repair_template: RepairHome, tmp_path: Path) -> RepairHome:
    from tests.infra.repair_home import copied

    return copied(repair_template, tmp_path)


@pytest.fixture(scope="session")
def running_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A real hub over a home with people; stopped at the end of the run."""
    from infra.home import Home
    from tests.infra.running_hub import hub_of

    with hub_of(Home(tmp_path_factory.mktemp("hub") / "home")) as started:
        yield started
