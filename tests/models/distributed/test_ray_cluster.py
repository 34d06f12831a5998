"""Near equals far: tasks give the same in this process and on a real Ray cluster, also where a worker is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from credit.errors import Malformed, Missing
from credit.messages import Text
from models.dataset.sample import Sample
from models.distributed.ray_cluster import Tasks, cluster, in_process
from models.training.fit import VersionContent, fit
from tests.models import invented


def square(number: int) -> int:
    return number * number


def plus(numbers: np.ndarray, one: int) -> float:
    return float(numbers.sum()) + one


def refuse(_: int) -> int:
    raise Malformed(Text.verbatim("This is wrong"), why=Text.verbatim("it is"))


def die_once(mark: str) -> int:
    if not os.path.exists(mark):
        Path(mark).touch()
        os._exit(1)
    return 7


def check(tasks: Tasks) -> None:
    steps: list[tuple[int, int]] = []
    squares = tasks.map_tasks(square, list(range(20)), progress=lambda done, total: steps.append((done, total)))
    assert squares == [n * n for n in range(20)]
    assert steps[-1] == (20, 20)
    assert tasks.map_tasks(plus, [1, 2], shared=np.ones(5)) == [6.0, 7.0]
    assert tasks.map_tasks(square, []) == []
    with pytest.raises(Malformed, match="it is"):
        tasks.map_tasks(refuse, [1, 2])


def test_tasks_in_this_process() -> None:
    check(in_process())


@pytest.mark.servers
def test_tasks_on_ray(ray_cluster: Tasks) -> None:
    check(ray_cluster)


SLOW = """
import subprocess, sys, ray
from models.distributed.ray_cluster import cluster
from credit.errors import Broken
slow, real, left = int(sys.argv[1]), ray.init, []
def init(**settings):
    if len(left) == slow:
        return real(**settings)
    left.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", settings["_temp_dir"]]))
    raise Exception("The current node timed out during startup. This could happen because …")
ray.init = init
try:
    with cluster(cpus=1) as tasks:
        print(tasks.map_tasks(abs, [-1, -2]))
except Broken as error:
    print(error.message.id)
print([each.wait(60) for each in left])
"""


@pytest.mark.servers
@pytest.mark.parametrize(("slow", "lines"), [(1, ["[1, 2]", "[-9]"]), (2, ["ray-cluster.not-started", "[-9, -9]"])])
def test_a_ray_that_was_too_slow_is_started_once_more(slow: int, lines: list[str]) -> None:
    """What the first start left is ended; after a second one there is an error in words."""
    run = subprocess.run([sys.executable, "-c", SLOW, str(slow)], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == lines


@pytest.mark.servers
def test_a_killed_worker_is_replaced(ray_cluster: Tasks, tmp_path: Path) -> None:
    assert ray_cluster.map_tasks(die_once, [str(tmp_path / "mark")]) == [7]


@pytest.mark.servers
def test_a_version_made_on_ray_is_the_one_made_here(ray_cluster: Tasks, sample: Sample, fitted: VersionContent) -> None:
    ids = {"order": f"order-{'0' * 64}", "release": f"release-{'1' * 64}"}
    assert fit(invented.declaration(), sample, ray_cluster, **ids) == fitted


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nowhere", "127.0.0.1:x"])
def test_a_cluster_that_does_not_answer_is_named(address: str) -> None:
    with pytest.raises(Missing, match="No Ray cluster answers"), cluster(address):
        pass
