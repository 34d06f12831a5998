"""What the pages work with (控制台所用): settings, keys, ledgers with their indexes, accounts, projects, the shelf."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from credit.errors import CreditError
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.releases import newest
from credit.shelf import Opened, Shelf
from lab.accounts import Accounts
from lab.console.cookies import Jar
from lab.console.hub import Hub
from lab.console.ledgers.ledger_index import Index
from lab.console.ledgers.ledger_view import Chapter
from lab.console.settings import HubSettings
from lab.projects import Projects
from lab.settings import ResearchSettings

RESEARCH = "research"
WATCH = 2.0  # seconds between two looks for new entries


@dataclass(slots=True)
class Room:
    """One console's things. :meth:`open` makes it from settings, :meth:`close` lets go of files and threads."""

    settings: ResearchSettings
    hub: Hub
    jar: Jar
    key: SigningKey
    ring: KeyRing
    indexes: dict[str, Index]
    faults: dict[str, CreditError] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _reader: threading.Thread | None = None

    @classmethod
    def open(cls, settings: ResearchSettings, hub: HubSettings) -> Room:
        """Raises :class:`~credit.errors.Missing` or :class:`~credit.errors.Broken` when keys are not in order."""
        ring, key = KeyRing.load(settings.ring), SigningKey.load(settings.keys, RESEARCH)
        indexes = {
            zone: Index(Ledger(path, key if zone == RESEARCH else None, ring, zone), _file(settings, zone))
            for zone, path in _ledgers(settings).items()
        }
        return cls(settings, Hub(hub), Jar(hub.api_token), key, ring, indexes)

    @property
    def research(self) -> Index:
        """The research ledger's index."""
        return self.indexes[RESEARCH]

    @property
    def ledger(self) -> Ledger:
        """The research ledger, for writing."""
        return self.research.ledger

    @property
    def accounts(self) -> Accounts:
        """Who may log in."""
        return Accounts(self.settings.accounts)

    @property
    def projects(self) -> Projects:
        """The projects, folded from their entries alone."""
        return Projects(Chapter.of(self.research, "project."))

    @property
    def shelf(self) -> Shelf:
        """What zones left for each other."""
        return Shelf(self.settings.shelf, self.ring)

    def today(self) -> date:
        """The day it is for projects and releases."""
        return self.settings.day()

    def newest_release(self) -> Opened | None:
        """The newest research release, its signature verified; None before there is one."""
        return newest(self.shelf, RESEARCH)

    def start(self) -> None:
        """Keep the indexes up in a thread of their own, so that a first reading keeps no page waiting."""
        self._reader = threading.Thread(target=self._keep_up, name="indexes", daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Stop the thread and close what is open."""
        self._stop.set()
        if self._reader is not None:
            self._reader.join()
        for index in self.indexes.values():
            index.close()
        self.hub.close()

    def _keep_up(self) -> None:
        while True:
            for zone, index in self.indexes.items():
                try:
                    index.keep_up(self._stop.is_set)
                    self.faults.pop(zone, None)
                except CreditError as fault:
                    if zone not in self.faults:
                        logging.getLogger("console").error("ledger %s: %s", zone, fault)
                    self.faults[zone] = fault
            if self._stop.wait(WATCH):
                return


def _ledgers(settings: ResearchSettings) -> dict[str, Path]:
    """The research ledger, the compute zone's, and whatever other zones' ledgers lie beside ours and may be read."""
    found = {RESEARCH: settings.ledger, "compute": settings.compute_ledger}
    for path in sorted(settings.ledger.parent.glob("*.jsonl")):
        if path not in found.values():
            found[path.stem] = path
    return found


def _file(settings: ResearchSettings, zone: str) -> Path:
    return settings.accounts.parent / "console" / f"{zone}.sqlite"
