"""The rows that a project's workspaces see below ``/data/rows``: verified copies of ROWS seals, until those end.

Each is one file, ``<seal>.parquet``, directly in the folder: there the machine sees who opens it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from credit.errors import Lapsed, Missing
from credit.shelf import OpenedSeal
from lab.gateway.research_zone import ResearchZone
from lab.projects import Project

FILE, ENDING = "rows.parquet", ".parquet"


def mount(zone: ResearchZone, project: Project, rows: str) -> OpenedSeal:
    """Copy rows, every byte verified, into the folder that the project's workspaces see; a copy that is there stays.

    Workspaces that run see it at once. It appears whole or not at all. Raises :class:`~credit.errors.Lapsed` for rows
    that have ended, and :class:`~credit.errors.Broken` for a file that was changed.
    """
    folder = zone.settings.rows_folder(project.name)
    place = folder / f"{rows}{ENDING}"
    opened = zone.shelf.open(rows, today=zone.settings.day(), deep=not place.exists())
    if not place.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{rows}.{os.getpid()}"
        shutil.copyfile(opened.path / FILE, unfinished)
        unfinished.chmod(0o444)
        os.replace(unfinished, place)
    return opened


def unmount_ended(zone: ResearchZone, project: Project) -> None:
    """Remove the copies of rows that have ended, and what a killed process left of one."""
    folder = zone.settings.rows_folder(project.name)
    for place in folder.iterdir() if folder.is_dir() else ():
        if _has_ended(zone, place.name):
            place.unlink(missing_ok=True)


def _has_ended(zone: ResearchZone, name: str) -> bool:
    if name.startswith("."):
        return not Path(f"/proc/{name.rpartition('.')[2]}").exists()
    try:
        zone.shelf.open(name.removesuffix(ENDING), today=zone.settings.day(), deep=False)
    except (Lapsed, Missing):
        return True
    return False
