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


def closing(entries: Iterable[Entry]) -> Entry | None:
    """The entry that closed the exits, if they are closed; from all or some entries of research, in order."""
    last = None
    for entry in entries:
        if entry.verb in (CLOSED, OPENED):
            last = entry
    return last if last is not None and last.verb == CLOSED else None


def require_open(entries: Iterable[Entry]) -> None:
    """Raise :class:`ExitsClosed` with the platform's reason while the exits are closed."""
    closed = closing(entries)
    if closed is not None:
        raise ExitsClosed("exits.closed", why=Text.verbatim(str(closed.details["why"])))


def close_exits(ledger: Ledger, why: str, *, by: Actor) -> str:
    """Close the exits; the reason as it is written. Raises :class:`Refused` without the role, :class:`Malformed`."""
    return _change(ledger, why, by=by, close=True)


def open_exits(ledger: Ledger, why: str, *, by: Actor) -> str:
    """Open the exits again; the reason as it is written. Raises :class:`Refused` and :class:`Malformed` likewise."""
    return _change(ledger, why, by=by, close=False)


def _change(ledger: Ledger, why: str, *, by: Actor, close: bool) -> str:
    by.require_role(Role.PLATFORM, act="act.close-exits" if close else "act.open-exits")
    reason = " ".join(why.split())
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise Malformed("exits.not-a-reason", longest=LONGEST_REASON)
    closed = closing(ledger.about(EXITS))
    if close and closed is not None and (closed.by, closed.details["why"]) == (by, reason):
        return reason  # begun again after it was done
    if close is (closed is not None):
        raise Malformed("exits.are-so")
    ledger.append(CLOSED if close else OPENED, EXITS, by=by, details={"why": reason})
    return reason
