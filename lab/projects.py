"""Projects (课题): members, granted tables and last day, computed from the research ledger and stored nowhere else.

A workspace belongs to one member of one project, sees only the granted tables of the newest research release, and ends
with the project.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from credit.actor import Actor, Role
from credit.errors import Lapsed, Malformed, Missing, Refused
from credit.ledger import Entry, Ledger
from credit.messages import Text
from credit.separation.account_history import AccountHistory, NoAccounts, roles_now

NO_ACCOUNTS = NoAccounts()
NAME = re.compile(r"[a-z][a-z0-9]{1,29}")


@dataclass(frozen=True, slots=True)
class Project:
    """One project as recorded in the ledger. ``tables`` are the granted tables, by the names of the catalogue."""

    name: str
    title: str
    purpose: str
    ends_on: date
    members: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    closed: bool = False

    def require(self, user: str, today: date) -> None:
        """Raise :class:`Refused` for a user who is not a member, :class:`Lapsed` when the project has ended."""
        if user not in self.members:
            raise Refused("projects.not-member", user=user, self_name=self.name)
        if self.closed or today >= self.ends_on:
            raise Lapsed(
                "projects.project-over",
                why=Text.of("projects.closed") if self.closed else Text.of("projects.ended", ends_on=self.ends_on),
                self_name=self.name,
            )


def fold_projects(entries: Iterable[Entry]) -> dict[str, Project]:
    """The projects by name, computed from the entries with verbs ``project.…``."""
    projects: dict[str, Project] = {}
    for entry in entries:
        kind, _, move = entry.verb.partition(".")
        name = entry.object.removeprefix("project-")
        if kind != "project":
            continue
        data = entry.details
        if move == "opened":
            projects[name] = Project(name, data["title"], data["purpose"], date.fromisoformat(data["ends_on"]))
        elif move == "members":
            projects[name] = replace(projects[name], members=tuple(data["members"]))
        elif move == "granted":
            projects[name] = replace(projects[name], tables=tuple(data["tables"]))
        elif move == "extended":
            projects[name] = replace(projects[name], ends_on=date.fromisoformat(data["ends_on"]), closed=False)
        elif move == "closed":
            projects[name] = replace(projects[name], closed=True)
    return projects


def _require_future(ends_on: date, today: date) -> None:
    if ends_on <= today:
        raise Malformed("projects.project-ends-on-day-to")


@dataclass(frozen=True, slots=True)
class Projects:
    """The projects of a research ledger. Who sets members needs ``accounts``, which say who is a researcher."""

    ledger: Ledger
    accounts: AccountHistory = NO_ACCOUNTS

    def all(self) -> dict[str, Project]:
        """Every project by name."""
        return fold_projects(self.ledger.entries())

    def get(self, name: str) -> Project:
        """One project; raises :class:`Missing`."""
        project = self.all().get(name)
        if project is None:
            raise Missing("projects.no-project", name=name[:30])
        return project

    def of(self, user: str, today: date) -> list[Project]:
        """The open projects of which a user is a member."""
        return [
            each for each in self.all().values() if user in each.members and not each.closed and today < each.ends_on
        ]

    def open(
        self,
        name: str,
        *,
        title: str,
        purpose: str,
        ends_on: date,
        by: Actor,
        today: date,
        members: Iterable[str] = (),
        tables: Iterable[str] = (),
    ) -> Project:
        """Open a project, with its members and granted tables: none of either unless they are named.

        Raises :class:`Malformed` for an invalid name, one that exists already, a day that is over, and members who are
        not researchers. Then nothing is written.
        """
        by.require_role(Role.PLATFORM, act="act.open-projects")
        members, tables = sorted(set(members)), sorted(set(tables))
        if not NAME.fullmatch(name):
            raise Malformed("projects.not-project-name")
        if name in self.all():
            raise Malformed("projects.project-already", name=name)
        if not title.strip() or not purpose.strip():
            raise Malformed("projects.project-needs-title-and-purpose")
        _require_future(ends_on, today)
        self._require_researchers(members, by)
        acts: list[tuple[str, dict[str, object]]] = [
            ("opened", {"title": title, "purpose": purpose, "ends_on": ends_on.isoformat()})
        ]
        if members:
            acts.append(("members", {"members": members}))
        if tables:
            acts.append(("granted", {"tables": tables}))
        self.ledger.append_many([(f"project.{move}", f"project-{name}", by, details) for move, details in acts])
        return self.get(name)

    def set_members(self, name: str, members: Iterable[str], *, by: Actor) -> Project:
        """Replace the members; raises :class:`Malformed` for new ones who are not researchers."""
        by.require_role(Role.PLATFORM, act="act.change-members")
        before, after = self.get(name), sorted(set(members))
        self._require_researchers(set(after) - set(before.members), by)
        self._append("members", name, by, members=after)
        return self.get(name)

    def grant(self, name: str, tables: Iterable[str], *, by: Actor) -> Project:
        """Replace the granted tables."""
        by.require_role(Role.PLATFORM, act="act.grant-tables")
        self.get(name)
        self._append("granted", name, by, tables=sorted(set(tables)))
        return self.get(name)

    def extend(self, name: str, ends_on: date, *, by: Actor, today: date) -> Project:
        """Set another last day, which also reopens a closed project; raises :class:`Malformed` for one that is over."""
        by.require_role(Role.PLATFORM, act="act.extend-projects")
        self.get(name)
        _require_future(ends_on, today)
        self._append("extended", name, by, ends_on=ends_on.isoformat())
        return self.get(name)

    def close(self, name: str, *, by: Actor) -> Project:
        """Close a project now."""
        by.require_role(Role.PLATFORM, act="act.close-projects")
        self.get(name)
        self._append("closed", name, by)
        return self.get(name)

    def _require_researchers(self, names: Iterable[str], by: Actor) -> None:
        """No account has two of the roles researcher, reviewer and platform in one project's affairs."""
        wrong = []
        for name in sorted(names):
            roles = set(roles_now(self.accounts, name))
            if name == by.name or Role.RESEARCHER not in roles or roles & {Role.REVIEWER, Role.PLATFORM}:
                wrong.append(name[:30])
        if wrong:
            raise Malformed("projects.not-researchers", names=", ".join(wrong))

    def _append(self, move: str, name: str, by: Actor, **details: object) -> None:
        self.ledger.append(f"project.{move}", f"project-{name}", by=by, details=details)
