"""A training that is killed leaves nothing half-made, and asked again comes to its version."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from credit.keys import KeyRing, SigningKey
from credit.seal import Kind
from credit.shelf import Shelf
from models.registry.mlflow_registry import Registry
from tests.models import invented_release as made

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def registry(mlflow_server: str) -> Registry:
    return Registry(mlflow_server)


KILLED = """
import sys
from pathlib import Path
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.shelf import Shelf
from models.distributed.ray_cluster import in_process
from models.registry.mlflow_registry import Registry
from models.training.pipeline import train
from tests.models import invented_release as made
from tests.models.killing import killer
root, uri = Path(sys.argv[1]), sys.argv[2]
ring = KeyRing.load(root / "ring")
shelf = Shelf(root / "shelf", ring)
key = SigningKey.load(root / "keys", "compute")
order = shelf.open(sys.argv[3])
print("begins", flush=True)
ledger = Ledger(root / "ledger.jsonl", key, ring)
train(order, shelf=shelf, key=key, by=made.RESEARCHER, ledger=ledger, answered=made.answered(ledger),
      tracking=Registry(uri), tasks=in_process(), progress=lambda *step: print(*step, flush=True))
print("done", flush=True)
"""


def test_a_killed_train_leaves_nothing_half_made(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "ring").mkdir()
    keys = {}
    for zone in ("custody", "research", "compute"):
        keys[zone] = SigningKey.create(tmp_path / "keys", zone)
        (tmp_path / "ring" / f"{zone}.pem").write_bytes(keys[zone].public_pem())
    shelf = Shelf(tmp_path / "shelf", KeyRing.load(tmp_path / "ring"))
    order = made.order(shelf, keys["research"], made.release(shelf, keys["custody"]), model="killed_in_a_test")
    command = [sys.executable, "-c", KILLED, str(tmp_path), registry.uri, order.seal.id]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("search"):
                time.sleep(0.3)
                os.kill(process.pid, signal.SIGKILL)
                break
    assert shelf.list(Kind.VERSION) == []
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert done.stdout.splitlines()[-1:] == ["done"], done.stderr[-2000:]
    assert len(shelf.list(Kind.VERSION)) == 1
    assert not list((shelf.root / ".making").iterdir())
