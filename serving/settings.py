"""The settings of the scoring service: where its shelf, keys, ledger and clients are, and how old data may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path

from credit.errors import Malformed
from credit.settings import current_day
from serving.auth.own_name import LOOPBACK

POSTGRESQL = ("postgresql://", "postgres://")  # how the address of a server begins
LIVE_REASONS = ("ranks", "none", "points")
PREFIX = "HAIHE_SERVICE_"  # of the environment variables that the settings are read from


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Settings of the service zone (服务区), read from the environment variables HAIHE_SERVICE_*.

    - `shelf`: folder of sealed folders and pointers
    - `keys`: folder with signing-service.pem and pseudonym-scoring.key
    - `ring`: folder of the zones' public keys
    - `ledger`: the service's ledger, a hash chain in one file
    - `access`: the service's store, an SQLite database of clients, mandates, keys, quotas, watches and jobs; the files
      of jobs are beside it
    - `store`: the address of a PostgreSQL database (`postgresql://…`) that is the store instead of that file
    - `models`: names of models, separated by commas
    - `freshness_days`: greatest age in days of a snapshot that may be used for answers
    - `watch_seconds`: interval between two checks of the shelf for new snapshots
    - `algorithm`: of the pseudonyms, sha256 or sm3; must be that of the release
    - `today`: a fixed day for tests and demonstrations
    - `most_at_once`: requests under way, beyond which further ones get 503
    - `chores`: whether this service runs the background tasks (watches, deliveries, jobs)
    - `job_processes`: processes that share a large job, at the lowest priority; 0 means one per core
    - `webhooks_to_loopback`: whether webhooks may go to this machine, for homes with invented data only
    - `webhook_authorities`: PEM file of certificate authorities in addition to the system's
    - `proxies`: addresses of the proxies, separated by commas; with it, only requests through them are answered
    - `issuer`: the address that banks use, such as https://score.example; required outside this machine
    - `socket`: a Unix socket to listen on instead of host and port, for a proxy on the same machine
    - `workers`: processes that answer; 0 means one per core
    - `traces`: where OpenTelemetry spans go: `console` or a collector's address; empty turns traces off
    - `live_per_subject`: live scores of one subject that a bank may have in a day
    - `trials_per_day`: trials (`what_if`) that a bank may have in a day
    - `live_reasons`: how a live score gives its reasons: `ranks`, `none`, or `points`, which a trial never has
    - `sandbox`: the address of a service over an invented city, to which the reference at /docs leads developers
    - `mandate_rules`: the city's own rules for applications for mandates, a YAML file that replaces the shipped one
    - `supervision`: the city's own scales of supervision, a YAML file that replaces the shipped one
    """

    shelf: Path
    keys: Path
    ring: Path
    ledger: Path
    access: Path
    models: str = "enterprise,individual_business"
    freshness_days: int = 45
    watch_seconds: float = 1.0
    algorithm: str = "sha256"
    today: date | None = None
    most_at_once: int = 512
    host: str = "127.0.0.1"
    port: int = 8700
    chores: bool = True
    job_processes: int = 0
    webhooks_to_loopback: bool = False
    webhook_authorities: Path | None = None
    proxies: str = ""
    issuer: str = ""
    socket: Path | None = None
    workers: int = 1
    traces: str = ""
    live_per_subject: int = 20
    trials_per_day: int = 200
    live_reasons: str = "ranks"
    sandbox: str = ""
    supervision: Path | None = None
    store: str = field(default="", repr=False)  # it may hold a password
    mandate_rules: Path | None = None

    def __post_init__(self) -> None:
        """Raise Malformed for an empty list of models or a value outside its range."""
        if not self.model_names:
            raise Malformed("settings.no-model-to-serve")
        if not self.watch_seconds > 0:
            raise Malformed("settings.watch-seconds-must-be-above", watch_seconds=self.watch_seconds)
        if not 0 <= self.workers <= 256:
            raise Malformed("settings.workers-must-be-between-and", workers=self.workers)
        if not 0 <= self.job_processes <= 256:
            raise Malformed("settings.job-processes-must-be-between", job_processes=self.job_processes)
        if not (self.traces in ("", "console") or self.traces.startswith(("http://", "https://"))):
            raise Malformed("settings.not-place-for-traces")
        if not (self.sandbox == "" or self.sandbox.startswith(("http://", "https://"))):
            raise Malformed("settings.not-sandbox-address")
        if not (self.store == "" or self.store.startswith(POSTGRESQL)):
            raise Malformed("settings.not-store")
        if self.issuer and not self.issuer.startswith(("http://", "https://")):
            raise Malformed("settings.not-issuer")
        if self.host not in LOOPBACK and not (self.issuer and self.proxies):
            raise Malformed("settings.issuer-and-proxies-required", host=self.host)
        if min(self.live_per_subject, self.trials_per_day) < 1 or self.live_reasons not in LIVE_REASONS:
            raise Malformed("settings.not-bounds-of-live-scores")
        if self.freshness_days < 1:
            raise Malformed("settings.freshness-days-must-be-at", freshness_days=self.freshness_days)

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models' names in the order given, each once."""
        return tuple(dict.fromkeys(name.strip() for name in self.models.split(",") if name.strip()))

    @property
    def store_place(self) -> Path | str:
        """Where the store is: the address of a server, or the path of a file."""
        return self.store or self.access

    def day(self) -> date:
        """The present day for mandates and freshness: the fixed one, or today in Beijing time."""
        return current_day(self.today)

    def as_environment(self) -> Mapping[str, str]:
        """The environment variables from which these settings would be read."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {PREFIX + name.upper(): str(value) for name, value in values.items() if value is not None}
