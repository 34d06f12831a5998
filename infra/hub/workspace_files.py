"""The files of a workspace: the granted tables of the newest valid release, read-only, and the first notebooks."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from credit.errors import Missing
from credit.shelf import OpenedSeal
from infra.sandbox.bubblewrap import Ids, Mode

NOTEBOOKS = Path(__file__).resolve().parents[2] / "lab" / "notebooks"


def granted(release: OpenedSeal | None, tables: tuple[str, ...]) -> dict[Path, str]:
    """The files of a release that a project sees: its manifest and the granted tables, made readable to every user."""
    if release is None:
        return {}
    places = {release.path / "manifest.json": "manifest.json"}
    for table in tables:
        if table not in release.seal.terms["tables"]:
            raise Missing("releases.release-no-table", table=table)
        places[release.path / table] = table
    for place in places:
        _readable(place)
    return places


def copy_notebooks(home: Path, ids: Ids, mode: Mode) -> None:
    """Copy the notebooks into a new home; an existing home is left as it is."""
    if home.exists():
        return
    home.mkdir(parents=True)
    for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
        copy = home / notebook.name
        shutil.copyfile(notebook, copy)
        copy.chmod(0o660)
        if mode is Mode.ROOT:
            os.chown(copy, ids.uid, ids.gid)


def _readable(place: Path) -> None:
    """Let every user read it, as a sandbox is another user. The folder above decides who reaches the shelf."""
    for path in (place, *place.rglob("*")) if place.is_dir() else (place,):
        wanted = 0o555 if path.is_dir() else 0o444
        mode = path.stat().st_mode
        if mode & wanted != wanted:
            os.chmod(path, mode | wanted)
