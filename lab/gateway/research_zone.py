"""The state of the research zone for requests: projects and trainings from the ledgers, shelf and key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from credit.errors import Lapsed, Missing, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Entry, Ledger
from credit.ledger_follower import Follower
from credit.releases import newest_release
from credit.seal import Kind
from credit.shelf import OpenedSeal, Shelf
from credit.training_requests import TrainingRequests
from lab.airlock.review.service import AirlockService
from lab.projects import Project, fold_projects

if TYPE_CHECKING:
    from lab.settings import ResearchSettings, Workspace


@dataclass(slots=True)
class ResearchZone:
    """The state of the zone, made by :meth:`open`. Its methods can block; requests call them in threads."""

    settings: ResearchSettings
    ledger: Ledger
    shelf: Shelf
    key: SigningKey
    trainings: TrainingRequests
    airlock: AirlockService
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
        airlock = AirlockService(settings, ledger, shelf, key, settings.day)
        zone = cls(settings, ledger, shelf, key, TrainingRequests(), airlock, {}, [])
        zone._follow = [
            Follower(ledger, (zone._apply, zone.trainings.apply_research)),
            Follower(compute, (zone.trainings.apply_compute,)),
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

    def _apply(self, entry: Entry) -> None:
        if entry.verb.startswith("project."):
            self._of_projects.append(entry)
            self._projects = fold_projects(self._of_projects)
