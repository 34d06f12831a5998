"""What a killed run of custody spilled is deleted by the next one, and no folder of a run that lasts is touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from privacy.duckdb_engine import Limits, engine
from privacy.storage.spill import delete_left_over, spill_folder

pytestmark = pytest.mark.attack
SPILL = """
import sys
from pathlib import Path
from privacy.duckdb_engine import Limits, engine
with engine(Limits("100MB", 1, Path(sys.argv[1]))) as run:
    of_text = "SELECT md5(CAST(i AS VARCHAR)) || 'a subject' || i AS x FROM range(4000000) r(i)"
    run.execute("CREATE TEMP TABLE t AS " + of_text)
    print("spilled", file=sys.stderr, flush=True)  # a bar of the engine's may stand in standard output
    sys.stdin.read()
"""


def test_what_a_killed_run_spilled_is_deleted(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SPILL, str(tmp_path)], cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        assert process.stderr.readline() == b"spilled\n"
        assert delete_left_over(tmp_path) == 0  # the run lasts
        process.kill()
    spilled = [path for path in tmp_path.glob("custody-*/*") if path.stat().st_size]
    assert spilled, "the killed run has spilled, or this test shows nothing"
    with engine(Limits("100MB", 1, tmp_path)) as run:
        assert not [path for path in spilled if path.exists()]
        assert run.one("SELECT 1") == 1
    assert not list(tmp_path.iterdir())


def test_links_and_files_of_others_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / ".lock").touch()
    (tmp_path / "custody-link").symlink_to(other)
    (tmp_path / "custody-file").touch()
    (tmp_path / "custody-unlocked").mkdir()
    with spill_folder(tmp_path) as folder:
        assert folder.is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "custody-file", "custody-link", "custody-unlocked", "other",
    ]  # fmt: skip
    assert (other / ".lock").exists()
