"""The open sockets: one for the hub and two for each workspace, all served in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from credit.errors import CreditError, Malformed, Missing
from credit.files import write_atomically
from lab.gateway.error_responses import LOG
from lab.gateway.identity import IdentifiedApp, Principal
from lab.gateway.sockets.connection import connection_class
from lab.gateway.sockets.socket_folder import SocketFolder
from lab.projects import NAME
from lab.settings import Workspace

GRACE = 2.0  # seconds for running requests when a socket is closed
SIDES = ("kernel", "server")


@dataclass(frozen=True, slots=True)
class WorkspaceOpening:
    """The hub's request for a workspace: user, project, and the Unix users of its two sandboxes."""

    workspace: Workspace
    kernel_uid: int | None = None
    server_uid: int | None = None
    gid: int | None = None

    @classmethod
    def parse(cls, data: Any) -> WorkspaceOpening:
        """Read JSON values; raises :class:`Malformed` with the name of the wrong key."""
        keys = {"user", "project", "kernel_uid", "server_uid", "gid"}
        if not isinstance(data, dict) or not data.keys() <= keys:
            raise Malformed("listening.opening-cannot-be-read", keys=", ".join(sorted(keys)))
        for key in ("user", "project"):
            if not isinstance(data.get(key), str) or not NAME.fullmatch(data[key]):
                raise Malformed("listening.cannot-be-read", key=key)
        for key in ("kernel_uid", "server_uid", "gid"):
            number = data.get(key)
            if number is not None and (type(number) is not int or not 0 < number < 2**31):
                raise Malformed("listening.cannot-be-read-number-above-expected", key=key)
        numbers = [data.get(key) for key in ("kernel_uid", "server_uid", "gid")]
        return cls(Workspace(data["user"], data["project"]), *numbers)

    def as_json(self) -> dict[str, Any]:
        """The opening as JSON values, which :meth:`parse` reads."""
        numbers = {"kernel_uid": self.kernel_uid, "server_uid": self.server_uid, "gid": self.gid}
        return {"user": self.workspace.user, "project": self.workspace.project, **numbers}

    def uid(self, side: str) -> int | None:
        """The Unix user of a side."""
        return self.kernel_uid if side == "kernel" else self.server_uid


class SocketServer:
    """One app at one socket, without uvicorn's periodic tick, which would cost too much for a hundred workspaces."""

    def __init__(self, app: ASGIApp, bound: socket.socket, *, uid: int | None, name: str) -> None:
        config = uvicorn.Config(
            app,
            http=connection_class(uid, name),
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            date_header=False,
            server_header=False,
            proxy_headers=False,
            backlog=64,
            timeout_keep_alive=30,
        )
        config.load()
        self._bound = bound
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)

    async def start(self) -> None:
        """Start accepting connections."""
        await self._server.startup(sockets=[self._bound])

    async def stop(self) -> None:
        """Stop accepting connections, and end running requests after :data:`GRACE` seconds."""
        for listener in self._server.servers:
            listener.close()
        self._bound.close()
        state = self._server.server_state
        for connection in list(state.connections):
            connection.shutdown()
        limit = asyncio.get_running_loop().time() + GRACE
        while state.tasks and asyncio.get_running_loop().time() < limit:
            await asyncio.sleep(0.02)
        for task in list(state.tasks):
            task.cancel()
        for connection in list(state.connections):
            connection.transport.abort()


@dataclass(slots=True)
class OpenWorkspace:
    """A workspace whose sockets are open."""

    opening: WorkspaceOpening
    folders: dict[str, SocketFolder]
    servers: list[SocketServer]


class WorkspaceSockets:
    """Opens and closes workspaces' sockets under ``<run>/ws``; the open ones are stored for the next start."""

    def __init__(self, run: Path, apps: dict[str, ASGIApp]) -> None:
        self._run, self._apps = run, apps
        self._open: dict[str, OpenWorkspace] = {}
        self._lock = asyncio.Lock()

    def names(self) -> list[str]:
        """The names of the open workspaces, sorted."""
        return sorted(self._open)

    def workspace(self, name: str) -> Workspace:
        """The open workspace with this name; raises :class:`Missing`."""
        if name not in self._open:
            raise Missing("listening.no-workspace-open", name=name[:70])
        return self._open[name].opening.workspace

    async def open(self, opening: WorkspaceOpening) -> dict[str, str]:
        """Open a workspace's sockets and return ``{name, kernel, server}`` with their paths.

        Sockets that are open for other Unix users are closed and opened again.
        """
        async with self._lock:
            name = opening.workspace.name
            current = self._open.get(name)
            if current is not None and current.opening != opening:
                await self._close(name)
                current = None
            if current is None:
                current = self._open[name] = await self._start(opening)
                self._save()
                LOG.event("opened", workspace=name)
            return {"name": name} | {side: str(each.path) for side, each in current.folders.items()}

    async def close(self, name: str) -> None:
        """Close and delete a workspace's sockets; raises :class:`Missing`."""
        async with self._lock:
            if name not in self._open:
                raise Missing("listening.no-workspace-open", name=name[:70])
            await self._close(name)
            shutil.rmtree(self._run / "ws" / name, ignore_errors=True)
            self._save()
            LOG.event("closed", workspace=name)

    async def reopen(self, admit: Callable[[WorkspaceOpening], Any]) -> None:
        """Open the workspaces that were open before the last end, except those for which ``admit`` raises an error."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            for data in json.loads((self._run / "workspaces.json").read_bytes()):
                try:
                    opening = WorkspaceOpening.parse(data)
                    admit(opening)
                    await self.open(opening)
                except CreditError as error:
                    LOG.event("not reopened", why=str(error))

    async def end(self) -> None:
        """Close every socket; the folders stay, since sandboxes may have them mounted."""
        async with self._lock:
            for name in list(self._open):
                await self._close(name)

    async def _start(self, opening: WorkspaceOpening) -> OpenWorkspace:
        folder = self._run / "ws" / opening.workspace.name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(folder, 0o700)
        folders, servers = {}, []
        for side in SIDES:
            socket_folder = SocketFolder(folder / side, opening.uid(side), opening.gid)
            principal = Principal(opening.workspace, kernel=side == "kernel")
            app = IdentifiedApp(self._apps[side], principal)
            server = SocketServer(
                app, socket_folder.open(), uid=opening.uid(side), name=f"{opening.workspace.name}/{side}"
            )
            await server.start()
            folders[side] = socket_folder
            servers.append(server)
        return OpenWorkspace(opening, folders, servers)

    async def _close(self, name: str) -> None:
        current = self._open.pop(name)
        for each in current.folders.values():
            each.close()
        await asyncio.gather(*(server.stop() for server in current.servers))

    def _save(self) -> None:
        data = [current.opening.as_json() for current in self._open.values()]
        write_atomically(self._run / "workspaces.json", json.dumps(data).encode(), mode=0o600)
