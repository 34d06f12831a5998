"""Sessions (会话): how the user signed in, where else, and signing out everywhere."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from lab.console.access_rules import EVERYONE, get_page, post_form
from lab.console.cookies import SESSION
from lab.console.request_session import CurrentSession, sign_in_again_url

router = APIRouter()


@get_page(router, "/sessions", EVERYONE)
def sessions(session: CurrentSession) -> Response:
    """The page of the user's own sign-ins."""
    sign_ins = session.app_state.hub.sign_ins(session.token)
    this = next((each for each in sign_ins if each.this), None)
    again = sign_in_again_url(session, f"{session.prefix}sessions")
    return session.page("sessions.html.j2", sign_ins=sign_ins, this=this, again=again)


@post_form(router, "/sessions/end", EVERYONE)
def sign_out_everywhere(session: CurrentSession) -> Response:
    """End every session of the user, at the hub, here and at the command line; then show the login page."""
    session.app_state.hub.sign_out_everywhere(session.token)
    answer = RedirectResponse(f"{session.app_state.hub.settings.hub}login", status_code=303)
    answer.delete_cookie(SESSION, path=session.prefix)
    return answer
