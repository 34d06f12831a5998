"""A bank's applications for mandates: checked, written down, recorded in the service's ledger.

An application is named after its request, so one that is sent again under its idempotency key, also after a kill
between any two steps, is found and continued: first its draft in the store, then its ledger entry, then its state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from credit.canonical import canonical, digest, digest_json
from credit.confirmation import Move, after_move, request_details, rule_of
from credit.errors import CreditError, Malformed
from credit.ledger import Entry
from credit.uscc import Uscc
from serving.auth.mandates import PURPOSES
from serving.auth.own_name import OwnName
from serving.core.recovery import earlier_entry
from serving.core.request import RequestContext
from serving.core.service import ScoringService
from serving.errors import TooMany
from serving.mandates.application_store import Application, ApplicationStore, Draft
from serving.mandates.consent import already_used, read_consent
from serving.mandates.decisions import REQUESTED
from serving.mandates.documents import read_document
from serving.mandates.rules import STATES, Evidence, mandate_rules, objection
from serving.mandates.subject_keys import SubjectKeys
from serving.mandates.subject_sessions import SubjectSessions

MOST_OPEN = 50_000  # open applications of a bank
MOST_DOCUMENTS = 2_000  # of a bank that wait for a person: as many MiB at most
MOST_PAGES = 20  # of one bank that wait for one subject, whose page shows all of them
Outcome = dict[str, Any] | CreditError  # the answer to one application, or its refusal


@dataclass(frozen=True, slots=True)
class Requested:
    """What a bank requests: a mandate of `uscc` until the day `until`, with the evidence and its content."""

    uscc: str = field(repr=False)
    purpose: str
    until: date
    evidence: Evidence
    content: str = field(repr=False)  # a document in base64, a consent as JWS, or nothing


@dataclass(frozen=True, slots=True)
class Applications:
    """What the store holds behind applications."""

    store: ApplicationStore
    keys: SubjectKeys
    sessions: SubjectSessions

    def draft(self, service: ScoringService, call: RequestContext, name: str, wanted: Requested, batch: str) -> Draft:
        """The application as it will be written down. Raises Malformed, TooLarge, TooMany, and Refused for a consent.

        `call.details` gets what the ledger may know of it, also for the entry of a refusal.
        """
        most_days, rules = mandate_rules(service.settings.mandate_rules)
        uscc, day = Uscc.parse(wanted.uscc), service.settings.day()
        subject = service.pseudonyms.key_of(uscc.code).hex
        call.details["subject"] = subject
        if wanted.purpose not in PURPOSES:
            raise Malformed("mandates.not-purpose-mandate", purposes=", ".join(PURPOSES))
        call.details |= {"purpose": wanted.purpose, "evidence": wanted.evidence.value}
        if not day <= wanted.until <= day + timedelta(days=most_days):
            raise Malformed("mandate-applications.until", first=day, last=day + timedelta(days=most_days))
        rule = rule_of(rules, wanted.evidence)
        until, media, content, jti = wanted.until.isoformat(), "", b"", ""
        if wanted.evidence is Evidence.DOCUMENT:
            content, media = read_document(wanted.content)
        elif wanted.evidence is Evidence.CONSENT:
            claims = read_consent(
                wanted.content, self.keys.of(subject), OwnName(service.settings.issuer), uscc=uscc.code,
                bank=call.by.name, purpose=wanted.purpose, until=until,
            )  # fmt: skip
            content, media, jti = wanted.content.encode(), "application/jose", claims.jti
        stated = {"bank": call.by.name, "subject": subject, "purpose": wanted.purpose, "until": until, "id": name}
        named = digest(content) if content else digest_json(stated)
        lapses = (datetime.now(UTC) + rule.span).timestamp()
        return Draft(name, call.by.name, subject, wanted.purpose, until, wanted.evidence.value, named, batch, lapses,
                     media, content, jti)  # fmt: skip

    def write(self, drafts: Sequence[Draft | CreditError]) -> list[Application | CreditError]:
        """Write drafts down together; a consent that another application has used is refused, and a page too many."""

        def write(store: ApplicationStore, draft: Draft | CreditError) -> Application | CreditError:
            if isinstance(draft, CreditError):
                return draft
            if draft.evidence == Evidence.PAGE and store.pages_of(draft.bank, draft.subject) >= MOST_PAGES:
                return TooMany("mandate-applications.too-many-of-subject", after=3600, limit=MOST_PAGES)
            return (store.application(draft.id) if store.draft(draft) else None) or already_used()

        return self.store.in_one(lambda store: [write(store, draft) for draft in drafts])

    def require_capacity(self, bank: str, wanted: Sequence[str]) -> None:
        """Raise TooMany when a bank would have too many open applications, or documents that wait.

        `wanted` is the evidence of each further one.
        """
        count, documents = len(wanted), sum(each == Evidence.DOCUMENT for each in wanted)
        if documents and self.store.documents_of(bank) + documents > MOST_DOCUMENTS:
            raise TooMany("mandate-applications.too-many-documents", after=3600, limit=MOST_DOCUMENTS)
        if self.store.open_of(bank) + count > MOST_OPEN:
            raise TooMany("mandate-applications.too-many-open", after=3600, limit=MOST_OPEN)


async def record(
    service: ScoringService, call: RequestContext, applications: Applications, one: Application
) -> dict[str, Any]:
    """The answer to one application, once its ledger entry is durable. `call` is that of this application alone."""
    entry = await earlier_entry(service, call, REQUESTED, one.id)
    if entry is None:
        rules = mandate_rules(service.settings.mandate_rules)[1]
        details = request_details(
            one.evidence, rules, bank=one.bank, subject=one.subject, purpose=one.purpose, mandate_until=one.until,
            mandate_from=service.settings.day().isoformat(),
            evidence=one.evidence, document=one.digest, batch=one.batch, status=200,
        )  # fmt: skip
        entry = await service.ledger_writer.record(REQUESTED, one.id, by=call.by, details=details)
    answer = answer_of(one, entry)
    await asyncio.to_thread(applications.store.record, one.id, answer["state"], entry.id, entry.seq)
    return answer


def answer_of(one: Application, entry: Entry) -> dict[str, Any]:
    """The answer to an application as it was when it was made."""
    first = after_move(None, Move.REQUEST, one.id, by=entry.by, at=entry.at, details=entry.details, objection=objection)
    return {
        "application_id": one.id, "batch_id": one.batch or None, "purpose": one.purpose, "until": one.until,
        "evidence": one.evidence, "state": STATES[first.state],
        "receipt": {"entry": entry.id, "seq": entry.seq, "digest": one.digest},
    }  # fmt: skip


def status_of(one: Application, language: str) -> dict[str, Any]:
    """An application as its bank sees it now."""
    return {
        "application_id": one.id, "batch_id": one.batch or None, "purpose": one.purpose, "until": one.until,
        "evidence": one.evidence, "state": one.state, "mandate": one.mandate, "reason": one.reason(language),
        "requested_at": datetime.fromtimestamp(one.made_at, UTC).isoformat(timespec="seconds"),
    }  # fmt: skip


async def apply(
    service: ScoringService, call: RequestContext, applications: Applications, name: str, wanted: Requested
) -> bytes:
    """One application. Raises as `Applications.draft`, and Broken where it cannot be recorded."""
    one = await asyncio.to_thread(applications.store.application, name)
    if one is None:
        await asyncio.to_thread(applications.require_capacity, call.by.name, [wanted.evidence])
        draft = await asyncio.to_thread(applications.draft, service, call, name, wanted, "")
        (made,) = await asyncio.to_thread(applications.write, [draft])
        if isinstance(made, CreditError):
            raise made
        one = made
    return canonical(await record(service, call, applications, one))
