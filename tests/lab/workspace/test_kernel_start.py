"""In a real workspace no file of the home runs before a cell, or takes the place of a module of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.sandbox.places import PACKAGES
from tests.lab import hostile_home
from tests.lab.workspace.workspace_client import Kernel, WorkspaceClient

pytestmark = [pytest.mark.servers, pytest.mark.attack]

RECORD = "/home/lab/shadowed/ran.txt"
FILL = """
import os, pathlib, types
source = {source!r}
made = types.ModuleType("made")
exec(source, made.__dict__)
for folder in ("/home/lab/shadowed", "/home/lab"):
    os.makedirs(folder, exist_ok=True)
    made.write(pathlib.Path(folder), {record!r})
print("filled")
"""
EMPTY = """
import os, shutil
shutil.rmtree("/home/lab/shadowed", ignore_errors=True)
for name in {names!r}:
    path = os.path.join("/home/lab", name)
    shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) else os.path.exists(path) and os.unlink(path)
print("emptied")
"""


def in_the_folder(alice: WorkspaceClient) -> Kernel:
    """A kernel that begins in the hostile folder, as that of a notebook there does."""
    answer = alice.call("POST", "/api/kernels", json={"name": "python3", "path": "shadowed"})
    assert answer.status_code == 201, answer.text
    return Kernel(alice, answer.json()["id"])


def test_a_hostile_home_does_not_reach_the_kernels_start(alice: WorkspaceClient, kernel: Kernel) -> None:
    source = _source()
    names = [f"{name}.py" for name in (*hostile_home.MODULES, "my_features")] + [
        name.partition("/")[0] for name in hostile_home.START_UP
    ]
    try:
        assert kernel.run(FILL.format(source=source, record=RECORD)).strip() == "filled"
        for start in (in_the_folder, WorkspaceClient.kernel):
            fresh = start(alice)
            assert fresh.run(f"import os; print(os.path.exists({RECORD!r}))").strip() == "False"
            printed = fresh.run("import lab; print(lab.me()['project']); import credit, models.features.feature_sql")
            assert "!" not in printed, printed
            assert "models.py in this folder is hidden" in printed
            for name in PACKAGES:
                assert "/home/lab" not in fresh.run(f"import {name}; print({name}.__file__)")
            assert fresh.run("import my_features; print(my_features.WORD)").strip() == "mine True"
            ran = fresh.run(f"print(open({RECORD!r}).read() if os.path.exists({RECORD!r}) else '')")
            assert set(ran.split()) <= set(hostile_home.NOT_INSTALLED), "a library may try one, in a recorded cell"
            fresh.run(f"os.path.exists({RECORD!r}) and os.unlink({RECORD!r})")
            fresh.shut()
    finally:
        assert kernel.run(EMPTY.format(names=names)).strip() == "emptied"


def _source() -> str:
    """The module that fills a home, as code for a kernel that does not have our tests."""
    code = Path(hostile_home.__file__).read_text(encoding="utf-8")
    return code.replace("from infra.sandbox.places import PACKAGES", f"PACKAGES = {PACKAGES!r}").replace(
        "from __future__ import annotations", ""
    )
