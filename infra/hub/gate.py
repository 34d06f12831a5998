"""The hub gate: a workspace's server reaches four calls of the hub's API, over a socket of its own.

The hub's own socket would also serve the login page, where passwords can be guessed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from infra.sandbox.bubblewrap import Ids, Mode

MOST = 64 * 1024  # bytes of a request
KEPT_HEADERS = ("Authorization", "Content-Type", "Accept")


@dataclass(slots=True)
class HubGate:
    """A socket in ``folder`` that passes a few calls of ``user`` on to the hub at ``hub`` (a socket's path)."""

    folder: Path
    hub: Path
    user: str
    ids: Ids
    mode: Mode
    _runner: web.AppRunner | None = field(default=None)
    _session: aiohttp.ClientSession | None = field(default=None)

    def allows(self, method: str, path: str) -> bool:
        """True for the four calls that a workspace needs."""
        calls = (("GET", "/hub/api"), ("GET", "/hub/api/user"), ("POST", "/hub/api/oauth2/token"))
        activity = rf"/hub/api/users/{re.escape(self.user)}/activity"
        return (method, path.removesuffix("/") or "/") in calls or (method == "POST" and path == activity)

    async def open(self) -> None:
        """Start to listen on a socket that only the workspace's server may open."""
        self._session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self.hub)), auto_decompress=False)
        app = web.Application(client_max_size=MOST, middlewares=[self._pass])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        path = self.folder / "hub.sock"
        await web.UnixSite(self._runner, str(path)).start()
        if self.mode is Mode.ROOT:
            os.chown(path, self.ids.uid, self.ids.gid)
        path.chmod(0o600)

    async def close(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    @property
    def _pass(self) -> Callable[..., Awaitable[web.StreamResponse]]:
        @web.middleware
        async def passing(request: web.Request, handler: object) -> web.StreamResponse:
            if request.path != request.raw_path.partition("?")[0] or not self.allows(request.method, request.path):
                return web.json_response({"status": 403, "message": "The workspace has no such call"}, status=403)
            assert self._session is not None
            headers = {name: request.headers[name] for name in KEPT_HEADERS if name in request.headers}
            url = f"http://hub{request.raw_path}"
            body = await request.read()
            async with self._session.request(request.method, url, data=body, headers=headers) as answer:
                kept = {"Content-Type": answer.headers.get("Content-Type", "application/json")}
                if "X-JupyterHub-Version" in answer.headers:
                    kept["X-JupyterHub-Version"] = answer.headers["X-JupyterHub-Version"]
                return web.Response(status=answer.status, body=await answer.read(), headers=kept)

        return passing
