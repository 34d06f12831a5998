"""The session of one request (请求会话): the signed-in account, the language, the form sent, and how to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse

from credit.actor import Actor, Role
from credit.errors import Malformed, Refused, Unauthenticated
from credit.requests.desk_client import DeskClient
from lab.accounts.account import Account
from lab.console.access_rules import AUDITORS, BANK, CITY, EVERYONE, LAB, PLATFORM, READERS, access_of
from lab.console.app_state import AppState
from lab.console.cookies import LANGUAGE, SESSION
from lab.console.rendering.render import render
from lab.console.rendering.translations import Translations, choose_language

SESSION_SECONDS = 12 * 3600  # how long a login lasts
LARGEST_FORM = 64 << 10  # bytes
TOKEN_FIELD = "form_token"
NAVIGATION = (  # path, key of its name, roles that may open it
    ("", "home", EVERYONE),
    ("parcels", "parcels", LAB),
    ("projects", "projects", LAB),
    ("orders", "orders", LAB),
    ("models", "models", READERS),
    ("received", "received", EVERYONE),
    ("ledger", "ledger", READERS),
    ("verdicts", "verdicts", AUDITORS),
    ("cards", "cards", AUDITORS),
    ("bank", "bank", BANK),
    ("deliveries", "deliveries", CITY),
    ("mappings", "mappings", CITY),
    ("quarantine", "quarantine", CITY),
    ("repairs", "repairs", CITY),
    ("quality", "quality", CITY),
    ("commitments", "commitments", CITY),
    ("accounts", "accounts", PLATFORM),
    ("emergency", "emergency", PLATFORM),
)


@dataclass(frozen=True, slots=True)
class RequestSession:
    """One request with its account and form. ``account`` is None on pages that need no login.

    ``form`` holds every value of each field of a POST; ``form_token`` is the token that the page's forms must carry.
    """

    app_state: AppState
    request: Request
    words: Translations
    account: Account | None
    form_token: str
    form: Mapping[str, list[str]]

    @property
    def name(self) -> str:
        """The user's name; empty when no user is signed in."""
        return self.account.name if self.account else ""

    @property
    def token(self) -> str:
        """The hub's token of this session; raises :class:`Unauthenticated` without a login."""
        cookie = self.request.cookies.get(SESSION, "")
        data = self.app_state.cookie_jar.open(SESSION, cookie, seconds=SESSION_SECONDS)
        if data is None:
            raise Unauthenticated("request-session.nobody-logged-in")
        return data["token"]

    @property
    def desk(self) -> DeskClient:
        """The front desk, which asks the hub itself who the person of this session is and how they signed in."""
        return self.app_state.desk(self.token)

    @property
    def prefix(self) -> str:
        """The path under which all pages of the console lie, with a slash at the end."""
        return self.app_state.hub.settings.service_prefix

    @property
    def navigation(self) -> list[tuple[str, str]]:
        """Path and name key of each page of the navigation that the user may open."""
        return [(path, word) for path, word, roles in NAVIGATION if self.has(*roles)]

    def has(self, *roles: Role) -> bool:
        """True when the user has at least one of ``roles``."""
        return self.account is not None and bool(set(roles) & set(self.account.roles))

    def actor(self, role: Role) -> Actor:
        """The user acting in ``role``; raises :class:`Unauthenticated` without a login, :class:`Refused` without it."""
        if self.account is None:
            raise Unauthenticated("request-session.nobody-logged-in")
        return self.account.actor(role)

    def field(self, name: str) -> str:
        """The first value of a form field, stripped of white space; empty when the field is missing."""
        return self.form.get(name, [""])[0].strip()

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Answer with a page drawn from ``template`` and ``values``."""
        return HTMLResponse(render(template, session=self, words=self.words, **values), status_code=status)

    def redirect(self, path: str, *, confirmation: str = "") -> RedirectResponse:
        """Send the browser to a page of the console (HTTP 303), which then shows the text ``confirmation.…``."""
        query = f"?{urlencode({'said': confirmation})}" if confirmation else ""
        return RedirectResponse(f"{self.prefix}{path}{query}", status_code=303)


async def authorize_request(request: Request) -> None:
    """Check a request before its endpoint runs, and store its :class:`RequestSession` in ``request.state``.

    Raises :class:`Refused` when the route declares no roles, when the user has none of them, or when a form does not
    carry the token of its own session; :class:`Unauthenticated` when no user is signed in.
    """
    app_state: AppState = request.app.state.app_state
    access = access_of(request.scope["route"].endpoint)
    if access is None:
        raise Refused("request-session.page-does-not-say-who")
    cookie = request.cookies.get(SESSION, "")
    account = None if access.open else await run_in_threadpool(_account, app_state, cookie)
    if account is not None and not access.roles & set(account.roles):
        roles = ", ".join(sorted(access.roles))
        raise Refused("request-session.may-not-open-page", account_name=account.name, roles=roles)
    form: Mapping[str, list[str]] = {}
    if request.method not in ("GET", "HEAD"):
        form = await _form(request)
        if not app_state.cookie_jar.is_form_token(cookie, form.get(TOKEN_FIELD, [""])[0]):
            raise Refused("request-session.form-not-one-your-session")
    token = app_state.cookie_jar.form_token(cookie) if account else ""
    request.state.session = RequestSession(app_state, request, words_of(request), account, token, form)


def current_session(request: Request) -> RequestSession:
    """The session of an authorized request."""
    session: RequestSession = request.state.session
    return session


CurrentSession = Annotated[RequestSession, Depends(current_session)]


def anonymous_session(request: Request) -> RequestSession:
    """A session without an account, for showing an error page to a client that was refused."""
    return RequestSession(request.app.state.app_state, request, words_of(request), None, "", {})


def words_of(request: Request) -> Translations:
    """The texts in the language that the user chose in the console, or that the browser accepts."""
    return Translations.load(
        choose_language(request.cookies.get(LANGUAGE, ""), request.headers.get("accept-language", ""))
    )


def _account(app_state: AppState, cookie: str) -> Account:
    """The account of a session cookie. The hub supplies the name, the account file the roles, at every request."""
    data = app_state.cookie_jar.open(SESSION, cookie, seconds=SESSION_SECONDS)
    if data is None:
        raise Unauthenticated("request-session.nobody-logged-in")
    account = app_state.accounts.all().get(app_state.hub.owner(data["token"]))
    if account is None:
        raise Refused("request-session.account-not-any-more")
    return account


async def _form(request: Request) -> Mapping[str, list[str]]:
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise Malformed("request-session.not-form-ours")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            raise Malformed("request-session.form-too-large", largest_form=LARGEST_FORM)
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=500)
    except ValueError as error:
        raise Malformed("request-session.not-form-ours-cannot-be-read") from error


def sign_in_again_url(session: RequestSession, path: str) -> str:
    """The hub's login page, also for a browser that is signed in; it leads back to ``path`` of the console."""
    return f"{session.app_state.hub.settings.hub}login-again?{urlencode({'next': path})}"
