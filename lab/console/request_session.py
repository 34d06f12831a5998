"""A visit (访问): one request of one who may make it, in their language, and how it is answered."""

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
from lab.accounts import Account
from lab.console.access_rules import EVERYONE, OVERSEERS, PLATFORM, access_of
from lab.console.app_state import Room
from lab.console.cookies import LANGUAGE, SESSION
from lab.console.rendering.render import render
from lab.console.rendering.translations import Words, choose

SESSION_SECONDS = 12 * 3600
LARGEST_FORM = 64 << 10  # bytes
FIELD = "form_token"
PLACES = (
    ("", "home", EVERYONE),
    ("parcels", "parcels", EVERYONE),
    ("projects", "projects", EVERYONE),
    ("orders", "orders", EVERYONE),
    ("ledger", "ledger", OVERSEERS),
    ("accounts", "accounts", PLATFORM),
)


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks, for what, with which form."""

    room: Room
    request: Request
    words: Words
    account: Account | None
    form_token: str
    form: Mapping[str, list[str]]

    @property
    def name(self) -> str:
        """The visitor's name; empty for one who is not logged in."""
        return self.account.name if self.account else ""

    @property
    def prefix(self) -> str:
        """The path all our pages are under."""
        return self.room.hub.settings.service_prefix

    @property
    def places(self) -> list[tuple[str, str]]:
        """The pages of the navigation that the visitor may open: path and word."""
        return [(path, word) for path, word, roles in PLACES if self.has(*roles)]

    def has(self, *roles: Role) -> bool:
        """True when the visitor has one of ``roles``."""
        return self.account is not None and bool(set(roles) & set(self.account.roles))

    def actor(self, role: Role) -> Actor:
        """The visitor acting in a role of theirs; raises :class:`Refused`."""
        if self.account is None:
            raise Unauthenticated("request-session.nobody-logged-in")
        return self.account.actor(role)

    def one(self, field: str) -> str:
        """A field of the form, without blanks at its ends; empty when it is not there."""
        return self.form.get(field, [""])[0].strip()

    def show(self, template: str, *, status: int = 200, **told: Any) -> HTMLResponse:
        """A page."""
        return HTMLResponse(render(template, visit=self, words=self.words, **told), status_code=status)

    def go(self, path: str, *, said: str = "") -> RedirectResponse:
        """Send the browser to a page of ours after a form, there to say a word of ``said.…``."""
        asked = f"?{urlencode({'said': said})}" if said else ""
        return RedirectResponse(f"{self.prefix}{path}{asked}", status_code=303)


async def admit(request: Request) -> None:
    """Let a request in, or raise :class:`Refused`: the route must say who may come, the visitor be one of them, and a
    form carry the token of this very session."""
    room: Room = request.app.state.room
    access = access_of(request.scope["route"].endpoint)
    if access is None:
        raise Refused("request-session.page-does-not-say-who")
    session = request.cookies.get(SESSION, "")
    account = None if access.open else await run_in_threadpool(_account, room, session)
    if account is not None and not access.roles & set(account.roles):
        why = f"it takes the role {' or '.join(sorted(access.roles))}"
        raise Refused("request-session.may-not-open-page", why=why, account_name=account.name)
    form: Mapping[str, list[str]] = {}
    if request.method not in ("GET", "HEAD"):
        form = await _form(request)
        if not room.jar.right(session, form.get(FIELD, [""])[0]):
            why = "its token is missing or another's"
            raise Refused("request-session.form-not-one-your-session", why=why)
    token = room.jar.form_token(session) if account else ""
    request.state.visit = Visit(room, request, words_of(request), account, token, form)


def visiting(request: Request) -> Visit:
    """The visit of an admitted request."""
    visit: Visit = request.state.visit
    return visit


Visiting = Annotated[Visit, Depends(visiting)]


def stranger(request: Request) -> Visit:
    """A visit of one who was not let in, so that they may be told so."""
    return Visit(request.app.state.room, request, words_of(request), None, "", {})


def words_of(request: Request) -> Words:
    """The words of the language chosen here, or accepted by the browser."""
    return Words.load(choose(request.cookies.get(LANGUAGE, ""), request.headers.get("accept-language", "")))


def _account(room: Room, session: str) -> Account:
    """Whose session it is: the hub says the name, the file of accounts the roles, at every request."""
    told = room.jar.open(SESSION, session, seconds=SESSION_SECONDS)
    if told is None:
        raise Unauthenticated("request-session.nobody-logged-in")
    account = room.accounts.all().get(room.hub.owner(told["token"]))
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
