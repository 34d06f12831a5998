"""The notebooks of a new home: a first look, from a feature to a trained model, comparing models and exporting."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from infra.sandbox.bubblewrap import Ids, Mode

NOTEBOOKS = Path(__file__).resolve().parents[2] / "lab" / "notebooks"


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
