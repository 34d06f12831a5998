"""The files of collected parcels (已领取的文件): they leave through a browser, by a link that ends.

Its author may have a parcel, and the recipients whom it names: reviewers saw their names, and its seal says them. A
link is made for one file and one person, is good for ten minutes, and every download is an entry before its first byte
is sent. The bytes are those of the sealed parcel in the outbox, which are verified against the seal's digests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Actor, Role
from credit.errors import CreditError, Missing, Refused
from credit.separation.account_history import has_account_throughout
from credit.separation.span import Span
from credit.shelf import OpenedSeal, Shelf
from lab.airlock.exits import EXITS, require_exits_open
from lab.airlock.review.petition import Petition
from lab.console.access_rules import EVERYONE, get_page, post_form
from lab.console.ledgers.ledger_view import LedgerView
from lab.console.pages.parcels import airlock_of
from lab.console.rendering.headers import attachment
from lab.console.request_session import CurrentSession, RequestSession

LINK_SECONDS = 600
DOWNLOADED = "parcel.downloaded"
_USE = "collected-file"  # of the cookie jar's keys
router = APIRouter()


@dataclass(frozen=True, slots=True)
class ReceivedParcel:
    """A collected parcel as its author and recipients see it: what it is, its files, and the day on which it ends."""

    petition: Petition
    files: tuple[str, ...]
    ends_on: date


@get_page(router, "/received", EVERYONE)
def received(session: CurrentSession) -> Response:
    """The collected parcels that the user may download now, the newest first."""
    parcels = []
    for petition in reversed(airlock_of(session.app_state).all()):
        if _may_have(session, petition):
            try:
                seal = _opened(session, petition, deep=False).seal
            except CreditError:  # over, or no longer this person's: a link would be refused with the reason
                continue
            parcels.append(ReceivedParcel(petition, tuple(sorted(seal.files)), seal.expires_on))
    return session.page("received.html.j2", parcels=parcels)


@post_form(router, "/parcels/{id}/link", EVERYONE)
def make_link(session: CurrentSession, id: str) -> Response:
    """Make a link to a file of a collected parcel of the user's own, or that names them, and follow it."""
    file = session.field("file")
    if file not in collected(session, id).seal.files:
        raise Missing("parcels.no-such-file-in-parcel")
    content = {"parcel": id, "file": file, "name": session.name}
    link = urlencode({"link": session.app_state.cookie_jar.seal(_USE, content)})
    return session.redirect(f"parcels/{id}/collected?{link}")


@get_page(router, "/parcels/{id}/collected", EVERYONE)
def download(session: CurrentSession, id: str, link: str = "") -> Response:
    """The bytes of the link's file, after an entry in the ledger."""
    content = session.app_state.cookie_jar.open(_USE, link, seconds=LINK_SECONDS)
    if content is None or (content["parcel"], content["name"]) != (id, session.name):
        raise Missing("collected.link-ended", minutes=LINK_SECONDS // 60)
    opened, file = collected(session, id), content["file"]
    sent = (opened.path / file).read_bytes()
    details = {"file": file, "digest": opened.seal.files[file], "parcel": opened.seal.id}
    session.app_state.ledger.append(DOWNLOADED, id, by=_actor(session), details=details)
    return attachment(file, sent)


def collected(session: RequestSession, id: str) -> OpenedSeal:
    """The sealed parcel of a petition that is the user's own or names them as a recipient, its files verified.

    Raises :class:`Missing` for others and before it was collected, :class:`Refused` for an author who has left the
    project and for a recipient whose account was another one when the parcel was submitted, and :class:`Lapsed` after
    the project's end for its author, after the parcel's end, and while the exits are closed.
    """
    petition = airlock_of(session.app_state).get(id)
    if not _may_have(session, petition):
        raise Missing("parcels.no-such-parcel-among-yours")
    return _opened(session, petition)


def _may_have(session: RequestSession, petition: Petition) -> bool:
    return bool(petition.sealed) and session.name in (petition.author.name, *petition.context.recipients)


def _opened(session: RequestSession, petition: Petition, *, deep: bool = True) -> OpenedSeal:
    app_state, name = session.app_state, session.name
    require_exits_open(LedgerView.of(app_state.research, f"{EXITS}.").entries())
    if name == petition.author.name:
        session.actor(Role.RESEARCHER)
        app_state.projects.get(petition.project).require(name, app_state.today())
    elif not has_account_throughout(app_state.accounts, name, Span(petition.submitted_at, datetime.now(UTC))):
        raise Refused("collected.another-account", name=name)
    shelf = Shelf(app_state.settings.outbox, app_state.ring)
    return shelf.open(petition.sealed or "", today=app_state.today(), deep=deep)


def _actor(session: RequestSession) -> Actor:
    """The user as the ledger names them: as a researcher, or in the first of their roles."""
    roles = session.account.roles if session.account else ()
    return session.actor(Role.RESEARCHER if Role.RESEARCHER in roles or not roles else roles[0])
