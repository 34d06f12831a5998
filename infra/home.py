"""Home: one folder in which all the zones of one machine live, each with keys, ledger and settings of its own.

::

    <home>/keys/<zone>/     signing-<zone>.pem and the zone's secrets, mode 0600
    <home>/keys/ring/       public keys: all that an auditor needs
    <home>/raw/             raw tables, encrypted
    <home>/shelf/           what zones leave for each other
    <home>/ledgers/         one ledger a zone
    <home>/mlflow/          tracking and registry server: SQLite and artefacts
    <home>/lab/             accounts, homes of workspaces, what was asked to leave, sockets
    <home>/outbox/          sealed parcels: what left the lab
    <home>/runs/            how far trainings are
    <home>/service/         bank clients and mandates: SQLite

A deployment sets each zone's ``HAIHE_<ZONE>_…`` instead, on machines that hold that zone alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from credit.files import write_whole
from credit.keys import KeyRing, SigningKey, create_secret
from credit.ledger import Ledger
from credit.settings import read
from credit.shelf import Shelf

ZONES = ("custody", "research", "compute", "platform", "service")
SECRETS = {
    "custody": ("raw", "pseudonym-research", "pseudonym-scoring", "pseudonym-inquiry"),
    "service": ("pseudonym-scoring", "pseudonym-inquiry"),
}
Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True)
class Home:
    """The folder, and what is where in it."""

    root: Path

    @classmethod
    def here(cls, env: Mapping[str, str] = os.environ) -> Home:
        """The home that ``HAIHE_HOME`` names; ``var/lab`` otherwise."""
        return cls(Path(env.get("HAIHE_HOME", "var/lab")).resolve())

    def ensure_keys(self) -> bool:
        """Make every key that is not there yet; True when any was made. The secrets of scoring and inquiry are
        shared by custody (who makes those releases) and the service (who must find a subject in them), and by nobody
        else."""
        made = False
        for zone in ZONES:
            folder = self.keys(zone)
            if not (folder / f"signing-{zone}.pem").exists():
                key = SigningKey.create(folder, zone)
                write_whole(self.ring_folder / f"{zone}.pem", key.public_pem())
                made = True
        for name in SECRETS["custody"]:
            if not (self.keys("custody") / f"{name}.key").exists():
                create_secret(self.keys("custody") / f"{name}.key")
        for name in SECRETS["service"]:
            if not (self.keys("service") / f"{name}.key").exists():
                secret = (self.keys("custody") / f"{name}.key").read_bytes()
                write_whole(self.keys("service") / f"{name}.key", secret, mode=0o600)
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
        """A zone's ledger, for reading unless told otherwise."""
        return Ledger(self.root / "ledgers" / f"{zone}.jsonl", self.key(zone) if writing else None, self.ring, zone)

    def ledgers(self) -> dict[str, Ledger]:
        """Every ledger there is, by zone."""
        return {zone: self.ledger(zone) for zone in ZONES if (self.root / "ledgers" / f"{zone}.jsonl").exists()}

    def environment(self, zone: str) -> dict[str, str]:
        """What a zone's settings are on this machine, as the environment that zone would be started with."""
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
        """A zone's settings: this machine's, overridden by what the environment says."""
        return read(cls, {**self.environment(zone), **env}, f"HAIHE_{zone.upper()}_")
