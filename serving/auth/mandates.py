"""Mandates: a subject's written permission for one bank, one purpose and a span of days, signed by the platform."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from credit.actor import Actor, Role
from credit.envelope import sign_envelope, verify_envelope
from credit.errors import Broken, Malformed, Missing, Refused
from credit.gate import Finding, Gate, Outcome
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.messages import Text
from credit.subjects import SubjectKey
from serving.auth.access_database import AccessDatabase
from serving.state.decision_cache import DecisionCache

PAYLOAD_TYPE = "application/vnd.haihe.mandate+json"
LENDING_PURPOSES = ("credit_granting", "post_loan_management")  # 授信审批, 贷后管理
SPECIAL_REPORT = "special_report"  # 信用代证: the subject's own request for a special report, and for nothing else
PURPOSES = (*LENDING_PURPOSES, SPECIAL_REPORT)
MOST = 65_536  # positive decisions cached
_SIGNERS = {"platform"}
_ID = re.compile(r"mandate-[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def is_mandate_id(text: str) -> bool:
    """Whether `text` has the form of a mandate's id, which says nothing of any subject."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Mandate:
    """A mandate (授权书): which bank may request data on which subject, for which purpose and days (inclusive).

    `document` is the SHA-256 of the paper or electronic original; `document_kind` is its form, such as e-signed.
    """

    id: str
    bank: str
    subject: SubjectKey
    purpose: str
    document_kind: str
    document: str
    valid_from: date
    valid_until: date

    def __post_init__(self) -> None:
        """Raise Malformed when the purpose, the digest or the days are invalid."""
        if self.purpose not in PURPOSES:
            raise Malformed("mandates.not-purpose-mandate", purposes=", ".join(PURPOSES))
        if not _DIGEST.fullmatch(self.document):
            raise Malformed("mandates.mandate-document-digest-not-sha")
        if self.valid_until < self.valid_from:
            raise Malformed("mandates.mandate-ends-before-begins")

    def statement(self) -> dict[str, str]:
        """The statement that the platform signs."""
        return {
            "id": self.id,
            "bank": self.bank,
            "subject": self.subject.hex,
            "purpose": self.purpose,
            "document_kind": self.document_kind,
            "document": self.document,
            "from": self.valid_from.isoformat(),
            "until": self.valid_until.isoformat(),
        }

    @classmethod
    def of(cls, statement: Mapping[str, Any]) -> Mandate:
        """The mandate of a verified statement. Raises Broken when a field is missing or invalid."""
        try:
            return cls(
                statement["id"],
                statement["bank"],
                SubjectKey(statement["subject"]),
                statement["purpose"],
                statement["document_kind"],
                statement["document"],
                date.fromisoformat(statement["from"]),
                date.fromisoformat(statement["until"]),
            )
        except (KeyError, TypeError, ValueError, Malformed) as bad:
            raise Broken("mandates.stored-mandate-not-form-mandate") from bad


def grant(
    access: AccessDatabase,
    *,
    bank: str,
    subject: SubjectKey,
    purpose: str,
    document: str,
    valid_from: date,
    valid_until: date,
    by: Actor,
    key: SigningKey,
    ledger: Ledger,
    document_kind: str = "e-signed",
) -> Mandate:
    """Sign, record and store a mandate where one process may do all three. Raises Missing, Malformed, Refused.

    The ledger entry comes before the mandate: one that cannot be recorded is not granted.
    """
    by.require_role(Role.PLATFORM, act="act.grant-mandate")
    require_bank(access, bank)
    name = f"mandate-{secrets.token_hex(16)}"
    mandate = Mandate(name, bank, subject, purpose, document_kind, document, valid_from, valid_until)
    envelope = sign_mandate(mandate, by=by, key=key)
    ledger.append("mandate.granted", mandate.id, by=by, details=mandate.statement())
    access.rows("INSERT INTO mandate (id, bank, envelope) VALUES (?, ?, ?)", mandate.id, bank, json.dumps(envelope))
    return mandate


def revoke(access: AccessDatabase, mandate: str, *, by: Actor, ledger: Ledger, why: str = "") -> None:
    """Record and make a revocation where one process may do both. Raises Missing and Refused."""
    by.require_role(Role.PLATFORM, act="act.revoke-mandate")
    require_mandate(access, mandate)
    ledger.append("mandate.revoked", mandate, by=by, details={"why": why})
    mark_revoked(access, mandate)


def sign_mandate(mandate: Mandate, *, by: Actor, key: SigningKey) -> dict[str, Any]:
    """The platform's signed statement (DSSE) of a mandate. Raises Refused unless a person of the platform grants it."""
    by.require_role(Role.PLATFORM, act="act.grant-mandate")
    return sign_envelope(mandate.statement(), PAYLOAD_TYPE, key)


def store_mandate(access: AccessDatabase, envelope: Mapping[str, Any], ring: KeyRing) -> Mandate:
    """Verify a signed mandate and store it for the gate; the same one is stored once.

    Raises Broken when the platform did not sign it, and Missing for an unknown bank.
    """
    mandate = Mandate.of(verify_envelope(dict(envelope), PAYLOAD_TYPE, ring, _SIGNERS))
    require_bank(access, mandate.bank)
    sql = "INSERT INTO mandate (id, bank, envelope) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING"
    access.rows(sql, mandate.id, mandate.bank, json.dumps(envelope))
    return mandate


def require_bank(access: AccessDatabase, bank: str) -> None:
    """Raises Missing for a bank that the service does not know."""
    if access.client(bank) is None:
        raise Missing("mandates.no-client", bank=bank)


def require_mandate(access: AccessDatabase, mandate: str) -> None:
    """Raises Missing for a mandate that the service does not hold."""
    if not access.rows("SELECT id FROM mandate WHERE id = ?", mandate):
        raise Missing("mandates.no-such-mandate")


def mark_revoked(access: AccessDatabase, mandate: str) -> None:
    """Refuse a mandate from now on. Raises Missing. A second revocation changes nothing."""
    require_mandate(access, mandate)
    now = datetime.now(UTC).isoformat()
    access.rows("UPDATE mandate SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", now, mandate)


@dataclass(frozen=True, slots=True)
class MandateCase:
    """The case that the gate judges: a verified mandate, and the subject, purpose and day of the request."""

    mandate: Mandate
    revoked: bool
    subject: SubjectKey
    purpose: str
    day: date


def _finding(check: str, holds: bool, why: str) -> Finding:
    """A finding that names the check only: the evidence stays empty because a bank will read it.

    `why` is the id of the message that a failed check gives.
    """
    return Finding.of(check, Outcome.FAIL, Text(why)) if not holds else Finding(check, Outcome.PASS, "")


def same_subject(case: MandateCase, _: Mapping[str, Any]) -> Finding:
    """The mandate is for the subject of the request."""
    return _finding("subject", case.mandate.subject == case.subject, "mandates.for-another-subject")


def same_purpose(case: MandateCase, _: Mapping[str, Any]) -> Finding:
    """The mandate is for the purpose of the request."""
    return _finding("purpose", case.mandate.purpose == case.purpose, "mandates.for-another-purpose")


def in_time(case: MandateCase, _: Mapping[str, Any]) -> Finding:
    """The day lies within the days of the mandate."""
    holds = case.mandate.valid_from <= case.day <= case.mandate.valid_until
    return _finding("time", holds, "mandates.not-in-force")


def not_revoked(case: MandateCase, _: Mapping[str, Any]) -> Finding:
    """The mandate has not been revoked."""
    return _finding("revoked", not case.revoked, "mandates.revoked")


class MandateGate:
    """The mandate gate, which every look-up of a subject must pass."""

    def __init__(self, access: AccessDatabase, ring: KeyRing) -> None:
        """Read mandates from `access`, and verify their signatures with the platform's keys in `ring`."""
        self._access, self._ring = access, ring
        self._gate = Gate("mandate", (same_subject, same_purpose, in_time, not_revoked), {})
        self._allowed: DecisionCache[tuple[str, str, str, str, date], Mandate] = DecisionCache(MOST)

    def require(
        self, name: str, *, bank: str, subject: SubjectKey, purpose: str, day: date, judge: Actor,
        special: bool = False,
    ) -> Mandate:  # fmt: skip
        """The mandate, when it allows this request. Raises Refused, which names the failed check and nothing else.

        A mandate for a special report (`special`) permits that alone, and no other mandate permits one.
        Another bank's mandate gives the same refusal as a missing one, so that this bank learns nothing about it.
        A positive decision is cached until any process changes a mandate or a client, so a revocation applies at once.
        """
        if (purpose == SPECIAL_REPORT) is not special:
            failed = _finding("purpose", False, "mandates.special-report-alone")
            raise Refused("mandates.no-mandate", why=failed.message, findings=(failed,))
        case, now = (name, bank, subject.hex, purpose, day), self._access.generation()
        mandate = self._allowed.get(case, now)
        if mandate is None:
            mandate = self._judge(name, bank=bank, subject=subject, purpose=purpose, day=day, judge=judge)
            self._allowed.put(case, mandate, now)
        return mandate

    def _judge(self, name: str, *, bank: str, subject: SubjectKey, purpose: str, day: date, judge: Actor) -> Mandate:
        rows = self._access.rows("SELECT envelope, revoked_at FROM mandate WHERE id = ? AND bank = ?", name, bank)
        if not rows:
            failed = _finding("bank", False, "mandates.not-of-this-bank")
            raise Refused("mandates.no-mandate", why=failed.message, findings=(failed,))
        try:
            mandate = Mandate.of(verify_envelope(json.loads(str(rows[0][0])), PAYLOAD_TYPE, self._ring, _SIGNERS))
        except (Broken, ValueError) as forged:
            failed = _finding("signature", False, "mandates.does-not-verify")
            raise Refused("mandates.not-a-good-mandate", why=failed.message, findings=(failed,)) from forged
        if (mandate.id, mandate.bank) != (name, bank):  # a row that was moved to another id or bank
            failed = _finding("signature", False, "mandates.does-not-verify")
            raise Refused("mandates.not-a-good-mandate", why=failed.message, findings=(failed,))
        case = MandateCase(mandate, rows[0][1] is not None, subject, purpose, day)
        self._gate.judge(case, requested_by=Actor(bank, Role.BANK), reviewer=judge).require()
        return mandate
