"""A Ray cluster accepts only clients that show its token, and only the owner can read the file of the token."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from credit.errors import Missing, Refused
from models.distributed.cluster_token import new_token, require_private_file
from models.distributed.ray_cluster import Tasks, cluster
from models.distributed.worker_group import free_ports

ROOT = Path(__file__).parents[3]


def test_a_token_is_fresh_and_closed(tmp_path: Path) -> None:
    first = new_token(tmp_path)
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    before = first.read_bytes()
    assert len(before) == 64
    assert new_token(tmp_path).read_bytes() != before
    assert require_private_file(first) == first


def test_a_token_that_is_not_there_or_open_is_named(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="HAIHE_COMPUTE_RAY_TOKEN"):
        require_private_file(None)
    with pytest.raises(Missing, match="no file"):
        require_private_file(tmp_path / "nothing")
    (token := new_token(tmp_path)).chmod(0o644)
    with pytest.raises(Refused, match="others can read"):
        require_private_file(token)


SHOWN = """
import os, sys
from pathlib import Path
from models.distributed.cluster_token import new_token, token_in_environment
def variables():
    return [os.environ.get(name) for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN")]
before = variables()
with token_in_environment(new_token(Path(sys.argv[1]))):
    assert variables() == ["token", None], variables()
assert variables() == before == [None, "another"], variables()
"""


def test_the_environment_is_restored_afterwards(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    command = [sys.executable, "-c", SHOWN, str(tmp_path)]
    subprocess.run(command, env=env | {"RAY_AUTH_TOKEN": "another"}, cwd=ROOT, check=True)


def test_no_cluster_is_contacted_without_a_token() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(Missing, match="token"), cluster(address):
            pass


def where(_: int) -> tuple[str, str, int, int]:
    """What a worker of the local cluster sees of its token and its folder."""
    token = Path(os.environ["RAY_AUTH_TOKEN_PATH"])
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (token, token.parent)]
    return os.environ["RAY_AUTH_MODE"], token.parent.name, modes[0], modes[1]


@pytest.mark.servers
def test_the_local_cluster_requires_its_own_token(ray_cluster: Tasks) -> None:
    mode, folder, token, private = ray_cluster.map_tasks(where, [0])[0]
    assert (mode, token, private) == ("token", 0o600, 0o700)
    assert folder.startswith("haihe-ray-")


DRIVER = """
import sys
from pathlib import Path
from credit.errors import CreditError
from models.distributed.ray_cluster import cluster
try:
    with cluster(sys.argv[1], token=Path(sys.argv[2])) as tasks:
        print(tasks.map_tasks(len, ["abc"]))
except CreditError as error:
    print(type(error).__name__, error)
"""
WITHOUT_TOKEN = """
import sys, ray
try:
    ray.init(address=sys.argv[1], log_to_driver=False)
    print("in")
except ConnectionError:
    print("out")
"""


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A cluster that is not ours to end: its address and its token."""
    token, (port,) = new_token(tmp_path_factory.mktemp("head")), free_ports(1)
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        command = [
            str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", f"--port={port}", "--num-cpus=1",
            "--include-dashboard=false", f"--temp-dir={folder}/r", "--object-store-memory=100000000",
            "--disable-usage-stats",
        ]  # fmt: skip
        env = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
        with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, start_new_session=True) as process:
            try:
                until_listening(port)
                yield f"127.0.0.1:{port}", token
            finally:
                os.killpg(process.pid, signal.SIGKILL)


def until_listening(port: int) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the head did not start")


@pytest.mark.servers
def test_a_remote_cluster_accepts_its_own_token_and_no_other(head: tuple[str, Path], tmp_path: Path) -> None:
    address, token = head
    plain = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    tries = {
        "ours": ([DRIVER, address, str(token)], plain),
        "another's": ([DRIVER, address, str(new_token(tmp_path))], plain),
        "none": ([WITHOUT_TOKEN, address], plain | {"RAY_AUTH_MODE": "disabled"}),
    }
    running = {
        name: subprocess.Popen(
            [sys.executable, "-c", *arguments],
            env=env,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for name, (arguments, env) in tries.items()
    }
    outputs = {name: process.communicate(timeout=120)[0].strip() for name, process in running.items()}
    assert outputs["ours"] == "[3]"
    assert outputs["another's"].startswith("Unauthenticated The Ray cluster does not accept the token")
    assert outputs["none"] == "out"
