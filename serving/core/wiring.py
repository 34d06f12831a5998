"""Opening what the service works with: keys, access, books, ledger and stores, each from its place in the settings."""

from __future__ import annotations

from credit.keys import KeyRing, SigningKey, load_secret
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from serving.audit.group_commit import Recorder
from serving.audit.journal import Journal
from serving.audit.signatures import ZONE, Signer, key_set
from serving.auth.access_database import Access
from serving.auth.dpop import Seen
from serving.auth.mandates import MandateGate
from serving.auth.rate_limit import Quotas
from serving.auth.tokens import Tokens
from serving.core.service import Desk
from serving.data.credit_files import CreditFileRegistry
from serving.data.registry import SnapshotRegistry
from serving.endpoints.batch_jobs.job_store import JobStore
from serving.endpoints.monitoring.watch_store import WatchStore
from serving.endpoints.supervision.supervision import supervision_scale
from serving.idempotency.idempotency_store import Repeats
from serving.responses.live_scorers import ScorerCache
from serving.settings import ServiceSettings
from serving.state.coordination_db import MADE, Shared


def open_desk(settings: ServiceSettings) -> Desk:
    """Open what the service works with. Raises Missing, Broken or Malformed when keys or files are not in order."""
    ring = KeyRing.load(settings.ring)
    key = SigningKey.load(settings.keys, ZONE)
    access = Access(settings.access)
    shelf = Shelf(settings.shelf, ring)
    shared = Shared(settings.access.with_name("calls.db"))
    library = SnapshotRegistry(shelf, settings.model_names, settings.freshness_days, shared)
    pseudonyms = PseudonymKey("scoring", load_secret(settings.keys / "pseudonym-scoring.key"), settings.algorithm)
    journal = Journal(settings.ledger, key, ring)
    supervision_scale(settings.supervision)  # a file that makes no sense is known now, and not when an agency asks
    tokens = Tokens(key, access, ring, Seen(shared))
    return Desk(
        settings, access, tokens, MandateGate(access, ring), library, journal, Recorder(journal), Signer(key),
        key_set(ring), pseudonyms, quotas=Quotas(path=settings.access.with_name("quotas.bin")), repeats=Repeats(shared),
        made=Repeats(shared, table=MADE, lasting=True), shared=shared,
        scorers=ScorerCache(shelf), archive=_archive(settings, shelf, shared),
    )  # fmt: skip


def _archive(settings: ServiceSettings, shelf: Shelf, shared: Shared) -> CreditFileRegistry:
    """The dossiers; a service without the key of the purpose inquiry answers everything else."""
    secret = settings.keys / "pseudonym-inquiry.key"
    pseudonyms = PseudonymKey("inquiry", load_secret(secret), settings.algorithm) if secret.exists() else None
    return CreditFileRegistry(shelf, pseudonyms, settings.freshness_days, shared)


def open_stores(settings: ServiceSettings) -> tuple[WatchStore, JobStore]:
    """Open what the chores work on: watches with their deliveries, and jobs; beside the access database."""
    beside = settings.access.with_name
    return WatchStore(beside("watches.db")), JobStore(beside("jobs.db"), beside("jobs"))
