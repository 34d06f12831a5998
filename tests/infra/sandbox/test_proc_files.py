"""No file of /proc says anything of the machine that changes, so none carries bits from one project to another."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sys
from pathlib import Path

import pytest

from infra.hub.workspace_files import own_copies
from infra.sandbox.bubblewrap import Ids, Mode, Sandbox
from infra.sandbox.places import installation, system_files
from tests.infra.sandbox.test_sandbox import require, run

pytestmark = pytest.mark.attack

PROBE = """
import json, os
texts, listed = {}, sorted(name for name in os.listdir("/proc") if not name.isdigit())
for top in listed:
    if top in ("self", "thread-self", "net", "mounts"):
        continue
    for folder, _, files in os.walk(f"/proc/{top}") if os.path.isdir(f"/proc/{top}") else [("/proc", [], [top])]:
        for name in files:
            try:
                texts[f"{folder}/{name}"] = open(f"{folder}/{name}").read()
            except OSError:
                pass
        for name in ("written", "x"):
            try:
                open(f"{folder}/{name}", "w")
                texts[f"{folder}/{name}"] = "WRITTEN"
            except OSError:
                pass
print(json.dumps(texts))
"""


def seen(tmp_path: Path) -> dict[str, str]:
    """What a sandbox can read in /proc beside its own processes."""
    ids = Ids(61902, 61902)
    tmp_path.mkdir(exist_ok=True)
    os.chown(tmp_path, ids.uid, ids.gid)
    wanted = Sandbox(
        (sys.executable, "-I", "-c", PROBE),
        Mode.ROOT,
        ids,
        readable=installation(),
        writable={tmp_path: "/home/lab"},
        made=system_files(ids.uid, ids.gid),
    )
    texts: dict[str, str] = json.loads(asyncio.run(run(wanted)))
    return texts


def test_what_is_read_in_proc_does_not_change_with_what_others_do(tmp_path: Path) -> None:
    """Between two looks another takes locks, memory, files, sockets and time of the processor."""
    require(Mode.ROOT)
    first = seen(tmp_path / "home")
    locked = (tmp_path / "locked").open("w")
    fcntl.flock(locked, fcntl.LOCK_EX)
    block, pipes = bytearray(64 << 20), [os.pipe() for _ in range(200)]
    block[::4096] = b"x" * len(block[::4096])
    second = seen(tmp_path / "home")
    for pair in pipes:
        os.close(pair[0])
        os.close(pair[1])
    locked.close()
    assert first == second
    assert not {name for name, text in first.items() if text == "WRITTEN"}
    for name in ("locks", "kallsyms", "pressure/cpu", "interrupts", "sys/fs/file-nr", "sys/fs/inode-nr", "keys"):
        assert f"/proc/{name}" not in first
    assert "MemTotal" in first["/proc/meminfo"]


def test_two_workspaces_have_no_file_of_practice_tables_in_common(tmp_path: Path) -> None:
    """A lock that one of them takes is none for the other."""
    table = tmp_path / "shelf" / "loans"
    table.mkdir(parents=True)
    (table / "bucket-000.parquet").write_bytes(b"rows")
    manifest = tmp_path / "shelf" / "manifest.json"
    manifest.write_text("{}")
    files = {manifest: "manifest.json", table: "loans"}
    own = own_copies(files, tmp_path / "alice")
    own_copies(files, tmp_path / "bob")
    assert sorted(own.values()) == sorted(files.values())
    for place in ("manifest.json", "loans/bucket-000.parquet"):
        with (tmp_path / "alice" / place).open() as first, (tmp_path / "bob" / place).open() as others:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(others, fcntl.LOCK_EX | fcntl.LOCK_NB)
            assert os.fstat(first.fileno()).st_ino != os.fstat(others.fileno()).st_ino
    assert own_copies(files, tmp_path / "alice") == own, "a workspace that starts again has them again"
