"""A request (请求): the verb, its arguments, the person who signed in, and until when it is to be done.

::

    desk       request.made        request-…  {verb, arguments, private, confirm, factor, deadline, today}
    desk       request.confirmed   request-…  by another person, where the request is to be confirmed
    desk       request.cancelled   request-…
    <zone>     step.done           request-…  {step, after, result}
    <zone>     step.failed         request-…  {step, after, kind, message, why, remedy, text}

``after`` is the id of the entry that gave the zone its turn (the request, its confirmation, or the step before): a zone
cannot write a step before it has seen that entry. ``private`` is the digest of the arguments that may name a subject.
They lie in a file beside the desk, which only the agents read and which is deleted when the request has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from credit.actor import Actor
from credit.errors import Broken
from credit.ledger.entry import Entry
from credit.requests.flows import FLOWS, Flow

MADE, CONFIRMED, CANCELLED = "request.made", "request.confirmed", "request.cancelled"
STEP_DONE, STEP_FAILED = "step.done", "step.failed"


class Stage(StrEnum):
    """How far a request is."""

    UNCONFIRMED = "unconfirmed"  # waits for a second person
    OPEN = "open"  # a step waits for its zone, or is being carried out
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the front desk wrote it down. ``seq`` is the number of its entry in the desk's ledger."""

    id: str
    verb: str
    arguments: Mapping[str, Any]
    confirm: bool  # a second person confirms it before any work
    private: str  # the digest of the private arguments; empty where there are none
    by: Actor
    factor: str  # how the person signed in: password, totp, passkey, oidc, peer, invented
    at: datetime
    deadline: datetime
    today: date | None
    seq: int

    @classmethod
    def of(cls, entry: Entry) -> Request:
        """The request in an entry ``request.made``; raises :class:`Broken` for one of another form."""
        data = entry.details
        try:
            today = data["today"]
            return cls(
                id=entry.object,
                verb=data["verb"],
                arguments=dict(data["arguments"]),
                confirm=bool(data["confirm"]),
                private=data["private"],
                by=entry.by,
                factor=data["factor"],
                at=entry.at,
                deadline=datetime.fromisoformat(data["deadline"]),
                today=date.fromisoformat(today) if today else None,
                seq=entry.seq,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Broken("request.unreadable", seq=entry.seq) from error

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Request:
        """The request that :meth:`stored` gave; raises :class:`KeyError`, :class:`TypeError` or :class:`ValueError`."""
        day = data["today"]
        times = {name: datetime.fromisoformat(data[name]) for name in ("at", "deadline")}
        return cls(
            **{**data, **times, "by": Actor.parse(data["by"]), "today": date.fromisoformat(day) if day else None}
        )

    def stored(self) -> dict[str, Any]:
        """All of it as JSON, for a checkpoint."""
        names = {each.name: getattr(self, each.name) for each in fields(self)}
        times = {name: names[name].isoformat() for name in ("at", "deadline")}
        return {**names, **times, "by": str(self.by), "today": self.today.isoformat() if self.today else None}

    @property
    def flow(self) -> Flow:
        """Its flow."""
        return FLOWS[self.verb]
