"""A sandbox really shuts in: tried with a probe in it, as root with a uid of its own and as an ordinary user."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from credit.errors import Refused
from infra.sandbox.bubblewrap import Ids, Limits, Mode, Sandbox, command
from infra.sandbox.places import installation, system_files
from infra.sandbox.seccomp import DENIED, program
from infra.sandbox.start import Running, start

PROBE = """
import json, os, socket, subprocess
report = {"uid": os.getuid(), "groups": os.getgroups(), "cwd": os.getcwd(), "pids": [p for p in os.listdir("/proc") if p.isdigit()]}
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
report["caps"] = {name: status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
report["locked"] = [status["NoNewPrivs"].strip(), status["Seccomp"].strip()]
def tries(act):
    try:
        act()
        return "done"
    except OSError as error:
        return error.errno
report["network"] = tries(lambda: socket.create_connection(("1.1.1.1", 53), 2))
report["vsock"] = tries(lambda: socket.socket(40, socket.SOCK_STREAM))
report["usr"] = tries(lambda: open("/usr/x", "w"))
report["root"] = tries(lambda: open("/x", "w"))
report["sysctl"] = tries(lambda: open("/proc/sys/kernel/hostname", "w").write("x"))
report["unshare"] = subprocess.run(["unshare", "-U", "true"], capture_output=True).returncode
report["home"] = tries(lambda: open("kept", "w").write("x"))
print(json.dumps(report))
"""


def require(mode: Mode) -> None:
    if shutil.which("bwrap") is None or os.getuid() != 0:
        if os.environ.get("HAIHE_SKIP_SANDBOX") == "1":
            pytest.skip("no bubblewrap here, or not root")
        pytest.fail("these tests need bubblewrap and root; set HAIHE_SKIP_SANDBOX=1 to leave them out")


def home(tmp_path: Path, ids: Ids) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    os.chown(folder, ids.uid, ids.gid)
    folder.chmod(0o2770)
    return folder


async def run(wanted: Sandbox) -> str:
    running = await start(wanted, env={"PATH": "/usr/bin:/bin"})
    await running.process.wait()
    await running.drain
    return running.output.content.decode()


def test_as_root_a_program_has_a_uid_of_its_own_and_nothing_else(tmp_path: Path) -> None:
    require(Mode.ROOT)
    ids = Ids(61900, 61900)
    folder = home(tmp_path, ids)
    probe = (sys.executable, "-I", "-c", PROBE)
    wanted = Sandbox(
        probe, Mode.ROOT, ids, readable=installation(), writable={folder: "/home/lab"}, made=system_files(61900, 61900)
    )
    report = json.loads(asyncio.run(run(wanted)))
    assert (report["uid"], report["groups"], report["cwd"]) == (61900, [], "/home/lab")
    assert all(set(value) == {"0"} for value in report["caps"].values()), report["caps"]
    assert report["locked"] == ["1", "2"]
    assert report["network"] == 101
    assert report["vsock"] == 97
    assert {report["usr"], report["root"]} <= {13, 30}
    assert report["sysctl"] in (2, 13, 30)
    assert report["unshare"] != 0
    assert report["home"] == "done"
    assert len(report["pids"]) <= 3
    assert (folder / "kept").stat().st_uid == 61900


def test_an_ordinary_user_can_shut_in_as_well(tmp_path: Path) -> None:
    """The same words, run as a user without any right, with the system's Python, which that user can read."""
    require(Mode.USER)
    python = "/usr/bin/python3"
    if not Path(python).exists():
        pytest.skip("this machine has no Python of its own that another user can read")
    folder = tmp_path / "home"
    folder.mkdir()
    for parent in (folder, *folder.parents):
        if parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    os.chown(folder, 61901, 61901)
    wanted = Sandbox((python, "-I", "-c", PROBE), Mode.USER, Ids(61901, 61901), writable={folder: "/home/lab"})
    read, write = os.pipe()
    os.write(write, program())
    os.close(write)
    info_read, info_write = os.pipe()
    words = command(wanted, seccomp_fd=read, info_fd=info_write, file_fds={})
    as_user = ["setpriv", "--reuid=61901", "--regid=61901", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
    done = subprocess.run(
        [*as_user, *words], pass_fds=(read, info_write), capture_output=True, text=True, cwd="/", timeout=60
    )
    for fd in (read, info_read, info_write):
        os.close(fd)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["uid"] == 1000
    assert all(set(value) == {"0"} for value in report["caps"].values())
    assert (report["network"], report["vsock"], report["home"]) == (101, 97, "done")
    assert report["unshare"] != 0
    assert report["sysctl"] in (2, 13, 30)


def test_a_sandbox_that_cannot_be_made_runs_nothing_and_reports_why(tmp_path: Path) -> None:
    """It fails closed: what cannot be mounted is not left out, and the program is not started without it."""
    require(Mode.ROOT)
    lost = Sandbox(("/usr/bin/echo", "RAN"), Mode.ROOT, Ids(61900, 61900), readable={tmp_path / "nowhere": "/data"})
    output = asyncio.run(run(lost))
    assert "RAN" not in output
    assert "nowhere" in output


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    require(Mode.ROOT)
    ids = Ids(61900, 61900)
    folder = home(tmp_path, ids)
    code = f"""
import asyncio, sys
from pathlib import Path
from infra.sandbox.bubblewrap import *
from infra.sandbox.start import start
async def main():
    wanted = Sandbox(("/usr/bin/sh", "-c", "sleep 301 & sleep 302"), Mode.ROOT, Ids(61900, 61900), writable={{Path({str(folder)!r}): "/home/lab"}})
    running = await start(wanted, env={{"PATH": "/usr/bin:/bin"}})
    await asyncio.sleep(0.5)
    print(running.family(), flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    root = str(Path(__file__).parents[3])
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) as supervisor:
        assert supervisor.stdout is not None
        family = json.loads(supervisor.stdout.readline())
        assert len(family) >= 3
        supervisor.send_signal(signal.SIGKILL)
        supervisor.wait()
    assert not left(family)


def test_a_sandbox_is_stopped_whole(tmp_path: Path) -> None:
    require(Mode.ROOT)

    async def stopped() -> tuple[list[int], Running]:
        folder = home(tmp_path, Ids(61900, 61900))
        script = "trap '' TERM; sleep 300 & sleep 300"
        wanted = Sandbox(("/usr/bin/sh", "-c", script), Mode.ROOT, Ids(61900, 61900), writable={folder: "/home/lab"})
        running = await start(wanted, env={"PATH": "/usr/bin:/bin"})
        await asyncio.sleep(0.5)
        family = running.family()
        await running.stop(grace=0.5)
        return family, running

    family, running = asyncio.run(stopped())
    assert not running.is_running
    assert not left(family)


def test_the_words_never_hold_what_the_environment_does() -> None:
    """Arguments can be read by every user of the machine: an environment cannot."""
    wanted = Sandbox(("/usr/bin/true",), Mode.ROOT, Ids(61000, 61000))
    words = command(wanted, seccomp_fd=3, info_fd=4, file_fds={})
    assert "--setenv" not in words
    assert words[words.index("--cap-drop") + 1] == "ALL"
    for needed in (
        "--unshare-net",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--die-with-parent",
        "--new-session",
        "--seccomp",
    ):
        assert needed in words


@pytest.mark.parametrize("mode", Mode)
def test_no_mode_runs_anything_as_the_machines_root(mode: Mode) -> None:
    words = command(Sandbox(("/usr/bin/true",), mode, Ids(61000, 61000)), seccomp_fd=3, info_fd=4, file_fds={})
    if mode is Mode.ROOT:
        assert "--reuid=61000" in words
        assert "--bounding-set=-all" in words
    else:
        assert "--unshare-user" in words
        assert words[words.index("--uid") + 1] == "1000"


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_denies_each_call_on_each_machine(machine: str) -> None:
    """Each instruction is eight bytes; each denied number stands in a comparison; jumps stay inside the program."""
    code = program(machine)
    assert len(code) % 8 == 0
    steps = [
        (
            int.from_bytes(code[at : at + 2], "little"),
            code[at + 2],
            code[at + 3],
            int.from_bytes(code[at + 4 : at + 8], "little"),
        )
        for at in range(0, len(code), 8)
    ]
    assert len(steps) < 4096, "the kernel takes no more"
    compared = {k for op, _, _, k in steps if op == 0x15}
    column = 0 if machine == "x86_64" else 1
    assert {numbers[column] for numbers in DENIED.values()} - {None} <= compared
    for at, (op, yes, no, _) in enumerate(steps):
        if op & 0x07 == 0x05:
            assert at + 1 + max(yes, no) < len(steps)
    assert steps[-1] == (0x06, 0, 0, 0x7FFF0000)


def test_an_unknown_machine_gets_no_sandbox() -> None:
    with pytest.raises(Refused, match="riscv64"):
        program("riscv64")
    assert platform.machine() in ("x86_64", "aarch64")


def left(family: list[int]) -> list[int]:
    """Who of these still runs, a moment later: what was killed takes one to be gone."""
    limit = time.monotonic() + 5
    while time.monotonic() < limit and any(_runs(pid) for pid in family):
        time.sleep(0.05)
    return [pid for pid in family if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


assert Limits().memory > 0
