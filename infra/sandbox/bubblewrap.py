"""The command that starts a sandbox: bubblewrap (https://github.com/containers/bubblewrap), setpriv and prlimit.

A pure function from a :class:`Sandbox` to the words of a command. Two modes: ``ROOT``, where each sandbox gets a uid of
its own and needs no user namespace; and ``USER`` on a laptop, where namespaces alone keep sandboxes apart. In neither
does the program inside ever run as the host's uid 0: there ``/proc/sys`` is writable and no limit on processes holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from infra.sandbox.proc_files import covers, own_files

INSIDE_HOME = "/home/lab"
_USER_ID = "1000"  # in a user namespace
_NEEDED = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")  # by setpriv, which then drops them with all others


class Mode(StrEnum):
    """How sandboxes are kept apart on this machine."""

    ROOT = "root"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one sandbox. Bytes, counts and seconds."""

    memory: int = 4 << 30  # of all its processes together (cgroup or watchdog), and of one alone (RLIMIT_DATA)
    processes: int = 256
    files: int = 1024
    file_size: int = 2 << 30
    tmp: int = 512 << 20
    shm: int = 64 << 20
    home: int = 5 << 30  # what a home may hold


@dataclass(frozen=True, slots=True)
class Ids:
    """The uid and gid a sandbox runs as, where we are root."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One sandbox: a program, the files it sees, and its uid. Keys are paths of this machine, values of the sandbox."""

    command: tuple[str, ...]
    mode: Mode
    ids: Ids
    limits: Limits = field(default_factory=Limits)
    readable: Mapping[Path, str] = field(default_factory=dict)
    writable: Mapping[Path, str] = field(default_factory=dict)
    made: Mapping[str, bytes] = field(default_factory=dict)  # small files written into it: its path and content
    cwd: str = INSIDE_HOME
    waits: bool = False  # its program starts when a line arrives at its standard input

    @property
    def all_made(self) -> dict[str, bytes]:
        """The small files with those that stand for the machine's in /proc."""
        return own_files(self.limits.memory) | dict(self.made)


def command(wanted: Sandbox, *, seccomp_fd: int, info_fd: int, file_fds: Mapping[str, int]) -> list[str]:
    """The command that starts a sandbox. ``file_fds`` are readable descriptors of each of :attr:`Sandbox.all_made`."""
    words = ["bwrap", "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    words += ["--unshare-net", "--unshare-cgroup-try", "--hostname", "workspace", "--cap-drop", "ALL"]
    if wanted.mode is Mode.ROOT:
        for capability in _NEEDED:
            words += ["--cap-add", capability]
    else:
        words += ["--unshare-user", "--disable-userns", "--uid", _USER_ID, "--gid", _USER_ID]
    words += ["--seccomp", str(seccomp_fd), "--info-fd", str(info_fd), *_system(file_fds)]
    words += ["--perms", "1777", "--size", str(wanted.limits.tmp), "--tmpfs", "/tmp"]
    words += ["--perms", "1777", "--size", str(wanted.limits.shm), "--tmpfs", "/dev/shm"]
    inside = [*wanted.readable.values(), *wanted.writable.values(), *file_fds]
    for folder in _parents(inside):
        words += ["--perms", "0755", "--dir", folder]
    for source, place in wanted.readable.items():
        words += ["--ro-bind", str(source), place]
    for source, place in wanted.writable.items():
        words += ["--bind", str(source), place]
    for place, fd in file_fds.items():
        words += ["--perms", "0444", "--ro-bind-data", str(fd), place]
    words += ["--remount-ro", "/proc/sys"]
    words += ["--remount-ro", "/", "--chdir", "/", "--"]
    gate = _WAIT if wanted.waits else ()
    return words + _drop(wanted) + _limit(wanted.limits) + [*gate, *_ENTER, wanted.cwd, *wanted.command]


# The shell says that every mount is there, and waits for us.
_WAIT = ("/bin/sh", "-c", 'echo >&0 && read -r go && exec "$@" </dev/null', "wait")
# The folder is entered after the uid is changed: only its owner may enter a home, and the capability to was dropped.
_ENTER = ("/usr/bin/env", "--chdir")


def _system(made: Iterable[str]) -> list[str]:
    """The system's programs and libraries, and none of its state: no /etc, /var, /sys, /run, /root."""
    words = ["--ro-bind", "/usr", "/usr", "--perms", "0755", "--dir", "/etc"]
    for name in ("bin", "sbin", "lib", "lib64"):
        here = Path("/") / name
        if here.is_symlink():
            words += ["--symlink", str(here.readlink()), f"/{name}"]
        elif here.is_dir():
            words += ["--ro-bind", str(here), str(here)]
    for name in ("ld.so.cache", "alternatives", "fonts", "localtime", "mime.types"):
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    words += ["--proc", "/proc", "--dev", "/dev"]
    for kind, place in covers(set(made)):
        if kind == "--tmpfs":
            words += ["--perms", "0555", "--tmpfs", place]
            words += ["--remount-ro", place] if place != "/proc/sys" else []
        else:
            words += ["--ro-bind", kind, place]
    return words


def _parents(places: Iterable[str]) -> list[str]:
    """Every folder on the way to these places: bubblewrap would make them 0700, which another uid cannot enter."""
    folders: dict[str, None] = {}
    for place in places:
        for parent in reversed(PurePosixPath(place).parents):
            if str(parent) not in ("/", "/usr", "/tmp", "/etc", "/proc", "/proc/sys"):
                folders[str(parent)] = None
    return sorted(folders, key=lambda folder: (folder.count("/"), folder))


def _drop(wanted: Sandbox) -> list[str]:
    """Change to the sandbox's uid, and drop every capability for ever."""
    words = ["/usr/bin/setpriv", "--inh-caps=-all", "--no-new-privs"]
    if wanted.mode is Mode.ROOT:
        words += [f"--reuid={wanted.ids.uid}", f"--regid={wanted.ids.gid}", "--clear-groups", "--bounding-set=-all"]
    return [*words, "--"]


def _limit(limits: Limits) -> list[str]:
    """Hard limits of each process, which it cannot raise."""
    return [
        "/usr/bin/prlimit",
        f"--nproc={limits.processes}",
        f"--data={limits.memory}",
        f"--nofile={limits.files}",
        f"--fsize={limits.file_size}",
        "--core=0",
        "--memlock=65536",
        "--",
    ]
