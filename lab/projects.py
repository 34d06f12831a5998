"""Projects (课题): who may work on which tables until when. Folded from the research ledger: there is no other record.

A workspace belongs to one member of one project, sees the granted tables of the newest research release alone, and
ends on the project's day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from credit.actor import Actor, Role
from credit.errors import Lapsed, Malformed, Missing, Refused
from credit.ledger import Entry, Ledger

NAME = re.compile(r"[a-z][a-z0-9]{1,29}")


@dataclass(frozen=True, slots=True)
class Project:
    """What the ledger says of one project. ``tables``: what is granted, by the catalogue's names."""

    name: str
    title: str
    purpose: str
    ends_on: date
    members: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    closed: bool = False

    def require(self, user: str, today: date) -> None:
        """Raise :class:`Refused` for one who is no member, :class:`Lapsed` when the project is over."""
        if user not in self.members:
            raise Refused("projects.not-member", user=user, self_name=self.name)
        if self.closed or today >= self.ends_on:
            raise Lapsed(
                "projects.project-over",
                why="it was closed" if self.closed else f"it ended on {self.ends_on}",
                self_name=self.name,
            )


def fold(entries: Iterable[Entry]) -> dict[str, Project]:
    """The projects by name, as the entries of verbs ``project.…`` made them."""
    found: dict[str, Project] = {}
    for entry in entries:
        kind, _, move = entry.verb.partition(".")
        name = entry.object.removeprefix("project-")
        if kind != "project":
            continue
        told = entry.details
        if move == "opened":
            found[name] = Project(name, told["title"], told["purpose"], date.fromisoformat(told["ends_on"]))
        elif move == "members":
            found[name] = replace(found[name], members=tuple(told["members"]))
        elif move == "granted":
            found[name] = replace(found[name], tables=tuple(told["tables"]))
        elif move == "extended":
            found[name] = replace(found[name], ends_on=date.fromisoformat(told["ends_on"]), closed=False)
        elif move == "closed":
            found[name] = replace(found[name], closed=True)
    return found


@dataclass(frozen=True, slots=True)
class Projects:
    """The projects of a research ledger."""

    ledger: Ledger

    def all(self) -> dict[str, Project]:
        """Every project by name."""
        return fold(self.ledger.entries())

    def get(self, name: str) -> Project:
        """One project; raises :class:`Missing`."""
        found = self.all().get(name)
        if found is None:
            raise Missing("projects.no-project", name=name[:30])
        return found

    def of(self, user: str, today: date) -> list[Project]:
        """The living projects a user is a member of."""
        return [
            each for each in self.all().values() if user in each.members and not each.closed and today < each.ends_on
        ]

    def open(self, name: str, *, title: str, purpose: str, ends_on: date, by: Actor) -> Project:
        """Open a project; raises :class:`Malformed` for a bad name or one that is taken."""
        by.require_role(Role.PLATFORM, act="act.open-projects")
        if not NAME.fullmatch(name):
            raise Malformed("projects.not-project-name")
        if name in self.all():
            raise Malformed("projects.project-already", name=name)
        if not title.strip() or not purpose.strip():
            raise Malformed("projects.project-needs-title-and-purpose")
        self._append("opened", name, by, title=title, purpose=purpose, ends_on=ends_on.isoformat())
        return self.get(name)

    def set_members(self, name: str, members: Iterable[str], *, by: Actor) -> Project:
        """Say who the members are from now on."""
        by.require_role(Role.PLATFORM, act="act.change-members")
        self.get(name)
        self._append("members", name, by, members=sorted(set(members)))
        return self.get(name)

    def grant(self, name: str, tables: Iterable[str], *, by: Actor) -> Project:
        """Say which tables are granted from now on."""
        by.require_role(Role.PLATFORM, act="act.grant-tables")
        self.get(name)
        self._append("granted", name, by, tables=sorted(set(tables)))
        return self.get(name)

    def extend(self, name: str, ends_on: date, *, by: Actor) -> Project:
        """Let a project end on another day."""
        by.require_role(Role.PLATFORM, act="act.extend-projects")
        self.get(name)
        self._append("extended", name, by, ends_on=ends_on.isoformat())
        return self.get(name)

    def close(self, name: str, *, by: Actor) -> Project:
        """End a project now."""
        by.require_role(Role.PLATFORM, act="act.close-projects")
        self.get(name)
        self._append("closed", name, by)
        return self.get(name)

    def _append(self, move: str, name: str, by: Actor, **details: object) -> None:
        self.ledger.append(f"project.{move}", f"project-{name}", by=by, details=details)
