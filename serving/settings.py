"""The settings of the scoring service: where its shelf, keys, ledger and clients are, and how old data may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from credit.errors import Malformed

PREFIX = "HAIHE_SERVICE_"  # of the environment variables that the settings are read from
BEIJING = timezone(timedelta(hours=8))  # the days of mandates and snapshots; no daylight saving time since 1991


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Settings of the service zone (服务区), read from the environment variables HAIHE_SERVICE_*.

    - `shelf`: folder of sealed folders and pointers
    - `keys`: folder with signing-service.pem and pseudonym-scoring.key
    - `ring`: folder of the zones' public keys
    - `ledger`: the service's ledger, a hash chain in one file
    - `access`: SQLite database of clients and mandates
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
    - `proxies`: addresses of the TLS proxies whose X-Forwarded-For is trusted; by default none is
    - `workers`: processes that answer; 0 means one per core
    - `traces`: where OpenTelemetry spans go: `console` or a collector's address; empty turns traces off
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
    workers: int = 1
    traces: str = ""
    supervision: Path | None = None

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
        if self.freshness_days < 1:
            raise Malformed("settings.freshness-days-must-be-at", freshness_days=self.freshness_days)

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models' names in the order given, each once."""
        return tuple(dict.fromkeys(name.strip() for name in self.models.split(",") if name.strip()))

    def day(self) -> date:
        """The present day for mandates and freshness: the fixed one, or today in Beijing time."""
        return self.today or datetime.now(UTC).astimezone(BEIJING).date()

    def as_environment(self) -> Mapping[str, str]:
        """The environment variables from which these settings would be read."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {PREFIX + name.upper(): str(value) for name, value in values.items() if value is not None}
