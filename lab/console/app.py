"""The console as a FastAPI application, made from its settings (控制台)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from fastapi.routing import APIRoute

from lab.console import error_pages, login
from lab.console.app_state import AppState
from lab.console.city import commitments, deliveries, quality, quarantine, repairs
from lab.console.pages import (
    accounts,
    bank,
    cards,
    collected,
    emergency,
    files,
    help,
    home,
    ledgers,
    model_pages,
    models,
    orders,
    parcels,
    projects,
    requests,
    sessions,
    verdicts,
)
from lab.console.rendering.headers import SecurityHeaders
from lab.console.request_session import authorize_request
from lab.console.settings import HubSettings
from lab.settings import ResearchSettings

PAGES = (
    home, parcels, files, collected, projects, accounts, orders, ledgers, verdicts, cards, models, bank, requests,
    emergency, sessions, help, deliveries, quarantine, repairs, quality, commitments, model_pages,
)  # fmt: skip


def create_app(settings: ResearchSettings, hub: HubSettings) -> FastAPI:
    """The application with every page under the service's prefix. Raises what :meth:`AppState.open` raises."""
    app_state = AppState.open(settings, hub)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        app_state.start()
        try:
            yield
        finally:
            app_state.close()

    app = FastAPI(title="haihe console", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.app_state = app_state
    app.add_middleware(SecurityHeaders, hub=hub.host)
    error_pages.install(app)
    for route in (route for each in (login, *PAGES) for route in each.router.routes):
        assert isinstance(route, APIRoute)  # the table of routes is flat and complete: a test reads it
        path, methods = hub.service_prefix.rstrip("/") + route.path, sorted(route.methods or ())
        app.add_api_route(
            path,
            route.endpoint,
            methods=methods,
            dependencies=[Depends(authorize_request)],
            response_class=Response,
            response_model=None,
        )
    return app
