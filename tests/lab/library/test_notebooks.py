"""The starter notebooks run from the first cell to the last, on a real gateway, worker, Ray and MLflow."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from credit.requests.settings import AgentSettings
from credit.seal import Kind
from infra.agents.compute_zone import Compute
from infra.agents.measurements import measure_for_notebooks
from infra.agents.rows import make_rows_of_notebooks
from infra.agents.tables import make_tables_of_notebooks
from models.distributed.ray_cluster import Tasks
from models.settings import ComputeSettings
from models.worker.worker_loop import Worker
from tests.lab import running_gateway

ROOT = Path(__file__).parents[3]
NOTEBOOKS = sorted((ROOT / "lab" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_starter_notebook_is_kept_without_outputs_in_both_languages(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))  # nbformat loads a grammar of URLs first, for seconds
    assert notebook["nbformat"] == 4
    words = "".join(line for cell in notebook["cells"] if cell["cell_type"] == "markdown" for line in cell["source"])
    assert any("\u4e00" <= letter <= "\u9fff" for letter in words)
    assert " the " in words
    for cell in notebook["cells"]:
        assert cell["cell_type"] == "markdown" or (cell["outputs"] == [] and cell["execution_count"] is None)


@pytest.fixture(scope="module")
def city() -> Iterator[running_gateway.House]:
    with running_gateway.city(subjects=2000) as made, running_gateway.gateway(made):
        yield made


@pytest.fixture
def workspace(
    city: running_gateway.House, ray_cluster: Tasks, mlflow_server: str, tmp_path: Path
) -> Iterator[dict[str, str]]:
    """The environment of a kernel, with what the compute zone makes: trainings, rows, tables and measurements."""
    variables = {"HAIHE_COMPUTE_MLFLOW_URI": mlflow_server, "HAIHE_COMPUTE_TODAY": city.today.isoformat()}
    worker = Worker.open(city.home.settings(ComputeSettings, "compute", variables))
    env = city.home.environment("compute") | variables
    compute = Compute.open(city.home.settings(AgentSettings, "compute", env), env)
    threads = [
        threading.Thread(target=worker.serve, args=(ray_cluster,)),
        threading.Thread(target=make_rows_of_notebooks, args=(compute, worker.end)),
        threading.Thread(target=make_tables_of_notebooks, args=(compute, worker.end)),
        threading.Thread(target=measure_for_notebooks, args=(compute, worker.end)),
    ]
    for thread in threads:
        thread.start()
    yield {
        "HAIHE_LAB_DATA": str(city.mounted(tmp_path / "data", tuple(city.practice.seal.terms["tables"]))),
        "HAIHE_LAB_GATEWAY": city.open("alice", "loans")["kernel"],
        "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
    }
    worker.end.set()
    for thread in threads:
        thread.join(60)


@pytest.mark.servers
def test_every_starter_notebook_runs(workspace: dict[str, str], city: running_gateway.House, tmp_path: Path) -> None:
    import nbclient
    import nbformat

    home = tmp_path / "home"
    home.mkdir()
    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(home)}})
        client.execute(env=workspace)
        (tmp_path / path.name).write_text(nbformat.writes(notebook))
        assert not [output for output in _outputs(notebook) if output.get("name") == "stderr"]
        assert "<table" in _shown(notebook)
    assert len(city.entries("training.asked")) == len(city.entries("rows.asked")) == 2
    assert [entry.object for entry in city.entries("measurement.asked")] == [
        entry.object for entry in city.home.ledger("compute").entries() if entry.verb == "measurement.made"
    ]
    assert len(city.entries("table.left")) == len(city.entries("table.asked")) == 1
    rows = {seal.id for seal in city.home.shelf.list(Kind.ROWS)}
    (parcel,) = city.entries("parcel.submitted")
    assert set(parcel.details["files"]) == {"firms_by_penalties.csv", "comparison.png"}
    (counted,) = rows & set(parcel.details["context"]["releases"])
    assert set(parcel.details["context"]["releases"]) == {counted, city.release.seal.id}


def _shown(notebook: Any) -> str:
    return "".join(str(output.get("data", {}).get("text/html", "")) for output in _outputs(notebook))


def _outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
