"""The scoring service as an ASGI application, built from its settings; it starts from the sealed folders alone."""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager
from functools import cache

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from credit.errors import Lapsed
from credit.messages import Text, preferred
from serving import errors
from serving.app.lifespan import lifespan
from serving.app.openapi.operations import DocumentedApp, declare
from serving.app.openapi.problems import PROBLEMS, TOKEN_FORM, TOKEN_RESPONSES
from serving.app.products import PRODUCTS
from serving.app.readiness import readiness
from serving.app.reference.pages import add_reference
from serving.endpoints.batch_jobs.routes import ROUTES as JOB_ROUTES
from serving.endpoints.mandates.routes import ROUTES as MANDATE_ROUTES
from serving.endpoints.monitoring.routes import ROUTES as WATCH_ROUTES
from serving.endpoints.objections.objection_routes import ROUTES as OBJECTION_ROUTES
from serving.endpoints.outcomes.outcome_routes import ROUTES as OUTCOME_ROUTES
from serving.endpoints.reports.report_routes import ROUTES as REPORT_ROUTES
from serving.endpoints.reports.special_routes import ROUTES as SPECIAL_ROUTES
from serving.endpoints.subject.routes import add_subject_page
from serving.http import routing
from serving.http.endpoint import ScoringEndpoint
from serving.http.token_endpoint import issue_token
from serving.observability.metrics import CONTENT_TYPE
from serving.processes.shared_readiness import SharedReadiness
from serving.settings import ServiceSettings


@cache
def _declared_routes() -> list[BaseRoute]:
    """The routes of everything that banks request; made once per process, as they depend on no settings."""
    router = APIRouter()
    for product in PRODUCTS.values():
        declare(router, product, PROBLEMS)
    routes = (*SPECIAL_ROUTES, *REPORT_ROUTES, *WATCH_ROUTES, *JOB_ROUTES, *OBJECTION_ROUTES, *MANDATE_ROUTES)
    for route in (*routes, *OUTCOME_ROUTES):
        routing.add_route(router, route, PROBLEMS)
    return router.routes


def create_app(
    settings: ServiceSettings, shared_readiness: SharedReadiness | None = None, place: int = 0
) -> ScoringEndpoint:
    """The service, with the endpoint of its products in front; one of several processes when they share readiness.

    `place` is that of this process in the shared readiness.

    It is live at once, and ready when every model has a fresh snapshot and the ledger can be written.
    """

    def start(app: FastAPI) -> AbstractAsyncContextManager[None]:
        return lifespan(app, settings, shared_readiness, place)

    app = DocumentedApp(
        title="海河信用 scoring service", version="1", docs_url=None, redoc_url=None, lifespan=start,
        redirect_slashes=False,  # a redirect would contain the client's Host header, and a token would follow it
    )  # fmt: skip
    errors.install(app)
    endpoint = app.state.endpoint = ScoringEndpoint(app, PRODUCTS, settings.most_at_once)
    app.router.routes.extend(_declared_routes())
    _add_metrics(app, endpoint)
    _add_access(app, endpoint)
    _add_health(app, shared_readiness, place)
    add_reference(app)
    add_subject_page(app)
    app.openapi()  # made before the first bank requests it
    return endpoint


def _add_metrics(app: FastAPI, endpoint: ScoringEndpoint) -> None:
    @app.get("/metrics", summary="Counts and times for Prometheus", include_in_schema=False)
    async def metrics() -> Response:
        """The metrics; they contain no bank, no subject and no id."""
        return Response(endpoint.metrics.text(endpoint.under_way), media_type=CONTENT_TYPE)


def _add_access(app: FastAPI, endpoint: ScoringEndpoint) -> None:
    @app.get("/.well-known/jwks.json", summary="The keys that signed answers verify with (RFC 7517)")
    async def keys(request: Request) -> Response:
        """The service's public keys, the present one and older ones; the header X-JWS-Signature names which."""
        return JSONResponse(request.app.state.service.public_keys)

    @app.post(
        "/oauth2/token",
        summary="Client credentials (RFC 6749 §4.4)",
        responses=TOKEN_RESPONSES,
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": TOKEN_FORM}}}
        },
    )
    async def token(request: Request) -> Response:
        """A bearer token for fifteen minutes. The client is named by HTTP Basic, or by client_id and client_secret."""
        began = time.perf_counter()
        try:
            response = await issue_token(request, request.app.state.service, request.app.state.throttle)
        except errors.Overloaded:
            endpoint.metrics.shed()
            raise
        took = time.perf_counter() - began
        endpoint.metrics.count("/oauth2/token", response.status_code, took, endpoint.under_way)
        return response


def _add_health(app: FastAPI, shared_readiness: SharedReadiness | None, place: int) -> None:
    @app.get("/live", summary="The process answers")
    async def live() -> Response:
        """Shows only that the process answers."""
        return JSONResponse({"live": True})

    @app.get(
        "/ready",
        summary="Every model has a fresh snapshot and the ledger can be written",
        responses={503: PROBLEMS[503]},
    )
    async def ready(request: Request) -> Response:
        """The snapshots in use; 503 with the same when one is missing or stale, or the ledger cannot be written."""
        state = readiness(
            request.app.state.service, shared_readiness.others_not_ready(place) if shared_readiness else 0
        )
        if state.ok:
            no_pdf = app.state.no_pdf
            reports = {"fault": no_pdf} if no_pdf else {"format": "PDF/A-2u"}
            shown = {"models": state.models, "dossiers": state.dossiers, "evaluations": state.evaluations}
            return JSONResponse({"ready": True, **shown, "reports": reports})
        lapsed = Lapsed("create.service-not-ready", why=Text.several(map(Text.verbatim, state.faults)))
        problem = lapsed.problem(preferred(request.headers.get("accept-language", "")))
        return errors.ProblemResponse({**problem, "ready": False, "models": state.models}, status_code=503)
