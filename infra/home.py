"""Home: one folder in which all the zones of one machine live, each with keys, ledger and settings of its own.

::

    <home>/keys/<zone>/     signing-<zone>.pem and the zone's secrets, mode 0600
    <home>/keys/ring/       public keys: all that an auditor needs
    <home>/raw/             raw tables, encrypted
    <home>/partitions/      compute's: which subjects are grouped together on which day
    <home>/tables/          compute's: the units behind every table that was given
    <home>/shelf/           what zones leave for each other
    <home>/ledgers/         one ledger per zone
    <home>/mlflow/          tracking and registry server: SQLite and artefacts
    <home>/lab/             credentials, homes of workspaces, parcels under review, sockets
    <home>/outbox/          sealed parcels: what left the lab
    <home>/requests/        private arguments of requests, while they are carried out
    <home>/runs/            progress of requests and trainings, one folder a zone
    <home>/service/         bank clients and mandates: SQLite
    <home>/running/         which processes run, for `haihe status`

Every verb of ``haihe`` uses the home that ``HAIHE_HOME`` names, and ``var/lab`` by default. Earlier versions of
``haihe up`` kept a home of their own, ``var/demo/home``, which ``haihe demo`` also makes: it is used when there is no
other.

A deployment sets each zone's ``HAIHE_<ZONE>_…`` instead, on machines that hold that zone alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from credit.errors import Broken
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.requests.state_reader import LEDGER_ZONES, ZONES
from credit.settings import read
from credit.shelf import Shelf
from infra.language.texts import localized
from infra.zone_keys import SECRETS

DEFAULT, FORMER = Path("var/lab"), Path("var/demo/home")
SHARED = ("pseudonym-scoring", "pseudonym-inquiry")  # secrets of custody that the service has too
CODE = Path(__file__).parents[1]
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

        Each zone's are made by a process of their own. Two zones alone share the secrets of scoring and inquiry:
        custody, which makes those releases, and the service, which must find a subject in them.
        """
        missing = [zone for zone in ZONES if not (self.keys(zone) / f"signing-{zone}.pem").exists()]
        missing += [] if "custody" in missing or self._has_secrets() else ["custody"]
        self.ring_folder.mkdir(parents=True, exist_ok=True)  # a path that cannot be a home is an error of this process
        self._with_keys(missing)
        for name in SHARED:
            if not (self.keys("service") / f"{name}.key").exists():
                _copy_secret(self.keys("custody") / f"{name}.key", self.keys("service") / f"{name}.key")
        return bool(missing)

    def begin_ledgers(self) -> None:
        """Record of every ledger that it has begun, before the zones' users can no longer write beside the public keys.

        A ledger that is gone later is then missed, even one into which nothing was written yet.
        """
        self._with_keys(ZONES, "ledgers")

    def _with_keys(self, zones: Iterable[str], *more: str) -> None:
        """Run :mod:`infra.zone_keys` for each zone, in a process of its own."""
        command = [sys.executable, "-m", "infra.zone_keys"]
        makers = {
            zone: subprocess.Popen([*command, zone, str(self.root), *more], cwd=CODE, stdin=subprocess.DEVNULL)
            for zone in zones
        }
        codes = {zone: maker.wait() for zone, maker in makers.items()}
        for zone, code in codes.items():
            if code:
                raise Broken("home.keys-not-made", zone=zone)

    def _has_secrets(self) -> bool:
        return all((self.keys("custody") / f"{name}.key").exists() for name in SECRETS["custody"])

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

    def named_ledger(self, name: str, zone: str) -> Ledger:
        """The ledger of this name, which the zone signs, for reading; also one that is not there."""
        return Ledger(self.root / "ledgers" / f"{name}.jsonl", None, self.ring, zone)

    def ledgers(self) -> dict[str, Ledger]:
        """Every ledger that has begun, by its name; also one whose files are gone."""
        ledgers = {name: self.named_ledger(name, zone) for name, zone in LEDGER_ZONES.items()}
        return {name: ledger for name, ledger in ledgers.items() if ledger.has_begun()}

    @property
    def witness_folder(self) -> Path:
        """What each zone countersigned of the others' ledgers."""
        return self.root / "ledgers" / "witness"

    def environment(self, zone: str) -> dict[str, str]:
        """A zone's settings on this machine, as the environment to start that zone with."""
        prefix = f"HAIHE_{zone.upper()}_"
        shared = {
            "SHELF": self.root / "shelf",
            "KEYS": self.keys(zone),
            "RING": self.ring_folder,
            "LEDGER": self.root / "ledgers" / f"{zone}.jsonl",
            "LEDGERS": self.root / "ledgers",
            "RUNS": self.root / "runs",
            "REQUESTS": self.root / "requests",
        }
        owned: dict[str, dict[str, Path | str]] = {
            "custody": {"RAW": self.root / "raw"},
            "research": {
                "ACCOUNTS_LEDGER": self.root / "ledgers" / "desk.jsonl",
                "HOMES": self.root / "lab" / "homes",
                "AIRLOCK": self.root / "lab" / "airlock",
                "RUN": self.root / "lab" / "run",
                "OUTBOX": self.root / "outbox",
                "COMPUTE_LEDGER": self.root / "ledgers" / "compute.jsonl",
            },
            "compute": {
                "MLFLOW_URI": "http://127.0.0.1:5000",
                "PARTITIONS": self.root / "partitions",
                "TABLES": self.root / "tables",
                "OUTCOMES": self.root / "service" / "outcomes",
                "RESEARCH_LEDGER": self.root / "ledgers" / "research.jsonl",
            },
            "platform": {"MLFLOW_URI": "http://127.0.0.1:5000"},
            "service": {"ACCESS": self.root / "service" / "access.db"},
        }
        return {prefix + name: str(value) for name, value in {**shared, **owned.get(zone, {})}.items()}

    def settings(self, cls: type[Settings], zone: str, env: Mapping[str, str] = os.environ) -> Settings:
        """A zone's settings: this machine's, overridden by those of ``env``."""
        return read(cls, {**self.environment(zone), **env}, f"HAIHE_{zone.upper()}_")


def _copy_secret(source: Path, target: Path) -> None:
    """Copy a secret within the kernel: this process never reads it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    shutil.copyfile(source, temporary)
    os.replace(temporary, target)


def default_folder() -> Path:
    """``var/lab``, or the former default of ``haihe up`` when that is the only home; then standard error says so."""
    if Home(FORMER).exists() and not Home(DEFAULT).exists():
        _note_former()
        return FORMER
    return DEFAULT


@cache
def _note_former() -> None:
    sys.stderr.write(f"  {localized('cli.home.former', home=FORMER, default=DEFAULT)}\n")
