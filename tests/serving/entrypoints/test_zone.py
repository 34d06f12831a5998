"""The service starts from the shelf alone: nothing of cluster, registry or laboratory is in its process."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("ray", "mlflow", "duckdb", "pandas", "pyarrow", "lightgbm", "sklearn", "sqlglot", "jupyterhub", "reportlab")
OURS = ("privacy", "lab", "infra")


def test_the_service_imports_nothing_of_other_zones() -> None:
    code = f"import serving.app.create, serving.__main__, sys; print([m for m in {HEAVY + OURS} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


@pytest.mark.servers  # five seconds of imports
def test_the_little_that_replay_needs_has_no_cluster_and_no_registry() -> None:
    unwanted = ("ray", "mlflow", "duckdb", *OURS)
    code = f"import serving.endpoints.scores.replay, sys; print([m for m in {unwanted} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
