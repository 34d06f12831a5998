"""The files of this installation that a sandbox sees: its Python, the environment and our packages, nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.sandbox.bubblewrap import INSIDE_HOME
from infra.sandbox.plan import base_environment

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("credit", "lab", "models", "privacy")  # what `import lab` and the sealed server are made of
COMMANDS = ROOT / "lab" / "kernel" / "commands"  # what answers for pip
CHINESE_PLOTS = {  # matplotlib takes its settings from this file, and fonts from the folder `fonts` in this one
    "MATPLOTLIBRC": str(ROOT / "lab" / "kernel" / "matplotlibrc"),
    "XDG_DATA_HOME": str(ROOT / ".tools" / "share"),  # made by `make install`
}
_USER = f"lab:x:{{uid}}:{{gid}}:researcher:{INSIDE_HOME}:/bin/bash\n"


def installation() -> dict[Path, str]:
    """The folders to mount read-only, at the same paths, as scripts and compiled files contain their own path."""
    prefix, base = Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()
    folders = [prefix, *([base] if not base.is_relative_to("/usr") else []), *(ROOT / name for name in PACKAGES)]
    fonts = Path(CHINESE_PLOTS["XDG_DATA_HOME"])
    return {folder: str(folder) for folder in (*folders, *([fonts] if fonts.is_dir() else []))}


def system_files(uid: int, gid: int) -> dict[str, bytes]:
    """The few files that libraries look for in /etc."""
    return {
        "/etc/passwd": _USER.format(uid=uid, gid=gid).encode(),
        "/etc/group": f"lab:x:{gid}:\n".encode(),
        "/etc/hosts": b"127.0.0.1 localhost workspace\n::1 localhost\n",
        "/etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files\n",
    }


def kernel_environment(language: str) -> dict[str, str]:
    """The environment of a kernel, for a person's language."""
    base = base_environment(language)
    own = {"HOME": INSIDE_HOME, "IPYTHONDIR": "/tmp/ipython", "MPLCONFIGDIR": "/tmp/matplotlib"}
    return base | CHINESE_PLOTS | own | {"PATH": f"{COMMANDS}:{base['PATH']}"}
