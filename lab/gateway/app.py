"""The apps of a workspace's two sockets, each one app for all workspaces: the socket identifies the workspace."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request

from lab.gateway import error_responses
from lab.gateway.endpoints import (
    cell_log,
    measurements,
    orders,
    parcels,
    promotions,
    read_log,
    rows,
    shown_files,
    tables,
)
from lab.gateway.endpoints.catalogue import describe, describe_releases
from lab.gateway.identity import Admitted
from lab.gateway.research_zone import ResearchZone

MAJOR = "1"
everyone = APIRouter()
kernels = APIRouter()
_REPORTS = (cell_log.router, read_log.router, shown_files.router)
_ORDERS = (orders.router, rows.router, tables.router, measurements.router, promotions.router)


@everyone.get("/v1/me")
async def me(who: Admitted) -> dict[str, Any]:
    """The workspace of this socket: user, project, granted tables, and the last day."""
    principal, project = who
    return {
        "user": principal.workspace.user,
        "project": project.name,
        "title": project.title,
        "purpose": project.purpose,
        "ends_on": project.ends_on.isoformat(),
        "members": list(project.members),
        "tables": list(project.tables),
        "side": "kernel" if principal.kernel else "server",
    }


@kernels.get("/v1/catalogue")
async def catalogue(request: Request, who: Admitted, search: str = "", practice: str = "") -> dict[str, Any]:
    """The granted practice tables (the newest unless named), and the names of the tables not granted."""
    principal, project = who
    opened = await principal.run_blocking(request.app.state.zone.practice, practice[:80])
    return await principal.run_blocking(describe, opened.seal, project, search[:200])


@kernels.get("/v1/releases")
async def releases(request: Request, who: Admitted) -> list[dict[str, Any]]:
    """The releases of records on which compute carries orders out: their days, and the granted tables in them."""
    principal, project = who
    seals = await principal.run_blocking(request.app.state.zone.releases)
    return describe_releases(seals, project)


def kernel_app(zone: ResearchZone) -> FastAPI:
    """The app for a notebook's kernel, where untrusted code runs."""
    return _app(zone, "The lab's gateway, for a kernel", everyone, kernels, *_ORDERS, parcels.router)


def server_app(zone: ResearchZone) -> FastAPI:
    """The app for the workspace's Jupyter server, which is trusted."""
    return _app(zone, "The lab's gateway, for a workspace's server", everyone, *_REPORTS)


def _app(zone: ResearchZone, title: str, *routers: APIRouter) -> FastAPI:
    app = FastAPI(title=title, version=MAJOR, docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    app.state.zone = zone
    error_responses.install(app)
    for router in routers:
        app.include_router(router)
    return app
