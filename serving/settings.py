"""What the scoring service is told at start: where its shelf, keys, ledger and clients are, and how old data may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from credit.errors import Malformed

BEIJING = timezone(
    timedelta(hours=8)
)  # the mandates' and the snapshots' days are days here; no daylight saving since 1991


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Settings of the service zone (服务区), read from HAIHE_SERVICE_*.

    shelf: folder of seals and pointers · keys: folder with signing-service.pem and pseudonym-scoring.key ·
    ring: folder of the zones' public keys · ledger: the service's hash chain · access: SQLite database of clients and
    mandates · models: names separated by commas · freshness_days: greatest age in days of a snapshot that may answer ·
    watch_seconds: between two looks at the shelf · algorithm: of the pseudonyms, sha256 or sm3, as the release's ·
    today: a fixed day for tests and demonstrations · most_at_once: calls under way beyond which more get 503 ·
    chores: whether watches, deliveries and jobs are looked after · job_processes: that share a large job, at the lowest
    priority; 0 is as many as there are cores · webhooks_to_loopback: whether webhooks may go to
    this very machine, for invented homes alone · webhook_authorities: PEM file of authorities beside the system's ·
    proxies: addresses of the TLS proxies whose X-Forwarded-For is believed, for networks; none is ·
    workers: processes that answer, one a core; 0 is as many as there are cores ·
    traces: where OpenTelemetry spans go, console or a collector's address; nowhere unless told ·
    supervision: the city's own scales of supervision, a YAML file in place of the shipped one.
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
        """Raises Malformed for an empty list of models or an impossible freshness."""
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
        """The day it is for mandates and freshness: the fixed one, or today in Beijing time."""
        return self.today or datetime.now(UTC).astimezone(BEIJING).date()
