"""The folder that a demonstration is made in: one that is empty, or that an earlier demonstration left.

A marker in the folder says that a demonstration was made there. Of a marked folder only what a demonstration writes is
removed, by name; everything else in it stays.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from credit.errors import Refused
from credit.files import write_atomically
from infra.home import Home
from infra.processes import began, running

MARKER = ".haihe-demonstration"
HOME = "home"
FILES = (
    *("report.html", "summary.json"),
    *(f"{who}.pdf{end}" for who in ("penalised_enterprise", "individual_business") for end in ("", ".jws")),
)
SUMMARY_KEYS = {"data", "models", "scores", "intake", "seconds", "peak_rss_mib"}


def claim(folder: Path, names: Iterable[str], *, marker: str = MARKER, homes: Iterable[Home] = ()) -> None:
    """Make ``folder`` ready for a new demonstration: remove ``names`` from it when one was made there, and mark it.

    Raises :class:`Refused`, before anything is removed: when it is not a folder; when it holds something and has
    neither the marker nor (where ``marker`` is :data:`MARKER`) a demonstration's summary; when a process of one of its
    ``homes`` runs, or the process that makes a demonstration there.
    """
    if folder.exists() and not folder.is_dir():
        raise Refused("demo-folder.not-a-folder", folder=folder)
    names = tuple(names)
    if folder.is_dir() and any(folder.iterdir()):
        if not (_is_marked(folder / marker) or (marker == MARKER and _has_summary(folder, names))):
            raise Refused("demo-folder.not-of-demonstration", folder=folder)
        if _is_being_made(folder / marker) or any(running(home) for home in homes):
            raise Refused("demo-folder.in-use", folder=folder)
        for name in names:
            _remove(folder / name)
    folder.mkdir(parents=True, exist_ok=True)
    made_by = {"pid": os.getpid(), "began": began(os.getpid())}
    write_atomically(folder / marker, json.dumps(made_by).encode() + b"\n")


def _is_marked(marker: Path) -> bool:
    """Whether a marker of :func:`claim` is there. Earlier versions put an empty one into folders they did not make."""
    return marker.is_file() and marker.stat().st_size > 0


def _is_being_made(marker: Path) -> bool:
    """Whether the process that wrote the marker still runs, and is another one than this."""
    data = _read(marker)
    pid = data.get("pid")
    return isinstance(pid, int) and pid != os.getpid() and began(pid) == data.get("began") != 0


def _has_summary(folder: Path, names: Iterable[str]) -> bool:
    """Whether a demonstration of an earlier version, which wrote no marker, ended in this folder or in those named."""
    folders = (folder, *(folder / name for name in names))
    return any(_read(each / "summary.json").keys() >= SUMMARY_KEYS for each in folders)


def _read(path: Path) -> dict[str, object]:
    """The JSON object in a file; an empty one when there is none."""
    try:
        data = json.loads(path.read_bytes()) if path.is_file() else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
