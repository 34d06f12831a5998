"""The console as a function of its settings (控制台)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from fastapi.routing import APIRoute

from lab.console import error_pages, login
from lab.console.app_state import Room
from lab.console.pages import accounts, files, help, home, ledgers, orders, parcels, projects
from lab.console.rendering.headers import Headers
from lab.console.request_session import admit
from lab.console.settings import HubSettings
from lab.settings import ResearchSettings

ROOMS = (home, parcels, files, projects, accounts, orders, ledgers, help)


def create_app(settings: ResearchSettings, hub: HubSettings) -> FastAPI:
    """Every page under the service's prefix. Raises what :meth:`Room.open` does."""
    room = Room.open(settings, hub)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        room.start()
        try:
            yield
        finally:
            room.close()

    app = FastAPI(title="haihe console", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.room = room
    app.add_middleware(Headers, hub=hub.host)
    error_pages.install(app)
    for route in (route for each in (login, *ROOMS) for route in each.router.routes):
        assert isinstance(route, APIRoute)  # one flat table: what is in it is what there is, and a test reads it
        path, methods = hub.service_prefix.rstrip("/") + route.path, sorted(route.methods or ())
        app.add_api_route(
            path,
            route.endpoint,
            methods=methods,
            dependencies=[Depends(admit)],
            response_class=Response,
            response_model=None,
        )
    return app
