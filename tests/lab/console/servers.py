"""Starts a real hub and a real console, and logs in as a browser does."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute

from infra.desk.register import Register
from infra.desk.settings import DeskSettings
from infra.processes import probe
from tests.lab.console.zone import Zone

CONFIG = str(Path(__file__).parent / "hub_config.py")
PREFIX = "/services/console/"


@dataclass(frozen=True)
class Servers:
    """The addresses of the running hub and console, and clients for them."""

    zone: Zone
    hub: str
    console: str
    token: str
    opened: list[httpx.Client] = field(default_factory=list, repr=False)

    def client(self, **options: Any) -> httpx.Client:
        """A client that is closed together with the servers."""
        self.opened.append(httpx.Client(timeout=30, verify=False, **options))
        return self.opened[-1]

    def login(self, name: str, *, language: str = "en", factor: str = "any") -> httpx.Client:
        """A client that has logged in at the hub and returned to the console by the real OAuth flow."""
        client = self.client(follow_redirects=True, headers={"Accept-Language": language})
        page = client.get(self.console)
        assert "/hub/login" in str(page.url), page.url
        xsrf = next(value for key, value in client.cookies.items() if key == "_xsrf")
        form = {"username": name, "password": factor, "_xsrf": xsrf}
        page = client.post(str(page.url), data=form)
        assert str(page.url).startswith(self.console), (page.url, page.text[:300])
        return client


def register_of(servers: Servers, confirm: str = "") -> Register:
    """The register of the running desk, read beside it; ``confirm`` names the verbs that a second person confirms."""
    root = servers.zone.settings.ledger.parents[1]
    folders = {name: root / name for name in ("ring", "ledgers", "runs", "requests")}
    settings = DeskSettings(**folders, keys=root / "keys" / "desk", socket=Path("/nowhere"), confirm=confirm)
    return Register.open(settings, lambda name: servers.zone.accounts.get(name).roles)


def form_token(page: str) -> str:
    """The token in the forms of a page."""
    match = re.search(r'name="form_token" value="([0-9a-f]{64})"', page)
    assert match, "the page has no form"
    return match.group(1)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def running_servers(zone: Zone, folder: Path) -> Iterator[Servers]:
    """A hub, a front desk and a console on ``zone``; they are stopped afterwards."""
    hub_port, console_port, token = free_port(), free_port(), secrets.token_hex(32)
    hub_variables = {"HUB_PORT": str(hub_port), "CONSOLE_PORT": str(console_port), "CONSOLE_TOKEN": token}
    env = {**os.environ, **hub_variables, "PUBLIC_PORT": str(free_port())}
    console, hub = f"http://127.0.0.1:{console_port}", f"http://127.0.0.1:{hub_port}"
    console_variables = {
        "JUPYTERHUB_API_TOKEN": token,
        "JUPYTERHUB_API_URL": f"{hub}/hub/api",
        "JUPYTERHUB_SERVICE_URL": console,
        "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
        "JUPYTERHUB_CLIENT_ID": "service-console",
        "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{console}{PREFIX}oauth_callback",
        "JUPYTERHUB_HOST": hub,
        **zone.environment(),
    }
    python, both = sys.executable, {**os.environ, **console_variables}
    desk_variables = {**zone.desk_environment(), "HAIHE_DESK_HUB": f"{hub}/hub/api"}
    logs = [(folder / f"{name}.log").open("wb") for name in ("hub", "console", "desk")]
    processes = [
        subprocess.Popen(
            [python, "-m", "jupyterhub", "-f", CONFIG], cwd=folder, env=env, stdout=logs[0], stderr=logs[0]
        ),
        subprocess.Popen([python, "-m", "lab.console"], env=both, stdout=logs[1], stderr=logs[1]),
        subprocess.Popen(
            [python, "-m", "infra.desk"], env={**os.environ, **desk_variables}, stdout=logs[2], stderr=logs[2]
        ),
    ]
    try:
        for url, log in ((f"{hub}/hub/api/", "hub.log"), (f"{console}{PREFIX}live", "console.log")):
            _wait(url, folder / log)
        _wait(f"unix:{zone.desk_socket}:/health", folder / "desk.log")
        servers = Servers(zone, hub, f"{console}{PREFIX}", token)
        yield servers
        for client in servers.opened:
            client.close()
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for log in logs:
            log.close()


def _wait(url: str, log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if probe(url):
            return
        time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer: {log.read_text()[-2000:]}")


@contextmanager
def served(app: FastAPI, path: Path) -> Iterator[httpx.Client]:
    """The app on a real server at a unix socket, in this process."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        transport = httpx.HTTPTransport(uds=str(path), verify=False)
        try:
            with httpx.Client(transport=transport, base_url="http://console", timeout=60) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


def routes_of(app: FastAPI) -> list[APIRoute]:
    """Every route of the app's own table."""
    return [route for route in app.routes if isinstance(route, APIRoute)]
