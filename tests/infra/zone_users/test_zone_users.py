"""Each zone runs as a user of its own that cannot read another's keys, and the whole journey works: see ``inside``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

INSIDE = Path(__file__).with_name("inside.py")
ROOT = Path(__file__).parents[3]
# Where other users may not enter the folder of the interpreter, a mount namespace of the test's own lets them: $2 is
# the closed folder, and $3 is what other users need in it.
OPENED = """
mkdir -p "$1" && mount --bind "$3" "$1" && mount -t tmpfs -o mode=755 tmpfs "$2" && mkdir -p "$3" &&
mount --bind "$1" "$3" && shift 3 && exec "$@"
"""


def closed_folder(path: Path) -> list[Path]:
    """The first folder on the way to a file that other users may not enter, and the one below it; empty for none."""
    way = [*reversed(path.resolve().parents)]
    return next((way[at : at + 2] for at, folder in enumerate(way) if not folder.stat().st_mode & 0o001), [])


@pytest.mark.servers
@pytest.mark.attack
@pytest.mark.skipif(os.getuid() != 0, reason="only root starts processes as other users")
def test_each_zone_runs_as_its_own_user_and_the_whole_journey_works(tmp_path: Path) -> None:
    """From intake to a bank's score and a repair, with seven attacks of each zone's user on the others."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", str(INSIDE)]
    if closed := closed_folder(Path(sys.executable)):
        namespace = ["unshare", "--mount", "--propagation", "private", "sh", "-c", OPENED, "sh", str(tmp_path / "py")]
        command = [*namespace, *map(str, closed), *command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
