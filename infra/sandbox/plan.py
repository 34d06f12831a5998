"""The plan of a workspace before it starts: its uids, its folders, the data it sees, how long it lasts."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.sandbox.bubblewrap import Ids, Limits, Mode

ROWS = "rows"  # the folder below /data to which files are added while a workspace runs


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one workspace. ``data`` maps a folder of this machine to its name below /data."""

    name: str
    mode: Mode
    server: Ids
    kernel: Ids
    home: Path
    run: Path  # <run>/ws/<name>: its sockets
    data: Mapping[Path, str]
    seconds: float  # it ends after these
    limits: Limits = field(default_factory=Limits)
    kernels: int = 4  # at most, at once
    practice: str = ""  # the seal of the practice tables in ``data``; empty where there are none
    language: str = "en"  # of the person who works there: en or zh

    @property
    def state(self) -> Path:
        """The folder of the server's own files beside the home; no kernel sees it."""
        return self.home.with_name(f"{self.home.name}.server")


def prepare(plan: Plan) -> None:
    """Make the folders of a workspace; each belongs to the one uid that needs it."""
    plan.home.parent.mkdir(parents=True, exist_ok=True)
    for folder, ids, mode in (
        (plan.home, plan.kernel, 0o2770),
        (plan.state, plan.server, 0o700),
        (plan.run / "keep", plan.server, 0o700),
        (plan.run / "gate", plan.server, 0o700),
        (plan.run / "kernels", None, 0o755),
        (plan.run / "front", None, 0o700),
    ):
        if folder not in (plan.home, plan.state):
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        if ids and plan.mode is Mode.ROOT:
            os.chown(folder, ids.uid, ids.gid)
        folder.chmod(mode)


def locale_environment(language: str) -> dict[str, str]:
    """What says a person's language to a program (POSIX); characters are UTF-8 whether or not the locale is installed.

    ``LC_ALL`` is empty, which is unset: it would go before the others.
    """
    lang = "zh_CN.UTF-8" if language == "zh" else "C.UTF-8"
    return {"LANG": lang, "LC_CTYPE": "C.UTF-8", "LC_ALL": ""}


def base_environment(language: str = "en") -> dict[str, str]:
    """The environment of every program in a sandbox; ``LANG`` says the language of the person who works there."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return locale_environment(language) | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "TZ": os.environ.get("TZ", "")}
