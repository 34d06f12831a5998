"""Opens what the service works with, each from its place in the settings: keys, clients, snapshots, ledger, stores."""

from __future__ import annotations

from credit.keys import KeyRing, SigningKey, load_secret
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from serving.audit.group_commit import GroupCommitWriter
from serving.audit.journal import Journal
from serving.audit.signatures import ZONE, Signer, key_set
from serving.auth.access_database import AccessDatabase
from serving.auth.dpop import ReplayCache
from serving.auth.mandates import MandateGate
from serving.auth.rate_limit import Quotas
from serving.auth.tokens import Tokens
from serving.core.service import ScoringService
from serving.data.credit_files import CreditFileRegistry
from serving.data.registry import SnapshotRegistry
from serving.endpoints.batch_jobs.job_store import JobStore
from serving.endpoints.monitoring.watch_store import WatchStore
from serving.endpoints.supervision.scale import supervision_scale
from serving.idempotency.idempotency_store import IdempotencyStore
from serving.responses.live_scorers import ScorerCache
from serving.settings import ServiceSettings
from serving.state.coordination_db import LASTING, CoordinationDb


def open_service(settings: ServiceSettings) -> ScoringService:
    """Open what the service works with. Raises Missing, Broken or Malformed when keys or files are not in order."""
    ring = KeyRing.load(settings.ring)
    key = SigningKey.load(settings.keys, ZONE)
    access = AccessDatabase(settings.access)
    shelf = Shelf(settings.shelf, ring)
    coordination = CoordinationDb(settings.access.with_name("calls.db"))
    snapshots = SnapshotRegistry(shelf, settings.model_names, settings.freshness_days, coordination)
    pseudonyms = PseudonymKey("scoring", load_secret(settings.keys / "pseudonym-scoring.key"), settings.algorithm)
    journal = Journal(settings.ledger, key, ring)
    supervision_scale(settings.supervision)  # an invalid file is refused now, and not when an agency requests a tier
    tokens = Tokens(key, access, ring, ReplayCache(coordination))
    return ScoringService(
        settings, access, tokens, MandateGate(access, ring), snapshots, journal, GroupCommitWriter(journal),
        Signer(key), key_set(ring), pseudonyms, quotas=Quotas(path=settings.access.with_name("quotas.bin")),
        idempotency=IdempotencyStore(coordination),
        lasting_idempotency=IdempotencyStore(coordination, table=LASTING, lasting=True), coordination=coordination,
        scorers=ScorerCache(shelf), credit_files=_open_credit_files(settings, shelf, coordination),
    )  # fmt: skip


def _open_credit_files(settings: ServiceSettings, shelf: Shelf, coordination: CoordinationDb) -> CreditFileRegistry:
    """The credit files; a service without the key of the purpose inquiry answers everything else."""
    secret = settings.keys / "pseudonym-inquiry.key"
    pseudonyms = PseudonymKey("inquiry", load_secret(secret), settings.algorithm) if secret.exists() else None
    return CreditFileRegistry(shelf, pseudonyms, settings.freshness_days, coordination)


def open_stores(settings: ServiceSettings) -> tuple[WatchStore, JobStore]:
    """Open what the background tasks work on, beside the access database: watches with their deliveries, and jobs."""
    path_of = settings.access.with_name
    return WatchStore(path_of("watches.db")), JobStore(path_of("jobs.db"), path_of("jobs"))
