"""Opens what the service works with, each from its place in the settings: keys, clients, snapshots, ledger, stores."""

from __future__ import annotations

from credit.keys import KeyRing, SigningKey, load_secret
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from serving.audit.group_commit import GroupCommitWriter
from serving.audit.journal import Journal
from serving.audit.signature_queue import SignatureQueue
from serving.audit.signatures import ZONE, Signer, key_set
from serving.auth.access_database import AccessDatabase
from serving.auth.dpop import ReplayCache
from serving.auth.mandates import MandateGate
from serving.auth.own_name import OwnName
from serving.auth.rate_limit import Quotas
from serving.auth.tokens import Tokens
from serving.core.service import ScoringService
from serving.data.credit_files import CreditFileRegistry
from serving.data.evaluations import EvaluationRegistry
from serving.data.registry import SnapshotRegistry
from serving.endpoints.batch_jobs.job_store import JobStore
from serving.endpoints.monitoring.watch_store import WatchStore
from serving.endpoints.supervision.scale import supervision_scale
from serving.idempotency.idempotency_store import LASTING, IdempotencyStore
from serving.mandates.application_store import ApplicationStore
from serving.mandates.applications import Applications
from serving.mandates.rules import mandate_rules
from serving.mandates.subject_keys import SubjectKeys
from serving.mandates.subject_sessions import SubjectSessions
from serving.responses.live_scorers import ScorerCache
from serving.settings import ServiceSettings
from serving.state.answer_switch import AnswerSwitch
from serving.store.store import Store, open_store


def open_service(settings: ServiceSettings) -> ScoringService:
    """Open what the service works with. Raises Missing, Broken or Malformed when keys or files are not in order."""
    ring = KeyRing.load(settings.ring)
    key = SigningKey.load(settings.keys, ZONE)
    store = open_store(settings.store_place)
    access = AccessDatabase(store)
    shelf = Shelf(settings.shelf, ring)
    snapshots = SnapshotRegistry(shelf, settings.model_names, settings.freshness_days, store)
    pseudonyms = PseudonymKey("scoring", load_secret(settings.keys / "pseudonym-scoring.key"), settings.algorithm)
    journal = Journal(settings.ledger, key, ring)
    supervision_scale(settings.supervision)  # an invalid file is refused now, and not when an agency requests a tier
    signer = Signer(key)
    tokens = Tokens(key, access, ring, ReplayCache(store), OwnName(settings.issuer))
    return ScoringService(
        settings, access, tokens, MandateGate(access, ring), snapshots, journal, GroupCommitWriter(journal),
        signer, key_set(ring), pseudonyms, quotas=Quotas(path=settings.access.with_name("quotas.bin")),
        idempotency=IdempotencyStore(store),
        lasting_idempotency=IdempotencyStore(store, table=LASTING, lasting=True),
        scorers=ScorerCache(shelf), signatures=SignatureQueue(signer),
        switch=AnswerSwitch(shelf, store), credit_files=_open_credit_files(settings, shelf, store),
        evaluations=EvaluationRegistry(shelf, settings.freshness_days),
    )  # fmt: skip


def _open_credit_files(settings: ServiceSettings, shelf: Shelf, store: Store) -> CreditFileRegistry:
    """The credit files; a service without the key of the purpose inquiry answers everything else."""
    secret = settings.keys / "pseudonym-inquiry.key"
    pseudonyms = PseudonymKey("inquiry", load_secret(secret), settings.algorithm) if secret.exists() else None
    return CreditFileRegistry(shelf, pseudonyms, settings.freshness_days, store)


def background_stores(service: ScoringService) -> tuple[WatchStore, JobStore]:
    """What the background tasks work on: watches with their deliveries, and jobs, whose files lie in a folder."""
    return WatchStore(service.store), JobStore(service.store, service.settings.access.with_name("jobs"))


def open_applications(settings: ServiceSettings, store: Store) -> Applications:
    """The applications for mandates and the keys of subjects. Raises Malformed for rules that cannot be read."""
    mandate_rules(settings.mandate_rules)
    return Applications(
        ApplicationStore(store), SubjectKeys(store, KeyRing.load(settings.ring)), SubjectSessions(store)
    )
