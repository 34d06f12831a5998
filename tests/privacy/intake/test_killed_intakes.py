"""An intake that is killed at any moment is run again, and leaves what one that was not killed leaves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.privacy.small_custody import House, code, empty_house, house_of, register_of

ROOT = Path(__file__).parents[3]
HEAD = "CODE,DOCUMENT,DAY,KNOWN,UNTIL,FINE,SEVERITY,STATE,NOTE\n"
FIRST = HEAD + "".join(f"{code(n)},D{n},202{n % 4}-03-01,2024-03-05,,1,minor,normal,\n" for n in range(9))
LATER = (
    HEAD
    + "".join(  # three that replace, three that are new, one that is there already, two that are rejected
        f"{code(n)},D{n + 6},202{(n + 6) % 4}-03-01,2024-04-05,,{n},minor,normal,\n"
        if n < 3
        else f"{code(n)},N{n},2025-03-01,2025-04-05,,{n},minor,normal,\n"
        for n in range(6)
    )
    + FIRST.splitlines()[1]
    + f"\n{code(1)},BAD,someday,,,1,minor,normal,\n{code(1)},BAD2,2024-01-01,,,-1,minor,normal,\n"
)
KILLED = """
    import os, signal, sys
    from pathlib import Path
    from tests.privacy.small_custody import house_of
    left, sync = int(sys.argv[2]), os.fsync
    def sync_or_die(descriptor):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(descriptor)
    os.fsync = sync_or_die
    house = house_of(Path(sys.argv[1]))
    house.bring_paths(sorted((house.root / "later").iterdir()))
"""


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A custody zone with a first delivery, and the files of a second one."""
    house = empty_house(tmp_path_factory.mktemp("begun"))
    house.bring(registration=register_of(9), administrative_penalty=FIRST)
    later = house.root / "later"
    later.mkdir()
    (later / "administrative_penalty.csv").write_text(LATER, encoding="utf-8")
    (later / "registration.csv").write_text(register_of(12), encoding="utf-8")
    return house


def content(house: House) -> dict[str, Any]:
    """Every row of every table, and how many intakes the ledger has."""
    tables = {name: sorted(map(str, house.vault.read(name).to_pylist())) for name in house.vault.names()}
    return tables | {"entries": sum(entry.verb == "intake.accepted" for entry in house.ledger.entries())}


def copied(house: House, root: Path) -> House:
    shutil.copytree(house.root, root, dirs_exist_ok=True)
    return house_of(root)


@pytest.mark.parametrize("syncs", range(0, 40, 3))
def test_it_is_killed_before_any_write_is_durable_and_run_again(begun: House, tmp_path: Path, syncs: int) -> None:
    whole, house = copied(begun, tmp_path / "whole"), copied(begun, tmp_path / "killed")
    whole.bring_paths(sorted((whole.root / "later").iterdir()))
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(house.root), str(syncs)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode in (-signal.SIGKILL, 0)
    again = house.bring_paths(sorted((house.root / "later").iterdir()))
    assert again.rows_in == again.kept + again.duplicates + again.quarantined
    assert content(house) == content(whole)
    assert not house.bring_paths(sorted((house.root / "later").iterdir())).changed
