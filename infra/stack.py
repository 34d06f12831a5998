"""MLflow and the scoring service on one machine: context managers that start a server, wait for it, and stop it.

Each runs in a session of its own, so that stopping it stops all it started. The parent-death signal ends what we could
not stop ourselves. While one runs, a record in the home names it for `haihe status`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from credit.errors import Broken, Malformed
from credit.messages import Text
from infra.home import Home
from infra.processes import Process, probe
from infra.zone_users import environment_of, process_of

_PR_SET_PDEATHSIG = 1  # prctl(2)


def free_port() -> int:
    """A TCP port on which no process listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free(port: int) -> None:
    """Raise :class:`Malformed` when a process listens on the port already."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Malformed("stack.port-taken", port=port)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.contextmanager
def running(
    command: list[str],
    *,
    env: Mapping[str, str],
    log: Path,
    ready: str,
    name: str,
    home: Home | None = None,
    address: str = "",
    seconds: float = 90,
    cwd: Path | None = None,
    zone: str = "",
) -> Iterator[int]:
    """Start ``command``, wait until ``ready`` answers with success, give its pid, and stop it and its children after.

    ``ready`` is a URL, or ``unix:<socket>:<path>``; when it is empty there is no wait. ``address`` is where people and
    programs reach it, for the record in ``home``. ``seconds`` is the longest wait. A process of a ``zone`` is started
    as that zone's user, in a home that has such users.
    Raises :class:`Broken` with the end of its log when it ends early or is not ready in time.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command,
            env={**os.environ, **env, **(environment_of(home, zone) if home and zone else {})},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_die_with_parent,
            **(process_of(home, zone) if home and zone else {}),
        )
    record = Process(name.removeprefix("The "), process.pid, address, ready).record(home) if home else None
    try:
        _wait(process, ready, name, log, seconds)
        yield process.pid
    finally:
        stop(process)
        if record:
            record.unlink(missing_ok=True)


def _wait(process: subprocess.Popen[bytes], ready: str, name: str, log: Path, seconds: float) -> None:
    limit = time.monotonic() + seconds
    if not ready:
        return
    while time.monotonic() < limit:
        if process.poll() is not None:
            break
        if probe(ready):
            return
        time.sleep(0.1)
    tail = log.read_text(errors="replace").splitlines()[-5:]
    raise Broken("stack.did-not-become-ready", why=Text.verbatim(" | ".join(tail)), name=name, log=log)


def stop(process: subprocess.Popen[bytes], grace: float = 10) -> None:
    """Signal the whole session to end; kill it after ``grace`` seconds."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):  # children that outlived their parent
        os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def mlflow_server(home: Home, port: int | None = None) -> Iterator[str]:
    """MLflow's tracking and registry server over SQLite and a folder; gives its address."""
    port = port or free_port()
    require_free(port)
    folder = home.root / "mlflow"
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
        *("--artifacts-destination", str(folder / "artifacts")),
    ]
    # The job runner would start seven more processes (about 600 MB) for things we never use.
    env = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    address = f"http://127.0.0.1:{port}"
    log = home.root / "logs" / "mlflow.log"
    ready = f"{address}/health"
    with running(command, env=env, log=log, ready=ready, name="MLflow", home=home, address=address, zone="compute"):
        yield address


@contextlib.contextmanager
def scoring_service(
    home: Home, port: int | None = None, env: Mapping[str, str] | None = None, *, until: str = "ready"
) -> Iterator[str]:
    """The scoring service over this home's shelf; gives its address once it is ready (or ``live``)."""
    port = port or free_port()
    require_free(port)
    own = home.environment("service") | {"HAIHE_SERVICE_HOST": "127.0.0.1", "HAIHE_SERVICE_PORT": str(port)}
    address = f"http://127.0.0.1:{port}"
    log = home.root / "logs" / "service.log"
    command = [sys.executable, "-m", "serving"]
    own |= env or {}
    name, ready = "The scoring service", f"{address}/{until}"
    with running(command, env=own, log=log, ready=ready, name=name, home=home, address=address, zone="service"):
        yield address
