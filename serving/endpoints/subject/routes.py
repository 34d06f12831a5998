"""The routes of the subject's own page: enter, see, confirm or refuse, withdraw, object, get the report, leave."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from credit.actor import Actor, Role
from credit.errors import CreditError, Missing, Refused
from credit.messages import Text, preferred
from serving import errors
from serving.core.request import SERVICE, RequestContext
from serving.core.service import ScoringService
from serving.endpoints.batch_jobs.upload_places import UploadPlaces
from serving.endpoints.subject import acts, pages
from serving.endpoints.subject.forms import cookie_line, cookie_of, read_form, require_own_page
from serving.endpoints.subject.overview import overview
from serving.endpoints.subject.subject_call import SubjectCall
from serving.endpoints.subject.words import WORDS
from serving.http.request_id import request_id_of
from serving.mandates.applications import Applications
from serving.mandates.subject_sessions import SESSION_SECONDS

LOOKS = UploadPlaces(4, 2)  # pages that are made at once, and of one subject
Act = Callable[[SubjectCall], Awaitable[str]]  # gives the message that the page then shows
ACTS: dict[str, Act] = {"decide": acts.decide_application, "withdraw": acts.withdraw, "object": acts.object_to}


def add_subject_page(app: FastAPI) -> None:
    """Add the page to the application; its routes are not part of the banks' OpenAPI document."""

    @app.get("/subject/open/{link}", include_in_schema=False)
    async def offered(request: Request, link: str) -> Response:
        """The link's own page. Looking at it uses nothing up: programs that preview links do so too."""
        return _page(request, pages.draw(_language(request), link=link[:128]))

    @app.post("/subject/open", include_in_schema=False)
    async def opened(request: Request) -> Response:
        """Use the link, once."""
        return await _entered(request, acts.enter_by_link)

    @app.post("/subject/key", include_in_schema=False)
    async def signed(request: Request) -> Response:
        """Enter by a statement that the subject's registered key signed."""
        return await _entered(request, acts.enter_by_key)

    @app.get("/subject", include_in_schema=False)
    async def page(request: Request) -> Response:
        """The page, or the entrance where no session is open."""
        applications, language = _applications(request), _language(request)
        session = await asyncio.to_thread(applications.sessions.session, cookie_of(request))
        if session is None:
            return _page(request, pages.draw(language))
        note = request.query_params.get("done", "")
        message = Text(WORDS[f"done-{note}"]).render(language) if note in acts.DONE else ""
        looking = RequestContext(request_id_of(request.scope), Actor(session.subject, Role.SUBJECT))
        with LOOKS.reserve(looking):  # each searches the ledger, for seconds where it is long
            values = await asyncio.to_thread(overview, _service(request), applications.store, session.subject)
        return _page(request, pages.draw(language, note=message, session=session, **values))

    @app.get("/subject/report", include_in_schema=False)
    async def report(request: Request) -> Response:
        """The subject's report, as page or PDF."""
        return await _with_session(request, {}, acts.own_report)

    @app.post("/subject/leave", include_in_schema=False)
    async def left(request: Request) -> Response:
        """End the session."""
        require_own_page(request)
        token = cookie_of(request)
        await asyncio.to_thread(_applications(request).sessions.end, token)
        response = RedirectResponse(f"/subject?lang={_language(request)}", 303)
        response.headers["Set-Cookie"] = cookie_line("", seconds=0, is_secure=_is_secure(request))
        return response

    @app.post("/subject/{act}", include_in_schema=False)
    async def acted(request: Request, act: str) -> Response:
        """Do what a form of the page asks for, and show the page again."""
        if act not in ACTS:
            raise Missing("subject-page.no-such-act")
        form = await read_form(request)

        async def carry_out(own: SubjectCall) -> Response:
            if not hmac.compare_digest(form.get("form", "").encode(), own.session.form_token.encode()):
                raise Refused("subject-page.form-of-another-page")
            done = await ACTS[act](own)
            return RedirectResponse(f"/subject?lang={_language(request)}&done={done}", 303)

        return await _with_session(request, form, carry_out)


async def _entered(
    request: Request, enter: Callable[[ScoringService, Applications, dict[str, str]], tuple[str, str]]
) -> Response:
    service, applications, form = _service(request), _applications(request), await read_form(request)
    try:
        subject, uscc = await asyncio.to_thread(enter, service, applications, form)
    except CreditError as refused:
        call = RequestContext(request_id_of(request.scope))
        await service.record_refusal(call, refused)
        raise
    by = Actor(subject, Role.SUBJECT)
    details = {"means": enter.__name__.rpartition("_")[2], "status": 200}
    await service.ledger_writer.record("subject.entered", request_id_of(request.scope), by=by, details=details)
    token = await asyncio.to_thread(applications.sessions.begin, subject, uscc)
    response = RedirectResponse(f"/subject?lang={_language(request)}", 303)
    line = cookie_line(token, seconds=int(SESSION_SECONDS), is_secure=_is_secure(request))
    response.headers["Set-Cookie"] = line
    return response


async def _with_session(
    request: Request, form: dict[str, str], carry_out: Callable[[SubjectCall], Awaitable[Response]]
) -> Response:
    service, applications = _service(request), _applications(request)
    session = await asyncio.to_thread(applications.sessions.session, cookie_of(request))
    if session is None:
        return RedirectResponse(f"/subject?lang={_language(request)}", 303)
    own = SubjectCall(request, service, applications, session, form)
    try:
        return await carry_out(own)
    except CreditError as refused:
        call = RequestContext(request_id_of(request.scope), SERVICE, {"subject": session.subject})
        await service.record_refusal(call, refused)
        return errors.respond(refused, _language(request))


def _page(request: Request, html: str) -> HTMLResponse:
    return HTMLResponse(html, headers={**pages.headers(), "Content-Language": _language(request)})


def _language(request: Request) -> str:
    language = request.query_params.get("lang", "")
    return language if language in ("zh", "en") else preferred(request.headers.get("accept-language", ""))


def _is_secure(request: Request) -> bool:
    return _service(request).settings.issuer.startswith("https://")


def _service(request: Request) -> ScoringService:
    service: ScoringService = request.app.state.service
    return service


def _applications(request: Request) -> Applications:
    applications: Applications = request.app.state.applications
    return applications
