"""Can this machine shut a workspace in? Each question, what is lacking, and how to mend it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from credit.errors import CreditError, Refused
from infra.hub.proxy import command as proxy_command
from infra.sandbox import cgroup
from infra.sandbox.bubblewrap import Mode
from infra.sandbox.seccomp import program


@dataclass(frozen=True, slots=True)
class Answer:
    """One question: fine or not, what was found, and the fix. ``needed`` is False for what only makes it better."""

    question: str
    fine: bool
    found: str
    fix: str = ""
    needed: bool = True


def preflight(mode: Mode) -> list[Answer]:
    """Every question, in the order in which to mend."""
    questions: tuple[Callable[[Mode], Answer], ...] = (_linux, _programs, _shut_in, _calls, _python, _proxy, _limits)
    return [question(mode) for question in questions]


def require(mode: Mode) -> None:
    """Raise :class:`Refused` with the first thing that is lacking: without a sandbox no workspace starts."""
    for answer in preflight(mode):
        if answer.needed and not answer.fine:
            raise Refused(
                "preflight.machine-cannot-shut-workspace-in",
                why=answer.found,
                remedy=answer.fix,
                question=answer.question,
            )


def mode_here() -> Mode:
    """Root has a uid for each workspace; anyone else has namespaces alone."""
    return Mode.ROOT if os.getuid() == 0 else Mode.USER


def _linux(mode: Mode) -> Answer:
    return Answer("Linux", platform.system() == "Linux", f"{platform.system()} {platform.release()}", "Run it on Linux")


def _programs(mode: Mode) -> Answer:
    lacking = [name for name in ("bwrap", "setpriv", "prlimit") if shutil.which(name) is None]
    return Answer(
        "bubblewrap, setpriv and prlimit",
        not lacking,
        f"not installed: {', '.join(lacking)}" if lacking else _version("bwrap"),
        "apt-get install bubblewrap util-linux",
    )


def _shut_in(mode: Mode) -> Answer:
    """Really make the namespaces, once."""
    words = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--ro-bind", "/", "/"]
    if mode is Mode.USER:
        words += ["--unshare-user", "--disable-userns"]
    try:
        done = subprocess.run(
            [*words, "--proc", "/proc", "--dev", "/dev", "true"], capture_output=True, text=True, timeout=20
        )
        found = done.stderr.strip().splitlines()[-1:] or ["namespaces of its own"]
        return Answer("a sandbox starts", done.returncode == 0, found[0], _why_not(found[0], mode))
    except (OSError, subprocess.TimeoutExpired) as error:
        return Answer("a sandbox starts", False, type(error).__name__, "apt-get install bubblewrap")


def _why_not(said: str, mode: Mode) -> str:
    if mode is Mode.ROOT:
        return "In a container without the right to mount, workspaces cannot run: use a machine, or a cluster"
    if "uid map" in said or "RTM_NEWADDR" in said:
        return (
            "Ubuntu forbids user namespaces to programs: apt-get install apparmor-profiles, copy "
            "/usr/share/apparmor/extra-profiles/bwrap-userns-restrict to /etc/apparmor.d/ and load it with "
            "apparmor_parser -r; or run the lab as root"
        )
    return "Allow user namespaces (sysctl user.max_user_namespaces), or run the lab as root"


def _calls(mode: Mode) -> Answer:
    try:
        return Answer("a list of system calls", True, f"{platform.machine()}, {len(program()) // 8} instructions")
    except CreditError as error:
        return Answer("a list of system calls", False, error.why, error.remedy)


def _python(mode: Mode) -> Answer:
    """Without root, a sandbox reads Python as the user it is; with root, folders are shown to it whatever they are."""
    base = Path(sys.base_prefix)
    fine = mode is Mode.ROOT or os.access(base / "bin", os.R_OK | os.X_OK)
    return Answer("a Python that a workspace can read", fine, str(base), "Use a Python outside another user's home")


def _proxy(mode: Mode) -> Answer:
    lacking = [word for word in proxy_command() if not Path(word).exists()]
    return Answer(
        "the proxy", not lacking, "installed" if not lacking else f"{len(lacking)} files are not there", "make install"
    )


def _limits(mode: Mode) -> Answer:
    kernel = cgroup.available()
    found = (
        "cgroup v2: the kernel holds memory and processes" if kernel else "a watchdog: memory is looked at every second"
    )
    return Answer("limits", kernel, found, "Boot with cgroup v2 for limits that the kernel holds", needed=False)


def _version(name: str) -> str:
    try:
        return subprocess.run([name, "--version"], capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return "installed"
