"""Whether this machine can isolate a workspace: one check per requirement, with its result and the fix."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from credit.errors import CreditError
from infra.sandbox import cgroup
from infra.sandbox.bubblewrap import Mode
from infra.sandbox.monitor.fanotify import sees_mappings
from infra.sandbox.seccomp import program


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement: whether it is met, the result, and the fix. ``needed`` is False for an improvement only."""

    question: str
    fine: bool
    result: str
    fix: str = ""
    needed: bool = True


def checks(mode: Mode) -> list[Check]:
    """Every check of the sandbox, in the order in which failures should be corrected."""
    every: tuple[Callable[[Mode], Check], ...] = (_linux, _programs, _namespaces, _calls, _python, _limits, _reads)
    return [check(mode) for check in every]


def mode_here() -> Mode:
    """Root has a uid for each workspace; anyone else has namespaces alone."""
    return Mode.ROOT if os.getuid() == 0 else Mode.USER


def _linux(mode: Mode) -> Check:
    return Check("Linux", platform.system() == "Linux", f"{platform.system()} {platform.release()}", "Run it on Linux")


def _programs(mode: Mode) -> Check:
    lacking = [name for name in ("bwrap", "setpriv", "prlimit") if shutil.which(name) is None]
    return Check(
        "bubblewrap, setpriv and prlimit",
        not lacking,
        f"not installed: {', '.join(lacking)}" if lacking else _version("bwrap"),
        "apt-get install bubblewrap util-linux",
    )


def _namespaces(mode: Mode) -> Check:
    """Create the namespaces once."""
    words = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--ro-bind", "/", "/"]
    if mode is Mode.USER:
        words += ["--unshare-user", "--disable-userns"]
    try:
        done = subprocess.run(
            [*words, "--proc", "/proc", "--dev", "/dev", "true"], capture_output=True, text=True, timeout=20
        )
        lines = done.stderr.strip().splitlines()[-1:] or ["namespaces of its own"]
        return Check("a sandbox starts", done.returncode == 0, lines[0], _why_not(lines[0], mode))
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("a sandbox starts", False, type(error).__name__, "apt-get install bubblewrap")


def _why_not(message: str, mode: Mode) -> str:
    if mode is Mode.ROOT:
        return "In a container without the right to mount, workspaces cannot run: use a machine, or a cluster"
    if "uid map" in message or "RTM_NEWADDR" in message:
        return (
            "Ubuntu forbids user namespaces to programs: apt-get install apparmor-profiles, copy "
            "/usr/share/apparmor/extra-profiles/bwrap-userns-restrict to /etc/apparmor.d/ and load it with "
            "apparmor_parser -r; or run the lab as root"
        )
    return "Allow user namespaces (sysctl user.max_user_namespaces), or run the lab as root"


def _calls(mode: Mode) -> Check:
    try:
        return Check("a list of system calls", True, f"{platform.machine()}, {len(program()) // 8} instructions")
    except CreditError as error:
        return Check("a list of system calls", False, error.why, error.remedy)


def _python(mode: Mode) -> Check:
    """Without root, a sandbox reads Python as this user; with root, every folder can be mounted for it."""
    base = Path(sys.base_prefix)
    fine = mode is Mode.ROOT or os.access(base / "bin", os.R_OK | os.X_OK)
    return Check("a Python that a workspace can read", fine, str(base), "Use a Python outside another user's home")


def _limits(mode: Mode) -> Check:
    kernel = cgroup.available()
    result = (
        "cgroup v2: the kernel holds memory and processes" if kernel else "a watchdog: memory is looked at every second"
    )
    return Check("limits", kernel, result, "Boot with cgroup v2 for limits that the kernel holds", needed=False)


def _reads(mode: Mode) -> Check:
    """Whether the machine itself says what kernels read."""
    mappings = sees_mappings() if mode is Mode.ROOT else None
    if mappings is None:
        result = "no monitor (fanotify): the ledger has what a kernel says itself, and no file of the home"
        return Check("reads are recorded by the machine", False, result, "Run the lab as root on Linux", needed=False)
    result = (
        "every opening, reading and mapping of a file"
        if mappings
        else "every opening and reading; of a file that stays open, a later mapping into memory is not seen"
    )
    return Check("reads are recorded by the machine", mappings, result, "Use Linux 6.14 or later", needed=False)


def _version(name: str) -> str:
    try:
        return subprocess.run([name, "--version"], capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return "installed"
