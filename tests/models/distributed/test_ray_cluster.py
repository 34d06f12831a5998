"""Near equals far: tasks give the same in this process and on a real Ray cluster, also where a worker is killed."""

from __future__ import annotations

import os
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
