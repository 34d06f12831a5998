"""The desk and the agents as processes: for `haihe up`, and for one verb in a home that is one user's own."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from credit.errors import CreditError, Missing
from credit.files import write_atomically
from credit.requests.agent import lock_of
from credit.requests.desk_client import DeskClient
from credit.requests.state_reader import AGENTS
from credit.single_process import is_locked
from infra import stack
from infra.desk.agent_processes import AgentProcesses
from infra.home import Home
from infra.run_folder import run_folder
from infra.zone_users import process_of

ADDRESS = "desk-socket"  # the file in a home that names the desk's socket


@contextlib.contextmanager
def desk(home: Home, env: Mapping[str, str] | None = None) -> Iterator[Path]:
    """The front desk of a home; gives its socket."""
    socket = _socket_folder(home) / "desk.sock"
    settings = home.environment("desk") | {"HAIHE_DESK_SOCKET": str(socket)} | dict(env or {})
    settings |= {"HAIHE_DESK_SHARED": "yes"} if process_of(home, "desk") else {}
    command = [sys.executable, "-m", "infra.desk"]
    address = f"unix:{socket}"
    log = home.root / "logs" / "desk.log"
    ready = f"{address}:/health"
    with stack.running(
        command, env=settings, log=log, ready=ready, name="The desk", home=home, address=address, zone="desk"
    ):
        write_atomically(home.root / ADDRESS, str(socket).encode())
        yield socket


@contextlib.contextmanager
def agent(home: Home, zone: str, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """The agent of one zone; gives its pid."""
    settings = home.environment(zone) | dict(env or {})
    command = [sys.executable, "-m", "infra.agents", zone]
    log = home.root / "logs" / f"agent-{zone}.log"
    with stack.running(
        command, env=settings, log=log, ready="", name=f"The agent of {zone}", home=home, zone=zone
    ) as pid:
        yield pid


@contextlib.contextmanager
def desk_here(home: Home, env: Mapping[str, str] | None = None) -> Iterator[Path]:
    """The socket of the desk that runs for a home; where none does, of one for as long as the block takes."""
    with contextlib.ExitStack() as started:
        yield socket_of(home) or started.enter_context(desk(home, env))


@contextlib.contextmanager
def agents(home: Home, zones: Iterable[str] = AGENTS, env: Mapping[str, str] | None = None) -> Iterator[AgentProcesses]:
    """The agents of some zones, as far as they do not run yet; gives those that were started."""
    with contextlib.ExitStack() as started:
        processes = AgentProcesses(
            lambda zone: agent(home, zone, env), lambda zone: agent_runs(home, zone), home.root / "logs", started
        )
        for zone in zones:
            if not agent_runs(home, zone):
                processes.add(zone)
        try:
            yield processes
        finally:
            processes.end()


@contextlib.contextmanager
def desk_and_agents(home: Home, zones: Iterable[str] = AGENTS, env: Mapping[str, str] | None = None) -> Iterator[Path]:
    """The desk and the agents of some zones, as far as they do not run yet; gives the desk's socket."""
    with desk_here(home, env) as socket, agents(home, zones, env):
        yield socket


def named_socket(home: Home) -> Path:
    """The socket that a home names as its desk's, or else the place where one would be; a desk need not run."""
    try:
        return Path((home.root / ADDRESS).read_text())
    except FileNotFoundError:
        return _socket_folder(home) / "desk.sock"


def _socket_folder(home: Home) -> Path:
    """The folder of the desk's socket; one of the desk's own where it runs as a user of its own."""
    folder = run_folder(home.root)
    if user := process_of(home, "desk"):
        folder /= "desk"
        folder.mkdir(mode=0o755, exist_ok=True)
        os.chown(folder, user["user"], user["group"])
    return folder


def socket_of(home: Home) -> Path | None:
    """The socket of the desk that runs for a home; None when none answers."""
    try:
        path = Path((home.root / ADDRESS).read_text())
        DeskClient(path, seconds=5).call("GET", "/health")
    except (OSError, CreditError):
        return None
    return path


def agent_runs(home: Home, zone: str) -> bool:
    """True while an agent of a zone is at work in a home: it holds the lock of its folder."""
    return is_locked(lock_of(home.root / "runs" / zone))


def require_own(home: Home) -> None:
    """Raise :class:`Missing`, naming the service units, unless this user may start the desk and agents of a home."""
    if not home.exists() or (home.root / "keys").stat().st_uid != os.getuid():
        units = ", ".join(f"haihe-{each}.service" for each in ("desk", *AGENTS))
        raise Missing("running.no-desk", units=units)
