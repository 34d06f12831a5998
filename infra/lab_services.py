"""The lab on one machine: gateway, front desk and agents, and the hub with its proxy and console.

They are context managers, which start a process, wait until it answers, and stop it.

``today`` is the current day, where that is not the real one: an invented city has a day of its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from urllib.parse import quote

from credit.requests.state_reader import AGENTS
from infra import stack
from infra.desk import running
from infra.desk.agent_processes import AgentProcesses
from infra.home import Home
from infra.hub.settings import HUB_SOCKET
from infra.run_folder import run_folder

CONFIG = Path(__file__).parent / "hub" / "jupyterhub_config.py"


@contextlib.contextmanager
def gateway(home: Home, today: date | None = None) -> Iterator[Path]:
    """The gateway; gives its control socket."""
    run = run_folder(home.root)
    env = home.environment("research") | {"HAIHE_RESEARCH_RUN": str(run)} | _day("RESEARCH", today)
    control = run / "gateway.sock"
    try:
        command = [sys.executable, "-m", "lab.gateway"]
        with _running("gateway", command, home, env, f"unix:{control}:/health", f"unix:{control}"):
            yield control
    finally:
        shutil.rmtree(run, ignore_errors=True)  # it is started first and stopped last: no socket is needed any more


@contextlib.contextmanager
def zones(home: Home, mlflow: str, today: date | None = None) -> Iterator[tuple[Path, AgentProcesses]]:
    """The front desk and an agent a zone; gives the desk's socket and the agents.

    The agent of compute also trains the orders of the notebooks, on a Ray of its own. Orders wait until it is ready.
    """
    env = {"HAIHE_COMPUTE_MLFLOW_URI": mlflow, "HAIHE_PLATFORM_MLFLOW_URI": mlflow, "HAIHE_COMPUTE_NOTEBOOKS": "yes"}
    env["HAIHE_DESK_HUB"] = f"http+unix://{quote(str(run_folder(home.root) / HUB_SOCKET), safe='')}/hub/api"
    for zone in AGENTS:
        env |= _day(zone.upper(), today)
    with running.desk_here(home, env) as socket, running.agents(home, env=env) as agents:
        yield socket, agents


@contextlib.contextmanager
def hub(
    home: Home, port: int | None = None, today: date | None = None, env: Mapping[str, str] | None = None
) -> Iterator[str]:
    """JupyterHub, its proxy and the console behind it, all answering; gives the address that people open."""
    port = port or stack.free_port()
    stack.require_free(port)
    state = home.root / "lab" / "hub"
    state.mkdir(parents=True, exist_ok=True)
    state.chmod(0o700)
    settings = {
        "HAIHE_HUB_HOME": str(home.root),
        "HAIHE_HUB_RUN": str(run_folder(home.root)),
        "HAIHE_HUB_PORT": str(port),
        "HAIHE_HUB_MODE": "root" if os.getuid() == 0 else "user",
        **_day("HUB", today),
        **(env or {}),
    }
    command = [str(Path(sys.executable).parent / "jupyterhub"), "-f", str(CONFIG)]
    address = settings.get("HAIHE_HUB_PUBLIC_URL") or f"http://localhost:{port}"
    ready = f"http://127.0.0.1:{port}/services/console/live"
    # The console comes up last: when it answers, so do the hub that manages it and the proxy before it.
    with _running("hub", command, home, settings, ready, address, cwd=state):
        yield address


def _day(zone: str, today: date | None) -> dict[str, str]:
    return {f"HAIHE_{zone}_TODAY": today.isoformat()} if today else {}


@contextlib.contextmanager
def _running(
    name: str,
    command: list[str],
    home: Home,
    env: Mapping[str, str],
    ready: str,
    address: str,
    cwd: Path | None = None,
) -> Iterator[None]:
    log = home.root / "logs" / f"{name}.log"
    with stack.running(command, env=env, log=log, ready=ready, name=f"The {name}", home=home, address=address, cwd=cwd):
        yield
