"""The page of rules tells every threshold as it is, and the gate can run where a notebook runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from lab.airlock.thresholds import load

PAGE = Path(__file__).parents[3] / "docs/airlock.md"


def test_the_page_tells_every_threshold_and_no_other() -> None:
    told = re.findall(r"`(\w+)` ([\d.]+)\b", PAGE.read_text(encoding="utf-8"))
    assert {name: float(value) for name, value in told} == dict(load())


def test_the_gate_needs_nothing_that_a_kernel_has_not() -> None:
    code = "import sys, lab.airlock.gate; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PAGE.parents[1])
    names = ran.stdout.split()
    loaded = {name.partition(".")[0] for name in names}
    assert "PIL" in loaded
    assert not loaded & {"argon2", "fastapi", "jupyterhub", "ray", "mlflow", "serving", "models", "infra"}
    assert "lab.airlock.gate" in names
    assert not {"lab.projects", "lab.accounts", "credit.ledger"} & set(names)
