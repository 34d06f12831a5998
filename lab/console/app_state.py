"""The state that all pages share (控制台状态): settings, keys, ledger indexes, accounts, projects and the shelf."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from credit.errors import CreditError, Missing
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.releases import newest_release
from credit.requests.desk_client import DeskClient
from credit.requests.state_reader import LEDGER_ZONES
from credit.shelf import OpenedSeal, Shelf
from lab.accounts.accounts import Accounts
from lab.console.cookies import CookieJar
from lab.console.hub import Hub
from lab.console.ledgers.ledger_index import LedgerIndex
from lab.console.ledgers.ledger_view import LedgerView
from lab.console.settings import HubSettings
from lab.projects import Projects
from lab.settings import ResearchSettings

RESEARCH, ACCOUNTS = "research", "desk"  # the zones in whose ledgers parcels and accounts are
POLL_SECONDS = 2.0  # between two readings of new ledger entries


@dataclass(slots=True)
class AppState:
    """The state of one console. :meth:`open` makes it from settings; :meth:`close` releases its files and threads.

    By the name of the ledger, ``indexes`` holds an index of each that is readable, and ``faults`` the error of each
    that is broken.
    """

    settings: ResearchSettings
    hub: Hub
    cookie_jar: CookieJar
    key: SigningKey
    ring: KeyRing
    indexes: dict[str, LedgerIndex]
    faults: dict[str, CreditError] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _reader: threading.Thread | None = None

    @classmethod
    def open(cls, settings: ResearchSettings, hub: HubSettings) -> AppState:
        """Load the keys and open the indexes.

        Raises :class:`~credit.errors.Missing` or :class:`~credit.errors.Broken` when a key is missing or damaged.
        """
        ring, key = KeyRing.load(settings.ring), SigningKey.load(settings.keys, RESEARCH)
        indexes = {
            name: LedgerIndex(_ledger(path, name, key, ring), _index_file(settings, name))
            for name, path in _ledgers(settings).items()
        }
        return cls(settings, Hub(hub), CookieJar(hub.api_token), key, ring, indexes)

    @property
    def research(self) -> LedgerIndex:
        """The research ledger's index."""
        return self.indexes[RESEARCH]

    @property
    def ledger(self) -> Ledger:
        """The research ledger, for writing."""
        return self.research.ledger

    @property
    def accounts(self) -> Accounts:
        """The accounts that may sign in."""
        return Accounts(LedgerView.of(self.indexes[ACCOUNTS], "account."))

    def desk(self, token: str) -> DeskClient:
        """The front desk, for the person to whom the hub issued ``token``; raises :class:`Missing` without a desk."""
        if self.settings.desk is None:
            raise Missing("desk-client.no-desk")
        return DeskClient(self.settings.desk, token=token)

    @property
    def projects(self) -> Projects:
        """The projects, folded from the ledger's ``project.…`` entries."""
        return Projects(LedgerView.of(self.research, "project."), self.accounts)

    @property
    def shelf(self) -> Shelf:
        """The shelf on which zones leave seals for each other."""
        return Shelf(self.settings.shelf, self.ring)

    def today(self) -> date:
        """The date by which projects and releases are judged (Beijing time)."""
        return self.settings.day()

    def newest_release(self) -> OpenedSeal | None:
        """The newest research release, its signature verified; None before there is one."""
        return newest_release(self.shelf, RESEARCH)

    def start(self) -> None:
        """Start a thread that keeps the indexes up to date, so that no page waits for the first reading."""
        self._reader = threading.Thread(target=self._follow_ledgers, name="indexes", daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Stop the thread, and close the indexes and the hub's connections."""
        self._stop.set()
        if self._reader is not None:
            self._reader.join()
        for index in self.indexes.values():
            index.close()
        self.hub.close()

    def _follow_ledgers(self) -> None:
        while True:
            for zone, index in self.indexes.items():
                try:
                    index.catch_up(self._stop.is_set)
                    self.faults.pop(zone, None)
                except CreditError as fault:
                    if zone not in self.faults:
                        logging.getLogger("console").error("ledger %s: %s", zone, fault)
                    self.faults[zone] = fault
            if self._stop.wait(POLL_SECONDS):
                return


def _ledgers(settings: ResearchSettings) -> dict[str, Path]:
    """The ledgers by name: research, compute, desk, those of the city's work, also before their first entry, and every
    other ``*.jsonl`` beside the research ledger."""
    paths = {RESEARCH: settings.ledger, "compute": settings.compute_ledger, ACCOUNTS: settings.accounts_ledger}
    paths |= {zone: settings.ledger.with_name(f"{zone}.jsonl") for zone in ("custody", "platform")}
    for path in sorted(settings.ledger.parent.glob("*.jsonl")):
        if path not in paths.values():
            paths[path.stem] = path
    return paths


def _ledger(path: Path, name: str, key: SigningKey, ring: KeyRing) -> Ledger:
    """The ledger as its own zone signs it: a zone's agent may have one beside the zone's."""
    return Ledger(path, key if name == RESEARCH else None, ring, LEDGER_ZONES.get(name, name))


def _index_file(settings: ResearchSettings, name: str) -> Path:
    return settings.airlock.parent / "console" / f"{name}.sqlite"
