"""One call for a score, from header to receipt: who asks, what for, of whom, and the entry of either outcome."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from credit.actor import Actor, Role
from credit.errors import CreditError, Missing
from credit.subjects import PseudonymKey
from credit.uscc import Uscc
from serving import log
from serving.access import Access
from serving.forms import Ask, read_ask
from serving.identifiers import score_id
from serving.library import Library
from serving.mandates import PURPOSES, MandateGate, is_mandate_id
from serving.problems import ScopeMissing
from serving.records import Recorder
from serving.settings import ServiceSettings
from serving.sheets import Filled, Sheets
from serving.signatures import Signer
from serving.snapshots import Book
from serving.tokens import Tokens

SERVICE = Actor("scoring", Role.SERVICE)
ANSWERED, REFUSED, OPENED = "score.answered", "score.refused", "book.opened"


@dataclass(slots=True)
class Call:
    """What is known of a call so far: the ledger's `because` to be, so it holds the pseudonym and never the code."""

    id: str = field(default_factory=score_id)
    by: Actor = SERVICE
    because: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Desk:
    """What answers calls: the books, the doors before them, and the writer of the ledger."""

    settings: ServiceSettings
    access: Access
    tokens: Tokens
    gate: MandateGate
    library: Library
    recorder: Recorder
    signer: Signer
    keys: Mapping[str, Any]  # the service's public keys as a JWK set
    pseudonyms: PseudonymKey = field(repr=False)
    sheets: Sheets = field(default_factory=Sheets)

    def admit(self, call: Call, authorization: str) -> None:
        """Learn who calls. Raises Unauthenticated, or ScopeMissing when the token is not for scores."""
        bearer = self.tokens.read(authorization)
        call.by = bearer.by
        call.because["bank"] = bearer.by.name
        if "score" not in bearer.scopes:
            raise ScopeMissing("This token may not ask for scores", remedy="Ask for a token with the scope score")

    def find(self, call: Call, asked: Ask) -> Filled:
        """The answer to a call, still without its receipt: to be sent only once its entry is durable.

        The service's own state comes first and the look-up last: whoever has no mandate does not learn whether a
        subject is known here. Raises Malformed, Lapsed, Refused, Missing, Broken.
        """
        uscc, because = Uscc.parse(asked.uscc), call.because
        subject = self.pseudonyms.key_of(uscc.code)
        because["subject"] = subject.hex
        day = self.settings.day()
        book = self.library.for_kind(uscc.kind, day)  # one book for the whole call, whatever is swapped meanwhile
        because["model"], because["version"], because["snapshot"] = book.model, book.version, book.snapshot
        if is_mandate_id(asked.mandate):  # free text from outside might hold a code: it stays out of the ledger
            because["mandate"] = asked.mandate
        if asked.purpose in PURPOSES:
            because["purpose"] = asked.purpose
        mandate = self.gate.require(
            asked.mandate, bank=call.by.name, subject=subject, purpose=asked.purpose, day=day, judge=SERVICE
        )
        until = min(book.valid_until(self.settings.freshness_days), mandate.valid_until).isoformat()
        because["valid_until"] = until
        row = book.row_of(subject)
        if row is None:
            why = f"it has no record in the snapshot of {book.as_of}"
            raise Missing("The subject is not known here", why=why, remedy="Compare the code with the business licence")
        sheet = self.sheets.of(book, row)
        return sheet.fill(
            uscc=uscc.code, mandate=mandate.id, purpose=mandate.purpose, score_id=call.id, valid_until=until
        )

    async def answer(self, call: Call, body: bytes) -> bytes:
        """The answer's bytes, once its entry is durable. Raises as `find` does, and Broken when there is no entry."""
        filled = self.find(call, read_ask(body))
        because = {**call.because, "status": 200, "digest": filled.digest}
        entry = await self.recorder.record(ANSWERED, call.id, by=call.by, because=because)
        return filled.whole(entry=entry.id, seq=entry.seq)

    async def announce(self, book: Book) -> None:
        """Record that answers come from `book` from now on, so that the ledger tells what served at any time."""
        because = {"model": book.model, "version": book.version, "release": book.release}
        try:
            await self.recorder.record(OPENED, book.snapshot, by=SERVICE, because=because)
        except CreditError as fault:  # answers will be refused for the same cause, and readiness shows it
            log.event("ledger.failed", level=logging.ERROR, snapshot=book.snapshot, fault=fault.what)

    async def refuse(self, call: Call, error: CreditError) -> None:
        """Record a refusal; when even that fails the caller is refused all the same and the log says so."""
        because: Mapping[str, Any] = {
            "bank": None,
            **call.because,
            "status": error.status,
            "slug": error.slug,
            "checks": [finding.check for finding in getattr(error, "findings", ())],
        }
        try:
            await self.recorder.record(REFUSED, call.id, by=call.by, because=because)
        except CreditError as fault:
            log.event("ledger.failed", level=logging.ERROR, score_id=call.id, fault=fault.what)
