"""The document of the rules states every threshold, and the gate runs in a notebook kernel."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.airlock.thresholds import load

DOCUMENTS = [Path(__file__).parents[3] / "docs" / name for name in ("airlock.md", "zh/airlock.md")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=["English", "Chinese"])
def test_the_document_states_every_threshold_and_no_other(document: Path) -> None:
    stated = re.findall(r"`(\w+)` ([\d.]+)\b", document.read_text(encoding="utf-8"))
    assert {name: float(value) for name, value in stated} == dict(load())


def test_the_gate_needs_only_libraries_of_a_kernel() -> None:
    code = "import sys, lab.airlock.gate; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=DOCUMENTS[0].parents[1]
    )
    names = ran.stdout.split()
    loaded = {name.partition(".")[0] for name in names}
    assert "PIL" in loaded
    assert not loaded & {"argon2", "fastapi", "jupyterhub", "ray", "mlflow", "serving", "models", "infra"}
    assert "lab.airlock.gate" in names
    assert not {"lab.projects", "lab.accounts", "credit.ledger"} & set(names)
