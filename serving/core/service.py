"""The scoring service: who calls, which subject and mandate, the answer, and the ledger entry of either outcome."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from credit.errors import CreditError, Missing
from credit.ledger.entry import Entry
from credit.subjects import PseudonymKey, SubjectKey
from credit.usage_rights import Purpose, Recipient, require_use
from credit.uscc import Uscc
from serving.audit.group_commit import GroupCommitWriter
from serving.audit.journal import Journal
from serving.audit.refusal_sampling import COUNTED, UNAUTHENTICATED, RefusalSampler
from serving.audit.signature_queue import SignatureQueue
from serving.audit.signatures import Signer
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import AGENCY
from serving.auth.mandates import PURPOSES, Mandate, MandateGate, is_mandate_id
from serving.auth.rate_limit import Quotas
from serving.auth.tokens import Bearer, RequestCredentials, Tokens
from serving.core.request import (
    ANSWERED,
    CREDIT_FILES_OPENED,
    EVALUATION_OPENED,
    REFUSED,
    SERVICE,
    SNAPSHOT_OPENED,
    SUSPECTED,
    AuthorisedSubject,
    RequestContext,
)
from serving.data.credit_files import CreditFileRegistry, CreditFiles
from serving.data.evaluations import ActiveEvaluation, EvaluationRegistry
from serving.data.registry import SnapshotRegistry
from serving.data.snapshot import ActiveSnapshot
from serving.errors import BeingReevaluated, ScopeMissing
from serving.idempotency.idempotency_store import IdempotencyStore
from serving.idempotency.stored_answer import Receipt
from serving.observability import log
from serving.responses.live_scorers import ScorerCache
from serving.responses.live_templates import LiveTemplates
from serving.responses.request_schemas import ScoreRequest
from serving.responses.response_templates import FilledResponse, ResponseTemplates
from serving.settings import ServiceSettings
from serving.state.answer_switch import STARTED, STOPPED, AnswerSwitch
from serving.store.store import Store


@dataclass(frozen=True, slots=True)
class ScoringService:
    """What answers requests: the snapshots, the checks before them, and the writer of the ledger."""

    settings: ServiceSettings
    access: AccessDatabase
    tokens: Tokens
    gate: MandateGate
    snapshots: SnapshotRegistry
    journal: Journal
    ledger_writer: GroupCommitWriter
    signer: Signer
    public_keys: Mapping[str, Any]  # the service's public keys as a JWK set (RFC 7517)
    pseudonyms: PseudonymKey = field(repr=False)
    templates: ResponseTemplates = field(default_factory=ResponseTemplates)
    live_templates: LiveTemplates = field(default_factory=LiveTemplates)
    quotas: Quotas = field(default_factory=Quotas)
    idempotency: IdempotencyStore = field(default_factory=IdempotencyStore)
    lasting_idempotency: IdempotencyStore = field(default_factory=IdempotencyStore)  # of what outlives an answer
    credit_files: CreditFileRegistry | None = None
    refusal_sampler: RefusalSampler = field(default_factory=RefusalSampler)
    scorers: ScorerCache = field(kw_only=True)
    signatures: SignatureQueue = field(kw_only=True)
    switch: AnswerSwitch = field(kw_only=True)
    evaluations: EvaluationRegistry = field(kw_only=True)

    @property
    def store(self) -> Store:
        """The store of everything that the service remembers."""
        return self.access.store

    async def admit(self, call: RequestContext, credentials: RequestCredentials, scope: str) -> None:
        """Authenticate the client and count the request. Raises Unauthenticated, ScopeMissing, TooMany."""
        await self.authenticate(call, credentials, scope)
        self.take_quota(call)

    async def authenticate(self, call: RequestContext, credentials: RequestCredentials, scope: str) -> Bearer:
        """Authenticate the client for a scope. Raises Unauthenticated, ScopeMissing."""
        bearer = await self.tokens.admit(credentials)
        call.by, call.limit = bearer.by, bearer.limit
        call.recipient = Recipient.AGENCY if bearer.kind == AGENCY else Recipient.BANK
        call.details["bank"] = bearer.by.name
        if scope not in bearer.scopes:
            raise ScopeMissing("service.token-may-not-ask-for", scope=scope)
        return bearer

    def take_quota(self, call: RequestContext) -> None:
        """Count the request against the client's quota. Raises TooMany."""
        call.bucket = self.quotas.take(call.by.name, call.limit)

    def look_up(self, call: RequestContext, uscc_text: str, purpose: str, mandate_id: str) -> AuthorisedSubject:
        """The subject's row in a snapshot, and the mandate that allows this request.

        The state of the service is checked first and the subject last: a bank without a mandate does not learn whether
        a subject is known here. Raises Malformed, Lapsed, Refused, Missing, Broken.
        """
        uscc, details = Uscc.parse(uscc_text), call.details
        subject = self.pseudonyms.key_of(uscc.code)
        details["subject"] = subject.hex
        day = self.settings.day()
        snapshot = self.snapshots.for_kind(uscc.kind, day)  # one for the whole request, also when it is replaced
        details["model"], details["version"], details["snapshot"] = snapshot.model, snapshot.version, snapshot.snapshot
        require_lending_use(call, snapshot)
        mandate, valid_until = self.require_mandate(call, subject, snapshot, purpose, mandate_id, day)
        row = snapshot.row_of(subject)
        if row is None:
            raise Missing("service.subject-not-known-here", as_of=snapshot.as_of)
        self.snapshots.suppression.require(subject.hex, snapshot.notice_number)
        return AuthorisedSubject(uscc.code, snapshot, row, mandate, valid_until)

    def require_mandate(
        self,
        call: RequestContext,
        subject: SubjectKey,
        active: ActiveSnapshot | ActiveEvaluation,
        purpose: str,
        mandate_id: str,
        day: date,
    ) -> tuple[Mandate, str]:
        """The mandate that allows a request on `day`, and the last day (ISO 8601) on which its answer may be used.

        Raises Malformed, Lapsed, Refused, Missing.
        """
        if is_mandate_id(mandate_id):  # free text from outside might contain a code: it stays out of the ledger
            call.details["mandate"] = mandate_id
        if purpose in PURPOSES:
            call.details["purpose"] = purpose
        mandate = self.gate.require(
            mandate_id, bank=call.by.name, subject=subject, purpose=purpose, day=day, judge=SERVICE
        )
        valid_until = min(active.valid_until(self.settings.freshness_days), mandate.valid_until).isoformat()
        call.details["valid_until"] = valid_until
        return mandate, valid_until

    def prepare_answer(self, call: RequestContext, request: ScoreRequest) -> FilledResponse:
        """The answer without its receipt; it may be sent only once its entry is durable. Raises as `look_up`."""
        subject = self.look_up(call, request.uscc, request.purpose, request.mandate)
        return self.templates.of(subject.snapshot, subject.row).fill(
            uscc=subject.uscc, mandate=subject.mandate.id, purpose=subject.mandate.purpose, score_id=call.id,
            valid_until=subject.valid_until,
        )  # fmt: skip

    async def answer(self, call: RequestContext, request: ScoreRequest) -> bytes:
        """The answer as JSON, once its entry is durable. Raises as `look_up`, and Broken when there is no entry."""
        filled = self.prepare_answer(call, request)
        details = {**call.details, "status": 200, "digest": filled.digest}
        entry = await self.ledger_writer.record(ANSWERED, call.id, by=call.by, details=details)
        return filled.whole(entry=entry.id, seq=entry.seq)

    async def record_filled(self, verb: str, call: RequestContext, filled: FilledResponse, salt: str = "") -> bytes:
        """The whole answer once its entry is durable; it is signed with the answers beside it. Raises Broken.

        `salt` is the random part of the answer, if it has one.
        """

        def sign(entry: Entry) -> bytes:
            body, hexadecimal = filled.digested(entry=entry.id, seq=entry.seq)
            call.signed = self.signatures.add(body, hexadecimal)
            call.receipt = Receipt(
                entry.id, entry.seq, filled.digest, salt, details["model"], details["version"], details["snapshot"]
            )
            return body

        details = {**call.details, "status": 200, "digest": filled.digest}
        return await self.ledger_writer.record_and_make((verb, call.id, call.by, details), sign)

    def is_outdated(self, call: RequestContext, answer: bytes) -> bool:
        """Whether an earlier answer to this request rests on data that must no longer be used."""
        try:
            self.snapshots.require_current(call.details["subject"], json.loads(answer)["snapshot"]["id"])
        except BeingReevaluated:
            return True
        return False

    async def record_snapshot_opened(self, snapshot: ActiveSnapshot) -> None:
        """Record that answers come from `snapshot` from now on, so that the ledger shows what served at any time."""
        details = {"model": snapshot.model, "version": snapshot.version, "release": snapshot.release}
        self.scorers.warm(snapshot.version)
        try:
            await self.ledger_writer.record(SNAPSHOT_OPENED, snapshot.snapshot, by=SERVICE, details=details)
        except CreditError as fault:  # answers will be refused for the same cause, and readiness shows it
            log.event("ledger.failed", level=logging.ERROR, snapshot=snapshot.snapshot, fault=fault.what)

    async def record_evaluation_opened(self, evaluation: ActiveEvaluation) -> None:
        """Record that evaluations, supervision and reports are answered from this evaluation from now on."""
        try:
            details = {"model": evaluation.model, "version": evaluation.version, "release": evaluation.release}
            await self.ledger_writer.record(EVALUATION_OPENED, evaluation.snapshot, by=SERVICE, details=details)
        except CreditError as fault:
            log.event("ledger.failed", level=logging.ERROR, snapshot=evaluation.snapshot, fault=fault.what)

    async def record_credit_files_opened(self, files: CreditFiles) -> None:
        """Record that inquiries are answered from these credit files from now on."""
        try:
            details = {"release": files.release, "as_of": files.as_of.isoformat()}
            await self.ledger_writer.record(CREDIT_FILES_OPENED, files.snapshot, by=SERVICE, details=details)
        except CreditError as fault:
            log.event("ledger.failed", level=logging.ERROR, snapshot=files.snapshot, fault=fault.what)

    async def record_switch(self, pointer: Mapping[str, Any]) -> None:
        """Record that this process follows the platform's act: it gives no answers from now on, or gives them again."""
        details = {"request": pointer["request"], "why": pointer["why"]}
        verb = STOPPED if pointer["stopped"] else STARTED
        log.event(verb, level=logging.WARNING, request=str(pointer["request"]))
        try:
            await self.ledger_writer.record(verb, SERVICE.name, by=SERVICE, details=details)
        except CreditError as fault:
            log.event("ledger.failed", level=logging.ERROR, fault=fault.what)

    async def record_refusal(self, call: RequestContext, error: CreditError) -> str:
        """Record a refusal; the id of its ledger entry, or an empty text when it is only counted.

        When the ledger cannot be written the client is refused all the same, and the log shows it.
        """
        if (call.by is SERVICE or error.status == 429) and not self.refusal_sampler.takes(_bank_of(call), error.status):
            return ""
        details: Mapping[str, Any] = {
            "bank": None,
            **call.details,
            "status": error.status,
            "slug": error.slug,
            "checks": [finding.check for finding in getattr(error, "findings", ())],
        }
        was_in_vain = error.status in (403, 404) and call.bucket is not None
        was_the_last = was_in_vain and self.quotas.miss(call.by.name)  # against trying out codes or mandates
        try:
            await self.ledger_writer.record(REFUSED, call.id, by=call.by, details=details)
            if was_the_last:
                alarm = {"bank": call.by.name, "refusals": self.quotas.misses.burst}
                await self.ledger_writer.record(SUSPECTED, f"bank-{call.by.name}", by=SERVICE, details=alarm)
                log.event("enumeration.suspected", level=logging.WARNING, bank=call.by.name)
        except CreditError as fault:
            log.event("ledger.failed", level=logging.ERROR, score_id=call.id, fault=fault.what)
        log.event("refused", score_id=call.id, status=error.status, bank=call.details.get("bank"))
        return call.id

    async def record_refusal_counts(self) -> None:
        """Record how many requests were refused without an entry of their own, by client."""
        for client, counts in self.refusal_sampler.counted():
            try:
                details = {"bank": client or None, "counts": counts}
                object_ = f"bank-{client}" if client else "nobody"
                await self.ledger_writer.record(COUNTED, object_, by=SERVICE, details=details)
            except CreditError as fault:
                log.event("ledger.failed", level=logging.ERROR, refused=sum(counts.values()), fault=fault.what)


def require_lending_use(call: RequestContext, snapshot: ActiveSnapshot) -> None:
    """Raise Refused unless the rights of what the model reads permit a lending score to the one who gets it."""
    require_use(snapshot.usage, (call.recipient or Recipient.ANYONE, Purpose.LENDING_SCORE))


def _bank_of(call: RequestContext) -> str:
    return UNAUTHENTICATED if call.by is SERVICE else call.by.name
