"""The files of a workspace, read-only: granted practice tables, the project's rows, and the first notebooks.

No record and no release is among them: what is mounted is invented, or rows in which no subject is found.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from credit.errors import Refused
from credit.seal import Kind
from credit.shelf import OpenedSeal
from infra.sandbox.bubblewrap import Ids, Mode
from infra.sandbox.plan import ROWS

NOTEBOOKS = Path(__file__).resolve().parents[2] / "lab" / "notebooks"


def practice_files(practice: OpenedSeal | None, tables: tuple[str, ...]) -> dict[Path, str]:
    """The manifest of practice tables and those of the granted ones that they have, made readable to every user.

    Without practice tables there is none. Raises :class:`Refused` for a seal of any other kind: a release holds
    records.
    """
    if practice is None:
        return {}
    if practice.seal.kind is not Kind.PRACTICE:
        raise Refused("workspace-files.holds-records", seal_short=practice.seal.short, kind=practice.seal.kind.text)
    places = {practice.path / "manifest.json": "manifest.json"}
    places |= {practice.path / table: table for table in tables if table in practice.seal.terms["tables"]}
    for place in places:
        _readable(place)
    return places


def rows_folder(folder: Path) -> dict[Path, str]:
    """The folder of a project's rows: those that are made later appear in it, also in a workspace that runs."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # the gateway made what is in it readable, and may be at work there
    return {folder: ROWS}


def own_copies(files: Mapping[Path, str], folder: Path) -> dict[Path, str]:
    """A copy of these files for one workspace, in ``folder``, with the places that the originals have.

    Files that two projects have in common are a way from one to the other, by locks and by what waits on them.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copies: dict[Path, str] = {}
    for source, place in files.items():
        copy = folder / place
        if source.is_dir():
            shutil.copytree(source, copy)
        else:
            shutil.copy(source, copy)
        copies[copy] = place
    return copies


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
