"""The routes of the reference: the page, what it loads, and the OpenAPI document in the language of the page.

Everything comes from this service, and the page's policy (CSP) allows nothing else. Requests can be tried only on a
service whose credit files are of an invented city; elsewhere the page leads to the sandbox that the settings name.
"""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from credit.errors import CreditError
from credit.messages import Text, preferred
from serving.app.openapi.texts import in_chinese
from serving.core.service import ScoringService

_HERE, _SWAGGER_UI = Path(__file__).parent, Path(str(files("fastapi_offline"))) / "static"
_ASSETS = {
    "swagger-ui-bundle.js": (_SWAGGER_UI, "text/javascript"),
    "swagger-ui.css": (_SWAGGER_UI, "text/css"),
    "reference.js": (_HERE, "text/javascript"),
    "reference.css": (_HERE, "text/css"),
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def add_reference(app: FastAPI) -> None:
    """Add the reference to the application; its routes are not part of the OpenAPI document."""

    @cache
    def chinese() -> dict[str, Any]:
        return in_chinese(app.openapi())

    @app.get("/docs", include_in_schema=False)
    async def page(request: Request) -> Response:
        """The page, in the language of the query or of the browser."""
        language = request.query_params.get("lang", "")
        if language not in ("zh", "en"):
            language = preferred(request.headers.get("accept-language", ""))
        service: ScoringService = request.app.state.service
        html = reference_page(language, has_invented_data=_has_invented_data(service), sandbox=service.settings.sandbox)
        return HTMLResponse(html, headers={**_HEADERS, "Content-Language": language, "Vary": "Accept-Language"})

    @app.get("/docs/openapi.{language}.json", include_in_schema=False)
    async def document(language: str) -> Response:
        """The OpenAPI document of this language."""
        if language not in ("zh", "en"):
            raise HTTPException(404)
        return JSONResponse(chinese() if language == "zh" else app.openapi())

    @app.get("/docs/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        """A script or a style sheet of the page."""
        if name not in _ASSETS:
            raise HTTPException(404)
        folder, media = _ASSETS[name]
        headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
        return FileResponse(folder / name, media_type=media, headers=headers)


def reference_page(language: str, *, has_invented_data: bool, sandbox: str) -> str:
    """The page as HTML."""
    if has_invented_data:
        note = Text.of("reference.try-it").render(language)
    elif sandbox:
        address = f"{sandbox.rstrip('/')}/docs"
        link = f'<a href="{escape(address)}">{escape(address)}</a>'
        note = escape(Text.of("reference.sandbox-at", address="{address}").render(language)).format(address=link)
    else:
        note = Text.of("reference.real-data").render(language)
    return _template().substitute(
        language=language,
        title=Text.of("reference.title").render(language),
        note=note,
        no_script=Text.of("reference.no-script").render(language),
        try_it="yes" if has_invented_data else "no",
    )


@cache
def _template() -> Template:
    return Template((_HERE / "page.html").read_text(encoding="utf-8"))


def _has_invented_data(service: ScoringService) -> bool:
    """Whether the credit files say that every record is invented; a service without them counts as real."""
    try:
        return service.credit_files is not None and service.credit_files.open(service.settings.day()).invented is True
    except CreditError:
        return False
