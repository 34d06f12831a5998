"""The sockets that are open now: one for the hub, two for each workspace, all served in one loop."""

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
from lab.gateway.identity import Identified, Visitor
from lab.gateway.sockets.connection import admitting
from lab.gateway.sockets.socket_folder import Door
from lab.projects import NAME
from lab.settings import Workspace

GRACE = 2.0  # seconds that requests under way have when a socket is shut
SIDES = ("kernel", "server")


@dataclass(frozen=True, slots=True)
class Opening:
    """What the hub announces: who, for which project, and the users their two sandboxes run as."""

    workspace: Workspace
    kernel_uid: int | None = None
    server_uid: int | None = None
    gid: int | None = None

    @classmethod
    def parse(cls, told: Any) -> Opening:
        """Read plain values; raises :class:`Malformed` naming the key."""
        keys = {"user", "project", "kernel_uid", "server_uid", "gid"}
        if not isinstance(told, dict) or not told.keys() <= keys:
            raise Malformed("listening.opening-cannot-be-read", keys=", ".join(sorted(keys)))
        for key in ("user", "project"):
            if not isinstance(told.get(key), str) or not NAME.fullmatch(told[key]):
                raise Malformed("listening.cannot-be-read", key=key)
        for key in ("kernel_uid", "server_uid", "gid"):
            number = told.get(key)
            if number is not None and (type(number) is not int or not 0 < number < 2**31):
                raise Malformed("listening.cannot-be-read-number-above-expected", key=key)
        numbers = [told.get(key) for key in ("kernel_uid", "server_uid", "gid")]
        return cls(Workspace(told["user"], told["project"]), *numbers)

    def as_json(self) -> dict[str, Any]:
        """The opening as plain values; :meth:`parse` gives it back."""
        numbers = {"kernel_uid": self.kernel_uid, "server_uid": self.server_uid, "gid": self.gid}
        return {"user": self.workspace.user, "project": self.workspace.project, **numbers}

    def uid(self, side: str) -> int | None:
        """The user a side runs as."""
        return self.kernel_uid if side == "kernel" else self.server_uid


class Server:
    """One app at one socket. uvicorn's own loop of ticks is left out: a hundred workspaces would tick all day."""

    def __init__(self, app: ASGIApp, bound: socket.socket, *, uid: int | None, name: str) -> None:
        config = uvicorn.Config(
            app,
            http=admitting(uid, name),
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
        """Accept from now on."""
        await self._server.startup(sockets=[self._bound])

    async def stop(self) -> None:
        """Accept no more, and end what is under way after :data:`GRACE`."""
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
class Open:
    """A workspace whose sockets are open."""

    opening: Opening
    doors: dict[str, Door]
    servers: list[Server]


class Listening:
    """Opens and closes workspaces' sockets under ``<run>/ws``; what is open is remembered for a next start."""

    def __init__(self, run: Path, apps: dict[str, ASGIApp]) -> None:
        self._run, self._apps = run, apps
        self._open: dict[str, Open] = {}
        self._turn = asyncio.Lock()

    def names(self) -> list[str]:
        """The workspaces that are open."""
        return sorted(self._open)

    async def open(self, opening: Opening) -> dict[str, str]:
        """Open a workspace's sockets, anew if they are open for other users; ``{name, kernel, server}`` with paths."""
        async with self._turn:
            name = opening.workspace.name
            there = self._open.get(name)
            if there is not None and there.opening != opening:
                await self._close(name)
                there = None
            if there is None:
                there = self._open[name] = await self._start(opening)
                self._remember()
                LOG.event("opened", workspace=name)
            return {"name": name} | {side: str(door.path) for side, door in there.doors.items()}

    async def close(self, name: str) -> None:
        """Close and take away a workspace's sockets; raises :class:`Missing`."""
        async with self._turn:
            if name not in self._open:
                raise Missing("listening.no-workspace-open", name=name[:70])
            await self._close(name)
            shutil.rmtree(self._run / "ws" / name, ignore_errors=True)
            self._remember()
            LOG.event("closed", workspace=name)

    async def reopen(self, admit: Callable[[Opening], Any]) -> None:
        """Open what was open when we ended last; a workspace that ``admit`` refuses stays shut."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            for told in json.loads((self._run / "workspaces.json").read_bytes()):
                try:
                    opening = Opening.parse(told)
                    admit(opening)
                    await self.open(opening)
                except CreditError as error:
                    LOG.event("not reopened", why=str(error))

    async def end(self) -> None:
        """Shut every socket; the folders stay, as sandboxes may have them mounted."""
        async with self._turn:
            for name in list(self._open):
                await self._close(name)

    async def _start(self, opening: Opening) -> Open:
        folder = self._run / "ws" / opening.workspace.name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(folder, 0o700)
        doors, servers = {}, []
        for side in SIDES:
            door = Door(folder / side, opening.uid(side), opening.gid)
            visitor = Visitor(opening.workspace, kernel=side == "kernel")
            app = Identified(self._apps[side], visitor)
            server = Server(app, door.open(), uid=opening.uid(side), name=f"{opening.workspace.name}/{side}")
            await server.start()
            doors[side] = door
            servers.append(server)
        return Open(opening, doors, servers)

    async def _close(self, name: str) -> None:
        there = self._open.pop(name)
        for door in there.doors.values():
            door.shut()
        await asyncio.gather(*(server.stop() for server in there.servers))

    def _remember(self) -> None:
        told = [there.opening.as_json() for there in self._open.values()]
        write_atomically(self._run / "workspaces.json", json.dumps(told).encode(), mode=0o600)
