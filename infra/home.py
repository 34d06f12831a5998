"""Home: one folder in which all the zones of one machine live, each with keys, ledger and settings of its own.

::

    <home>/keys/<zone>/     signing-<zone>.pem and the zone's secrets, mode 0600
    <home>/keys/ring/       public keys: all that an auditor needs
    <home>/raw/             raw tables, encrypted
    <home>/shelf/           what zones leave for each other
    <home>/ledgers/         one ledger per zone
    <home>/mlflow/          tracking and registry server: SQLite and artefacts
    <home>/lab/             accounts, homes of workspaces, parcels under review, sockets
    <home>/outbox/          sealed parcels: what left the lab
    <home>/runs/            progress of trainings
    <home>/service/         bank clients and mandates: SQLite
    <home>/running/         which processes run, for `haihe status`

Every verb of ``haihe`` uses the home that ``HAIHE_HOME`` names, and ``var/lab`` by default. Earlier versions of
``haihe up`` kept a home of their own, ``var/demo/home``, which ``haihe demo`` also makes: it is used when there is no
other.

A deployment sets each zone's ``HAIHE_<ZONE>_…`` instead, on machines that hold that zone alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from credit.files import write_atomically
from credit.keys import KeyRing, SigningKey, create_secret
from credit.ledger import Ledger
from credit.settings import read
from credit.shelf import Shelf
from infra.language.texts import localized

DEFAULT, FORMER = Path("var/lab"), Path("var/demo/home")
ZONES = ("custody", "research", "compute", "platform", "service")
SECRETS = {
    "custody": ("raw", "pseudonym-research", "pseudonym-scoring", "pseudonym-inquiry"),
    "service": ("pseudonym-scoring", "pseudonym-inquiry"),
}
Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of a home, and the places in it."""

    root: Path

    @classmethod
    def here(cls, env: Mapping[str, str] = os.environ) -> Home:
        """The home that ``HAIHE_HOME`` names, else the default one: see :func:`default_folder`."""
        named = env.get("HAIHE_HOME")
        return cls((Path(named) if named else default_folder()).resolve())

    def exists(self) -> bool:
        """True when this folder is a home already: it has keys or a shelf."""
        return (self.root / "keys").is_dir() or (self.root / "shelf").is_dir()

    def ensure_keys(self) -> bool:
        """Make every key that is not there yet; True when any was made.

        Two zones alone share the secrets of scoring and inquiry: custody, which makes those releases, and the service,
        which must find a subject in them.
        """
        made = False
        for zone in ZONES:
            folder = self.keys(zone)
            if not (folder / f"signing-{zone}.pem").exists():
                key = SigningKey.create(folder, zone)
                write_atomically(self.ring_folder / f"{zone}.pem", key.public_pem())
                made = True
        for name in SECRETS["custody"]:
            if not (self.keys("custody") / f"{name}.key").exists():
                create_secret(self.keys("custody") / f"{name}.key")
        for name in SECRETS["service"]:
            if not (self.keys("service") / f"{name}.key").exists():
                secret = (self.keys("custody") / f"{name}.key").read_bytes()
                write_atomically(self.keys("service") / f"{name}.key", secret, mode=0o600)
        return made

    def keys(self, zone: str) -> Path:
        """The folder of a zone's keys."""
        return self.root / "keys" / zone

    @property
    def ring_folder(self) -> Path:
        """The folder of public keys."""
        return self.root / "keys" / "ring"

    @property
    def ring(self) -> KeyRing:
        """The public keys."""
        return KeyRing.load(self.ring_folder)

    @property
    def shelf(self) -> Shelf:
        """The shelf the zones share."""
        return Shelf(self.root / "shelf", self.ring)

    def key(self, zone: str) -> SigningKey:
        """A zone's signing key."""
        return SigningKey.load(self.keys(zone), zone)

    def ledger(self, zone: str, *, writing: bool = False) -> Ledger:
        """A zone's ledger, for reading by default."""
        return Ledger(self.root / "ledgers" / f"{zone}.jsonl", self.key(zone) if writing else None, self.ring, zone)

    def ledgers(self) -> dict[str, Ledger]:
        """Every ledger there is, by zone."""
        return {zone: self.ledger(zone) for zone in ZONES if (self.root / "ledgers" / f"{zone}.jsonl").exists()}

    def environment(self, zone: str) -> dict[str, str]:
        """A zone's settings on this machine, as the environment to start that zone with."""
        prefix = f"HAIHE_{zone.upper()}_"
        shared = {
            "SHELF": self.root / "shelf",
            "KEYS": self.keys(zone),
            "RING": self.ring_folder,
            "LEDGER": self.root / "ledgers" / f"{zone}.jsonl",
        }
        owned: dict[str, dict[str, Path | str]] = {
            "custody": {"RAW": self.root / "raw"},
            "research": {
                "ACCOUNTS": self.root / "lab" / "accounts.json",
                "HOMES": self.root / "lab" / "homes",
                "AIRLOCK": self.root / "lab" / "airlock",
                "RUN": self.root / "lab" / "run",
                "OUTBOX": self.root / "outbox",
                "COMPUTE_LEDGER": self.root / "ledgers" / "compute.jsonl",
                "RUNS": self.root / "runs",
            },
            "compute": {
                "MLFLOW_URI": "http://127.0.0.1:5000",
                "RUNS": self.root / "runs",
                "RESEARCH_LEDGER": self.root / "ledgers" / "research.jsonl",
            },
            "service": {"ACCESS": self.root / "service" / "access.db"},
        }
        return {prefix + name: str(value) for name, value in {**shared, **owned.get(zone, {})}.items()}

    def settings(self, cls: type[Settings], zone: str, env: Mapping[str, str] = os.environ) -> Settings:
        """A zone's settings: this machine's, overridden by those of ``env``."""
        return read(cls, {**self.environment(zone), **env}, f"HAIHE_{zone.upper()}_")


def default_folder() -> Path:
    """``var/lab``, or the former default of ``haihe up`` when that is the only home; then standard error says so."""
    if Home(FORMER).exists() and not Home(DEFAULT).exists():
        _note_former()
        return FORMER
    return DEFAULT


@cache
def _note_former() -> None:
    sys.stderr.write(f"  {localized('cli.home.former', home=FORMER, default=DEFAULT)}\n")
