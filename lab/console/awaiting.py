"""What waits for a second person (待第二人办理): changes of accounts and requests, for those who may confirm them.

Nothing waits for the person who made it. Requests come from the front desk, which shows each person what they may see.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credit.actor import Actor, Role
from credit.errors import CreditError
from credit.requests.flows import flow_of
from credit.requests.request import Stage
from lab.accounts.account import AccountChange
from lab.console.production.model_state import promotions, waiting_versions
from lab.console.production.versions import (
    ModelVersion,
    approvals_given,
    has_approved,
    objection_to_judge,
    people_of,
    read_version,
    version_seals,
)
from lab.console.request_session import RequestSession


@dataclass(frozen=True, slots=True)
class AwaitedRequest:
    """A request that is to be confirmed; ``own`` for the person who made it."""

    id: str
    verb: str
    by: Actor
    at: datetime
    until: datetime
    arguments: dict[str, Any]
    own: bool

    @classmethod
    def of(cls, described: dict[str, Any], name: str) -> AwaitedRequest:
        """As the front desk described it to ``name``."""
        by = Actor.parse(described["by"])
        at, until = (datetime.fromisoformat(described[key]) for key in ("at", "deadline"))
        return cls(described["id"], described["verb"], by, at, until, described["arguments"], by.name == name)


@dataclass(frozen=True, slots=True)
class Awaiting:
    """What waits for one person. ``fault`` is why a part of it could not be read; the others are there all the same."""

    changes: tuple[AccountChange, ...] = ()
    requests: tuple[AwaitedRequest, ...] = ()
    promotions: tuple[ModelVersion, ...] = ()
    fault: CreditError | None = None

    @property
    def count(self) -> int:
        """How many changes, requests and promotions wait."""
        return len(self.changes) + len(self.requests) + len(self.promotions)

    @classmethod
    def of(cls, session: RequestSession) -> Awaiting:
        """What waits for the person of a session; nothing for roles that confirm nothing."""
        if not session.has(Role.PLATFORM):
            return cls()
        changes = tuple(
            each for each in session.app_state.accounts.changes() if session.name not in (each.by.name, each.name)
        )
        requests: tuple[AwaitedRequest, ...] = ()
        waiting: tuple[ModelVersion, ...] = ()
        fault: CreditError | None = None
        try:
            waiting = promotions_for(session)
        except CreditError as error:
            fault = error
        try:
            requests = tuple(each for each in unconfirmed(session) if not each.own)
        except CreditError as error:
            fault = error
        return cls(changes, requests, waiting, fault)


def promotions_for(session: RequestSession) -> tuple[ModelVersion, ...]:
    """The versions whose promotion is requested and about which this person may decide."""
    state = session.app_state
    ids = waiting_versions(promotions(state))
    if not ids:
        return ()
    people = people_of(state)
    # A version that was destroyed meanwhile is not on the shelf any more, and nothing is decided about it.
    waiting = [read_version(state, seal) for seal in version_seals(state) if seal.id in ids]
    return tuple(
        each
        for each in waiting
        if objection_to_judge(state, each, people, session.name) is None
        and not has_approved(approvals_given(state, each, people), session.name)
    )


def unconfirmed(session: RequestSession) -> list[AwaitedRequest]:
    """The requests that wait for a second person and that this person made or may confirm, the oldest first."""
    listed = session.desk.call("GET", "/requests")["requests"]
    waiting = [AwaitedRequest.of(each, session.name) for each in listed if each["stage"] == Stage.UNCONFIRMED]
    return [each for each in waiting if each.own or session.has(*flow_of(each.verb).confirmers)]
