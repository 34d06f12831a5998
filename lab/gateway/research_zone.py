"""The state of the research zone for requests: projects and what they requested from the ledgers, shelf and key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from credit.errors import CreditError, Lapsed, Missing, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Entry, Ledger
from credit.ledger.follower import Follower
from credit.ledger.statement import newest
from credit.order_requests import MEASUREMENT, ROWS, TABLE, TRAINING, OrderRequests
from credit.releases import newest_practice, newest_release, releases_of_purpose
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf
from lab.accounts.accounts import Accounts
from lab.airlock.review.service import AirlockService
from lab.gateway.display_pace import DisplayPace
from lab.projects import Project, fold_projects

if TYPE_CHECKING:
    from lab.settings import ResearchSettings, Workspace

SILENT = 60.0  # seconds without a countersignature after which compute's agent is away


@dataclass(slots=True)
class ResearchZone:
    """The state of the zone, made by :meth:`open`. Its methods can block; requests call them in threads."""

    settings: ResearchSettings
    ledger: Ledger
    shelf: Shelf
    key: SigningKey
    trainings: OrderRequests
    rows: OrderRequests
    tables: OrderRequests
    measurements: OrderRequests
    airlock: AirlockService
    display_pace: DisplayPace
    _projects: dict[str, Project]
    _of_projects: list[Entry]
    _follow: list[Follower] = field(default_factory=list)

    @classmethod
    def open(cls, settings: ResearchSettings) -> ResearchZone:
        """Load the zone's key and the ring, and read its ledgers; raises :class:`Missing` or :class:`Broken`."""
        ring, key = KeyRing.load(settings.ring), SigningKey.load(settings.keys, "research")
        ledger = Ledger(settings.ledger, key, ring, "research")
        compute = Ledger(settings.compute_ledger, None, ring, "compute")
        shelf = Shelf(settings.shelf, ring)
        accounts = Accounts.cached(Ledger(settings.accounts_ledger, None, ring, "desk"))
        airlock = AirlockService(settings, ledger, shelf, key, accounts, settings.day)
        kinds = OrderRequests(TRAINING), OrderRequests(ROWS), OrderRequests(TABLE), OrderRequests(MEASUREMENT)
        zone = cls(settings, ledger, shelf, key, *kinds, airlock, DisplayPace(ledger), {}, [])
        zone._follow = [
            Follower(ledger, (zone._apply, *(each.apply_research for each in kinds))),
            Follower(compute, tuple(each.apply_compute for each in kinds)),
        ]
        zone.catch_up()
        return zone

    def catch_up(self) -> None:
        """Apply the new entries of both ledgers; raises :class:`Broken`."""
        for follower in self._follow:
            follower.catch_up()

    def project(self, workspace: Workspace) -> Project:
        """The project of a workspace.

        Raises :class:`Refused` for an unknown project or a user who is not a member, :class:`Lapsed` when it has ended.
        """
        self.catch_up()
        project = self._projects.get(workspace.project)
        if project is None:
            raise Refused("research-zone.no-project", project=workspace.project)
        project.require(workspace.user, self.settings.day())
        return project

    def release(self, name: str = "") -> OpenedSeal:
        """The research release with this id, or the newest that has not expired; its files are not digested again.

        Raises :class:`Missing`, :class:`Lapsed`, or :class:`Refused` when it was made for another purpose.
        """
        today = self.settings.day()
        if name:
            opened = self.shelf.open(name, deep=False)
            seal = opened.seal
            if seal.kind is not Kind.RELEASE or seal.terms.get("purpose") != "research":
                raise Refused("research-zone.no-research-release", seal_short=seal.short)
            seal.require_not_expired(today)
            return opened
        if newest := newest_release(self.shelf, "research", today):
            return newest
        if newest_release(self.shelf, "research"):
            raise Lapsed("research-zone.every-research-release-lapsed")
        raise Missing("research-zone.no-research-release-yet")

    def practice(self, name: str = "") -> OpenedSeal:
        """The practice tables with this id, or the newest that have not expired; the files are not digested again.

        Raises :class:`Missing`, :class:`Lapsed`, or :class:`Refused` for a seal of another kind.
        """
        today = self.settings.day()
        if name:
            opened = self.shelf.open(name, deep=False)
            if opened.seal.kind is not Kind.PRACTICE:
                raise Refused("research-zone.no-practice-tables", seal_short=opened.seal.short)
            opened.seal.require_not_expired(today)
            return opened
        if newest := newest_practice(self.shelf, today):
            return newest
        raise Missing("research-zone.no-practice-tables-yet")

    def compute_away_since(self) -> str | None:
        """When compute's agent was last seen, if it is away; empty while it is there, None where it was never seen.

        It countersigns this zone's ledger every 20 seconds while it runs.
        """
        try:
            statement = newest(self.ledger.path.parent / "witness", "research", "compute", self.shelf.ring)
        except (CreditError, OSError):
            return None  # those who watch the ledgers report it
        if statement is None:
            return None
        age = (datetime.now(UTC) - datetime.fromisoformat(statement.at)).total_seconds()
        return statement.at if age > SILENT else ""

    def releases(self) -> list[Seal]:
        """The research releases that have not expired, the newest first."""
        today = self.settings.day()
        return [seal for seal in reversed(releases_of_purpose(self.shelf, "research")) if today < seal.expires_on]

    def _apply(self, entry: Entry) -> None:
        if entry.verb.startswith("project."):
            self._of_projects.append(entry)
            self._projects = fold_projects(self._of_projects)
