"""The research zone as a request finds it: projects, trainings, shelf and key, folded from ledgers as they grow."""

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
from lab.projects import Project, fold

if TYPE_CHECKING:
    from lab.settings import ResearchSettings, Workspace


@dataclass(slots=True)
class ResearchZone:
    """Made by :meth:`open`. Its methods may block: requests call them in threads."""

    settings: ResearchSettings
    ledger: Ledger
    shelf: Shelf
    key: SigningKey
    trainings: TrainingRequests
    desk: AirlockService
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
        desk = AirlockService(settings, ledger, shelf, key, settings.day)
        zone = cls(settings, ledger, shelf, key, TrainingRequests(), desk, {}, [])
        zone._follow = [
            Follower(ledger, (zone._hear, zone.trainings.apply_research)),
            Follower(compute, (zone.trainings.apply_compute,)),
        ]
        zone.catch_up()
        return zone

    def catch_up(self) -> None:
        """Take in what the ledgers hold by now."""
        for follower in self._follow:
            follower.catch_up()

    def project(self, workspace: Workspace) -> Project:
        """The workspace's project; raises :class:`Refused` for one who is no member (any more), or of no project, and
        :class:`Lapsed` when it is over.
        """
        self.catch_up()
        found = self._projects.get(workspace.project)
        if found is None:
            raise Refused("research-zone.no-project", project=workspace.project)
        found.require(workspace.user, self.settings.day())
        return found

    def release(self, name: str = "") -> OpenedSeal:
        """The research release of this id, or the newest living one; its files are not digested again.

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
        if living := newest_release(self.shelf, "research", today):
            return living
        if newest_release(self.shelf, "research"):
            raise Lapsed("research-zone.every-research-release-lapsed")
        raise Missing("research-zone.no-research-release-yet")

    def _hear(self, entry: Entry) -> None:
        if entry.verb.startswith("project."):
            self._of_projects.append(entry)
            self._projects = fold(self._of_projects)
