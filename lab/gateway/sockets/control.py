"""The app of the control socket, for the hub alone: it opens and closes workspaces' sockets, and sends what it saw."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from lab.gateway import error_responses
from lab.gateway.endpoints import machine_log
from lab.gateway.mounted_rows import unmount_ended
from lab.gateway.request_bodies import read_json
from lab.gateway.research_zone import ResearchZone
from lab.gateway.sockets.listening import WorkspaceOpening, WorkspaceSockets


def control_app(zone: ResearchZone, listening: WorkspaceSockets) -> FastAPI:
    """``POST /workspaces``, ``DELETE /workspaces/<name>``, ``GET /workspaces``, ``GET /health``, and the records of
    what kernels did (:mod:`lab.gateway.endpoints.machine_log`).
    """
    app = FastAPI(title="The lab's gateway, for the hub", docs_url=None, redoc_url=None)
    app.state.zone, app.state.listening = zone, listening
    error_responses.install(app)
    app.include_router(machine_log.router)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        """The status and the number of open workspaces."""
        return {"status": "ok", "workspaces": len(listening.names())}

    @app.get("/workspaces")
    async def workspaces() -> list[str]:
        """The names of the open workspaces."""
        return listening.names()

    @app.post("/workspaces", status_code=201)
    async def begin(request: Request) -> dict[str, str]:
        """Open a workspace for a member of an open project; a repeated request returns the same sockets."""
        opening = WorkspaceOpening.parse(await read_json(request))
        project = await run_in_threadpool(zone.project, opening.workspace)
        await run_in_threadpool(unmount_ended, zone, project)
        return await listening.open(opening)

    @app.delete("/workspaces/{name}", status_code=204)
    async def end(name: str) -> Response:
        """Close a workspace's sockets."""
        await listening.close(name)
        return Response(status_code=204)

    return app
