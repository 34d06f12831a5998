"""The lab on one machine: gateway, worker, and the hub with its proxy and console; started, waited for, stopped."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra import stack
from infra.home import Home
from infra.hub.places import run_folder

CONFIG = Path(__file__).parent / "hub" / "jupyterhub_config.py"


def environment(home: Home) -> dict[str, str]:
    """What every process of the research zone is told, the place of its sockets among it."""
    return home.environment("research") | {"HAIHE_RESEARCH_RUN": str(run_folder(home.root))}


@contextlib.contextmanager
def gateway(home: Home, env: Mapping[str, str] | None = None) -> Iterator[Path]:
    """The gateway; gives its control socket."""
    control = run_folder(home.root) / "gateway.sock"
    command = [sys.executable, "-m", "lab.gateway"]
    told = environment(home) | dict(env or {})
    log = home.root / "logs" / "gateway.log"
    with stack.running(command, env=told, log=log, ready=f"unix:{control}:/health", name="The gateway"):
        yield control


@contextlib.contextmanager
def worker(home: Home, mlflow: str, env: Mapping[str, str] | None = None) -> Iterator[None]:
    """The compute zone's worker, which trains what is asked for; ready when it keeps a Ray of its own."""
    told = home.environment("compute") | {
        "HAIHE_COMPUTE_MLFLOW_URI": mlflow,
        "HAIHE_COMPUTE_RESEARCH_LEDGER": str(home.root / "ledgers" / "research.jsonl"),
        **(env or {}),
    }
    with stack.running(
        [sys.executable, "-m", "models.worker"],
        env=told,
        log=home.root / "logs" / "worker.log",
        ready="",
        name="The worker",
    ):
        yield


@contextlib.contextmanager
def hub(home: Home, port: int | None = None, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """JupyterHub, its proxy and the console behind it; gives the address that people open."""
    port = port or stack.free_port()
    stack.require_free(port)
    state = home.root / "lab" / "hub"
    state.mkdir(parents=True, exist_ok=True)
    state.chmod(0o700)
    told = {
        "HAIHE_HUB_HOME": str(home.root),
        "HAIHE_HUB_RUN": str(run_folder(home.root)),
        "HAIHE_HUB_PORT": str(port),
        "HAIHE_HUB_MODE": "root" if os.getuid() == 0 else "user",
        **(env or {}),
    }
    address = f"http://127.0.0.1:{port}"
    with stack.running(
        [str(Path(sys.executable).parent / "jupyterhub"), "-f", str(CONFIG)],
        env=told,
        log=home.root / "logs" / "hub.log",
        ready=f"{address}/hub/api/",
        name="The hub",
        cwd=state,
    ):
        yield address
