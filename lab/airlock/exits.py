"""The exits of the lab (出口): one act of the platform closes them all, and another opens them again.

While they are closed no parcel is collected, no table leaves and no collected file is downloaded; what is submitted and
reviewed meanwhile stays. The entries of the research ledger are the only record: there is no file that could be lost.
"""

from __future__ import annotations

from collections.abc import Iterable

from credit.actor import Actor, Role
from credit.errors import Lapsed, Malformed
from credit.ledger import Entry, Ledger
from credit.messages import Text

EXITS = "exits"  # the object of the entries, and the first part of their verbs
CLOSED, OPENED = f"{EXITS}.closed", f"{EXITS}.opened"
LONGEST_REASON = 200  # characters


class ExitsClosed(Lapsed):
    """The platform has closed the exits (HTTP 503)."""

    slug = "exits-closed"


def closing_entry(entries: Iterable[Entry]) -> Entry | None:
    """The entry that closed the exits, if they are closed; from all or some entries of research, in order."""
    last = None
    for entry in entries:
        if entry.verb in (CLOSED, OPENED):
            last = entry
    return last if last is not None and last.verb == CLOSED else None


def require_exits_open(entries: Iterable[Entry]) -> None:
    """Raise :class:`ExitsClosed` with the platform's reason while the exits are closed."""
    closed = closing_entry(entries)
    if closed is not None:
        raise ExitsClosed("exits.closed", why=Text.verbatim(str(closed.details["why"])))


def close_exits(ledger: Ledger, why: str, *, by: Actor, request: str = "") -> str:
    """Close the exits; the reason as it is written. A ``request`` that was carried out before changes nothing.

    Raises :class:`Refused` without the role, :class:`Malformed` for a reason that is none and for closed exits.
    """
    return _change(ledger, why, by=by, request=request, close=True)


def open_exits(ledger: Ledger, why: str, *, by: Actor, request: str = "") -> str:
    """Open the exits again, as :func:`close_exits` closes them."""
    return _change(ledger, why, by=by, request=request, close=False)


def _change(ledger: Ledger, why: str, *, by: Actor, request: str, close: bool) -> str:
    by.require_role(Role.PLATFORM, act="act.close-exits" if close else "act.open-exits")
    reason = " ".join(why.split())
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise Malformed("exits.not-a-reason", longest=LONGEST_REASON)
    earlier = ledger.about(EXITS)
    if request and any(entry.details.get("request") == request for entry in earlier):
        return reason  # an agent that was killed carries it out again, perhaps after another act
    if close is (closing_entry(earlier) is not None):
        raise Malformed("exits.are-so")
    ledger.append(CLOSED if close else OPENED, EXITS, by=by, details={"why": reason, "request": request})
    return reason
