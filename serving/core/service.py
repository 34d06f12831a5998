"""One call for a score, from header to receipt: who asks, what for, of whom, and the entry of either outcome."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from credit.actor import Actor, Role
from credit.errors import CreditError, Missing
from credit.subjects import PseudonymKey
from credit.uscc import Uscc
from serving.audit.group_commit import Recorder
from serving.audit.identifiers import score_id
from serving.audit.journal import Journal
from serving.audit.refusal_sampling import COUNTED, NOBODY, Crowd
from serving.audit.signatures import Signer
from serving.auth.access_database import Access
from serving.auth.clients import LIMIT, Limit
from serving.auth.mandates import PURPOSES, Mandate, MandateGate, is_mandate_id
from serving.auth.rate_limit import Bucket, Quotas
from serving.auth.tokens import Asking, Bearer, Tokens
from serving.data.credit_files import CreditFileRegistry, CreditFiles
from serving.data.registry import SnapshotRegistry
from serving.data.snapshot import ActiveSnapshot
from serving.errors import Anew, ScopeMissing
from serving.idempotency.idempotency_store import Repeats
from serving.observability import log
from serving.responses.live_scorers import ScorerCache
from serving.responses.live_templates import LiveTemplates
from serving.responses.request_schemas import ScoreRequest
from serving.responses.response_templates import FilledResponse, ResponseTemplates
from serving.settings import ServiceSettings
from serving.state.coordination_db import Shared

SERVICE = Actor("scoring", Role.SERVICE)
ANSWERED, REFUSED, OPENED = "score.answered", "score.refused", "book.opened"
LIVE = "score.live"  # answered with features brought along
REPEATED, SUSPECTED = "score.repeated", "enumeration.suspected"
SHELVED = "dossiers.opened"


@dataclass(slots=True)
class Call:
    """What is known of a call so far: the ledger's `because` to be, so it holds the pseudonym and never the code."""

    id: str = field(default_factory=score_id)
    by: Actor = SERVICE
    details: dict[str, Any] = field(default_factory=dict)
    limit: Limit = LIMIT
    bucket: Bucket | None = None  # what the bank has left; None until it is known who calls


@dataclass(slots=True)
class Resumed(Call):
    """A call under the id of one before it with the same idempotency key: what that one has made is there already."""

    salt: str | None = None  # of the answer before, where it is known


def named(kind: str, call: Call) -> str:
    """The name of what a call makes: the same under whichever call it is made, so that it is made once."""
    return f"{kind}{call.id.replace('-', '')}"


class Found(NamedTuple):
    """A subject in a book under a mandate, and the last day on which what the book says of it may be used."""

    uscc: str
    book: ActiveSnapshot
    row: int
    mandate: Mandate
    until: str


@dataclass(frozen=True, slots=True)
class Desk:
    """What answers calls: the books, the doors before them, and the writer of the ledger."""

    settings: ServiceSettings
    access: Access
    tokens: Tokens
    gate: MandateGate
    library: SnapshotRegistry
    journal: Journal
    recorder: Recorder
    signer: Signer
    keys: Mapping[str, Any]  # the service's public keys as a JWK set
    pseudonyms: PseudonymKey = field(repr=False)
    sheets: ResponseTemplates = field(default_factory=ResponseTemplates)
    live_sheets: LiveTemplates = field(default_factory=LiveTemplates)
    quotas: Quotas = field(default_factory=Quotas)
    repeats: Repeats = field(default_factory=Repeats)
    made: Repeats = field(default_factory=Repeats)  # keys of what lasts longer than an answer
    archive: CreditFileRegistry | None = None
    shared: Shared = field(default_factory=Shared)
    crowd: Crowd = field(default_factory=Crowd)
    scorers: ScorerCache = field(kw_only=True)

    def admit(self, call: Call, asking: Asking, scope: str) -> None:
        """Learn who calls, and count the call. Raises Unauthenticated, ScopeMissing, TooMany."""
        self.know(call, asking, scope)
        self.count(call)

    def know(self, call: Call, asking: Asking, scope: str) -> Bearer:
        """Learn who calls. Raises Unauthenticated, ScopeMissing."""
        bearer = self.tokens.admit(asking)
        call.by, call.limit = bearer.by, bearer.limit
        call.details["bank"] = bearer.by.name
        if scope not in bearer.scopes:
            raise ScopeMissing("service.token-may-not-ask-for", scope=scope)
        return bearer

    def count(self, call: Call) -> None:
        """Count the call. Raises TooMany."""
        call.bucket = self.quotas.take(call.by.name, call.limit)

    def look(self, call: Call, uscc_text: str, purpose: str, mandate_id: str) -> Found:
        """The subject's place in a book, and the mandate that opens it.

        The service's own state comes first and the look-up last: whoever has no mandate does not learn whether a
        subject is known here. Raises Malformed, Lapsed, Refused, Missing, Broken.
        """
        uscc, details = Uscc.parse(uscc_text), call.details
        subject = self.pseudonyms.key_of(uscc.code)
        details["subject"] = subject.hex
        day = self.settings.day()
        book = self.library.for_kind(uscc.kind, day)  # one book for the whole call, whatever is swapped meanwhile
        details["model"], details["version"], details["snapshot"] = book.model, book.version, book.snapshot
        if is_mandate_id(mandate_id):  # free text from outside might hold a code: it stays out of the ledger
            details["mandate"] = mandate_id
        if purpose in PURPOSES:
            details["purpose"] = purpose
        mandate = self.gate.require(
            mandate_id, bank=call.by.name, subject=subject, purpose=purpose, day=day, judge=SERVICE
        )
        until = min(book.valid_until(self.settings.freshness_days), mandate.valid_until).isoformat()
        details["valid_until"] = until
        row = book.row_of(subject)
        if row is None:
            raise Missing("service.subject-not-known-here", as_of=book.as_of)
        self.library.withheld.require(subject.hex, book.notice)
        return Found(uscc.code, book, row, mandate, until)

    def find(self, call: Call, asked: ScoreRequest) -> FilledResponse:
        """The answer to a call, still without its receipt: sent only once its entry is durable. Raises as `look`."""
        found = self.look(call, asked.uscc, asked.purpose, asked.mandate)
        return self.sheets.of(found.book, found.row).fill(
            uscc=found.uscc, mandate=found.mandate.id, purpose=found.mandate.purpose, score_id=call.id,
            valid_until=found.until,
        )  # fmt: skip

    async def answer(self, call: Call, asked: ScoreRequest) -> bytes:
        """The answer's bytes, once its entry is durable. Raises as `look` does, and Broken when there is no entry."""
        filled = self.find(call, asked)
        details = {**call.details, "status": 200, "digest": filled.digest}
        entry = await self.recorder.record(ANSWERED, call.id, by=call.by, details=details)
        return filled.whole(entry=entry.id, seq=entry.seq)

    def is_outlived(self, call: Call, said: bytes) -> bool:
        """Whether an answer once given to this call rests on what is not to be used any more."""
        try:
            self.library.require_current(call.details["subject"], json.loads(said)["snapshot"]["id"])
        except Anew:
            return True
        return False

    async def announce(self, book: ActiveSnapshot) -> None:
        """Record that answers come from `book` from now on, so that the ledger tells what served at any time."""
        details = {"model": book.model, "version": book.version, "release": book.release}
        self.scorers.warm(book.version)
        try:
            await self.recorder.record(OPENED, book.snapshot, by=SERVICE, details=details)
        except CreditError as fault:  # answers will be refused for the same cause, and readiness shows it
            log.event("ledger.failed", level=logging.ERROR, snapshot=book.snapshot, fault=fault.what)

    async def announce_dossiers(self, dossiers: CreditFiles) -> None:
        """Record that inquiries are answered from these dossiers from now on."""
        try:
            details = {"release": dossiers.release, "as_of": dossiers.as_of.isoformat()}
            await self.recorder.record(SHELVED, dossiers.snapshot, by=SERVICE, details=details)
        except CreditError as fault:
            log.event("ledger.failed", level=logging.ERROR, snapshot=dossiers.snapshot, fault=fault.what)

    async def refuse(self, call: Call, error: CreditError) -> str:
        """Record a refusal; the id under which it stands in the ledger, nothing when it is one of a crowd's.

        When even that fails the caller is refused all the same and the log says so.
        """
        if (call.by is SERVICE or error.status == 429) and not self.crowd.takes(_bank_of(call), error.status):
            return ""
        details: Mapping[str, Any] = {
            "bank": None,
            **call.details,
            "status": error.status,
            "slug": error.slug,
            "checks": [finding.check for finding in getattr(error, "findings", ())],
        }
        led_nowhere = error.status in (403, 404) and call.bucket is not None
        was_the_last = led_nowhere and self.quotas.miss(call.by.name)  # who tries codes or mandates runs out of them
        try:
            await self.recorder.record(REFUSED, call.id, by=call.by, details=details)
            if was_the_last:
                alarm = {"bank": call.by.name, "refusals": self.quotas.misses.burst}
                await self.recorder.record(SUSPECTED, f"bank-{call.by.name}", by=SERVICE, details=alarm)
                log.event("enumeration.suspected", level=logging.WARNING, bank=call.by.name)
        except CreditError as fault:
            log.event("ledger.failed", level=logging.ERROR, score_id=call.id, fault=fault.what)
        log.event("refused", score_id=call.id, status=error.status, bank=call.details.get("bank"))
        return call.id

    async def tell_crowd(self) -> None:
        """Record how many were refused that have no entry of their own."""
        for who, counts in self.crowd.counted():
            try:
                details = {"bank": who or None, "counts": counts}
                await self.recorder.record(COUNTED, f"bank-{who}" if who else "nobody", by=SERVICE, details=details)
            except CreditError as fault:
                log.event("ledger.failed", level=logging.ERROR, refused=sum(counts.values()), fault=fault.what)


def _bank_of(call: Call) -> str:
    return NOBODY if call.by is SERVICE else call.by.name
