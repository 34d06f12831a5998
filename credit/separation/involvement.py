"""Who may judge (回避): no person who had a part in what is judged, at any moment from its request to the decision.

People are compared by name: ``researcher:alice`` and ``platform:alice`` are one person. A person without an account may
do nothing. A reason is a message, so that the console can say who may not judge, and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from credit.actor import Actor, Role
from credit.ledger.entry import Entry
from credit.messages import Text
from credit.separation.account_history import AccountHistory, AccountsReadOnce, has_role_throughout, roles_within
from credit.separation.project_history import ProjectHistory, in_time
from credit.separation.span import Span

FORBIDDEN: Mapping[Role, frozenset[Role]] = MappingProxyType(
    {
        Role.REVIEWER: frozenset({Role.RESEARCHER, Role.PLATFORM}),
        Role.PLATFORM: frozenset({Role.RESEARCHER, Role.REVIEWER}),
    }
)
"""Role in which one judges -> roles that the account must not have had within the span. No other role judges."""

_ROLES = {
    Role.RESEARCHER: Text.of("separation.role-researcher"),
    Role.REVIEWER: Text.of("separation.role-reviewer"),
    Role.PLATFORM: Text.of("separation.role-platform"),
}


@dataclass(frozen=True, slots=True)
class ReviewedMatter:
    """What is judged: since when it is requested, who made it, for which projects, from which orders, and for whom."""

    since: datetime
    makers: frozenset[str]
    projects: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()
    recipients: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PeopleHistory:
    """What the ledgers say about people over time: their accounts, their projects, and the orders they placed."""

    accounts: AccountHistory
    projects: ProjectHistory

    @classmethod
    def of(cls, research: Iterable[Entry], accounts: AccountHistory) -> PeopleHistory:
        """The people of a research ledger's entries and of these accounts, each of which is read once."""
        return cls(AccountsReadOnce(accounts), ProjectHistory.of(in_time(research)))

    def objection(self, matter: ReviewedMatter, judge: Actor, until: datetime | None = None) -> Text | None:
        """Why a person may not judge a matter from its request until a moment (or the last that is known), or None."""
        name, span = judge.name, Span(matter.since, until)
        if judge.role not in FORBIDDEN:
            return Text.of("separation.no-judge", role=judge.role)
        if name in matter.makers:
            return Text.of("separation.made-it", name=name)
        if name in matter.recipients:
            return Text.of("separation.receives-it", name=name)
        placements = self.projects.placements(sorted(matter.orders))
        if any(name == placement.by for placement in placements):
            return Text.of("separation.placed-its-order", name=name)
        for project in sorted(matter.projects | {placement.project for placement in placements}):
            if self.projects.was_member(name, project, span):
                return Text.of("separation.was-member", name=name, project=project)
        for role in sorted(FORBIDDEN[judge.role] & roles_within(self.accounts, name, span)):
            return Text.of("separation.had-role", name=name, role=_ROLES[role])
        return None

    def vote_objection(self, matter: ReviewedMatter, judge: Actor, at: datetime, until: datetime | None) -> Text | None:
        """Why a judgement that a person gave at a moment does not count until another moment, or None.

        Beside what :meth:`objection` says, they need the role from their judgement on without a break: an account that
        was removed and made again under the same name may be another person's.
        """
        objection = self.objection(matter, judge, until)
        if objection is None and not has_role_throughout(self.accounts, judge.name, judge.role, Span(at, until)):
            return Text.of("separation.has-not-role", name=judge.name, role=_ROLES[judge.role])
        return objection
