"""The kernel enforces limits where it can (cgroup v2), and polling where it cannot; both report the memory in use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from infra.hub import preflight as hub_preflight
from infra.sandbox import watchdog
from infra.sandbox.bubblewrap import Limits, Mode
from infra.sandbox.cgroup import Cgroup, available
from infra.sandbox.kernels import inside


def test_a_group_is_given_its_limits_before_anything_is_in_it(tmp_path: Path) -> None:
    """What is written where, on a tree shaped as the kernel's (this machine may have the older version)."""
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids")
    (tmp_path / "haihe").mkdir()
    (tmp_path / "haihe" / "cgroup.controllers").write_text("cpu memory pids")
    limits = Limits(memory=1 << 30, tmp=1 << 20, shm=1 << 20, processes=77)
    group = Cgroup.create("alice--shops", limits, cpus=0.5, root=tmp_path)
    assert group is not None
    values = {
        name: (group.path / name).read_text() for name in ("memory.max", "memory.swap.max", "pids.max", "cpu.max")
    }
    assert values == {
        "memory.max": str((1 << 30) + (2 << 20)),
        "memory.swap.max": "0",
        "pids.max": "77",
        "cpu.max": "50000 100000",
    }
    assert (tmp_path / "haihe" / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    subprocess.run([sys.executable, "-c", "pass"], preexec_fn=group.join, check=True)
    assert (group.path / "cgroup.procs").read_text().isdigit()


def test_without_the_controllers_there_is_no_group(tmp_path: Path) -> None:
    assert not available(tmp_path)
    (tmp_path / "cgroup.controllers").write_text("cpu pids")
    assert Cgroup.create("x", Limits(), root=tmp_path) is None


def test_memory_is_that_of_all_processes_together() -> None:
    code = "import sys, time; block = bytearray(64 << 20); print(1, flush=True); time.sleep(30)"
    family = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for process in family:
            assert process.stdout is not None
            process.stdout.readline()
        used = watchdog.memory(process.pid for process in family)
        assert 128 << 20 <= used < 256 << 20
    finally:
        for process in family:
            process.kill()
            process.communicate()
    assert watchdog.memory([family[0].pid, 0]) == 0, "one that has ended holds nothing"


def test_a_home_is_weighed_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"x" * (1 << 20))
    os.symlink("/usr", tmp_path / "link")
    assert 1 << 20 <= watchdog.disk_usage(tmp_path, most=1 << 40) < 2 << 20


def test_a_kernel_starts_below_the_home_whatever_is_requested(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    os.symlink("/etc", tmp_path / "out")
    expected = {"": "", "work": "/work", "../..": "", "/etc": "", "out": "", "nowhere": "", "work/../..": ""}
    for cwd, place in expected.items():
        assert inside(cwd, tmp_path).removesuffix("/.") == f"/home/lab{place}"


def test_the_preflight_names_what_is_lacking_and_the_fix(monkeypatch: object) -> None:
    checks = hub_preflight.checks(Mode.ROOT)
    assert {each.question for each in checks} >= {"Linux", "a sandbox starts", "the proxy", "limits"}
    for each in checks:
        assert each.result
        assert each.fine or each.fix
