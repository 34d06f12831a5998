"""Inquiry (查询): which of a subject's records may be shown to this caller on this day.

An enterprise's open records are public and need no mandate. The records of an individual business are personal
information (PIPL), and some records are open on request only (依申请公开): both need the subject's mandate. A repaired
record is not in the credit files. A record whose publication has ended since the files were made is left out here.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from credit.canonical import canonical, digest_json
from credit.errors import Missing, Refused
from credit.gate import Finding, Outcome
from credit.messages import Text
from credit.subjects import SubjectKind
from credit.uscc import Uscc
from serving.auth.mandates import PURPOSES, Mandate, is_mandate_id
from serving.core.request import SERVICE, RequestContext, ResumedRequest
from serving.core.service import ScoringService
from serving.data.credit_files import CreditFile, CreditFiles
from serving.endpoints.inquiries.sections import SectionCatalogue, section_catalogue

NOTICE = {
    "zh": "内容来自公共信用信息平台，以发布单位公布的为准；已修复和公示期满的信息不再展示。",
    "en": "From the public credit platform; the publisher's word holds. Repaired and ended records are not shown.",
}
_STATE_COLUMNS = ("record_state",)


@dataclass(frozen=True, slots=True)
class InquiryScope:
    """A subject's credit file and the mandate of the inquiry.

    Without a mandate only records open to everyone are visible.
    """

    uscc: Uscc
    credit_files: CreditFiles
    credit_file: CreditFile
    mandate: Mandate | None
    day: date
    is_own: bool = False  # the subject itself asks, on its own page
    is_special: bool = False  # the subject wants a special report (信用代证): minor and ended records are shown too

    @property
    def sees_all(self) -> bool:
        """Whether what is open on request only may be shown: under a mandate, or to the subject itself."""
        return self.is_own or self.mandate is not None

    @property
    def name(self) -> str | None:
        """The subject's registered name, if its registration is visible."""
        registration = next(iter(visible_records(self, ["registration"])), None)
        return (
            str(registration.fields["subject_name"]) if registration and "subject_name" in registration.fields else None
        )


@dataclass(frozen=True, slots=True)
class VisibleRecord:
    """One record with the fields that may be shown."""

    table: str
    document: str | None
    happened: date | None
    ends: date | None
    repairable_from: date | None
    fields: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The record as plain values, dates in ISO 8601."""
        repair = (
            {"status": "未修复", "possible_from": self.repairable_from.isoformat()} if self.repairable_from else None
        )
        return {
            "table": self.table, "document": self.document, "repair": repair, "fields": dict(self.fields),
            "happened": self.happened and self.happened.isoformat(),
            "publication_ends": self.ends and self.ends.isoformat(),
        }  # fmt: skip


def open_inquiry(
    service: ScoringService, call: RequestContext, uscc_text: str, purpose: str, mandate_id: str,
    *, special: bool = False,
) -> InquiryScope:  # fmt: skip
    """Find a subject's credit file, after checking the mandate.

    Raises Malformed for the code, Lapsed when no credit files may answer, Refused without a valid mandate, and
    Missing when the subject is not known. The mandate is checked first, so the answer does not disclose who is
    known.
    """
    uscc, details, day = Uscc.parse(uscc_text), call.details, service.settings.day()
    subject = service.pseudonyms.key_of(uscc.code)
    details["subject"] = subject.hex
    assert service.credit_files is not None
    credit_files = service.credit_files.open(day)
    details["snapshot"] = credit_files.snapshot
    if is_mandate_id(mandate_id):
        details["mandate"] = mandate_id
    if purpose in PURPOSES:
        details["purpose"] = purpose
    mandate = None
    if mandate_id or purpose or special:
        mandate = service.gate.require(
            mandate_id,
            bank=call.by.name,
            subject=subject,
            purpose=purpose,
            day=day,
            judge=SERVICE,
            special=special,
        )
    elif uscc.kind is SubjectKind.INDIVIDUAL_BUSINESS:
        raise needs_mandate("inquiries.individual-business")
    credit_file = service.credit_files.find(credit_files, uscc.code)
    if credit_file is None:
        raise Missing("inquiries.subject-not-known-here", as_of=credit_files.as_of)
    return InquiryScope(uscc, credit_files, credit_file, mandate, day, is_special=special)


def needs_mandate(why: str) -> Refused:
    """The refusal of a request that needs a mandate and has none."""
    failed = Finding.of("mandate", Outcome.FAIL, Text(why))
    return Refused("inquiries.no-mandate", why=failed.message, findings=(failed,))


def visible_records(scope: InquiryScope, tables: Iterable[str]) -> list[VisibleRecord]:
    """The records of these tables that may be shown, the newest first within each table."""
    records: list[VisibleRecord] = []
    for name in tables:
        table = scope.credit_files.tables.get(name)
        if table is None:
            continue
        columns = visible_columns(table, mandate=scope.sees_all)
        for record in scope.credit_file.get(name, ()) if columns else ():
            happened, ends, values = (
                _day(record[0]),
                _day(record[1]),
                dict(zip(table["columns"], record[2:], strict=True)),
            )
            if _has_ended(ends, values, scope) or not _is_visible(table, values, scope):
                continue
            severity, catalogue = values.get("severity"), section_catalogue()
            repairable_since = happened if table["repairable"] and catalogue.is_fault(values) else None
            records.append(VisibleRecord(
                name, values.get(table["document"]) if table["document"] in columns else None, happened, ends,
                catalogue.repairable_from(name, severity, repairable_since) if repairable_since else None,
                {column: values[column] for column in columns if values[column] is not None},
            ))  # fmt: skip
    return records


def visible_columns(table: Mapping[str, Any], *, mandate: bool) -> list[str]:
    """The columns of a table that this caller may see, without those that say how a record may be used."""
    audiences = ("anyone", "mandate") if mandate else ("anyone",)
    usage_columns = (table["scope"], table["state"], *_STATE_COLUMNS)
    return [
        name for name in table["columns"] if table["shown"][name]["shown_to"] in audiences and name not in usage_columns
    ]


def tables_needing_mandate(credit_files: CreditFiles, tables: Iterable[str]) -> list[str]:
    """The tables that show less without a mandate, whatever the subject is."""

    def closed(table: Mapping[str, Any]) -> bool:
        return bool(table["scope"]) or any(each["shown_to"] == "mandate" for each in table["shown"].values())

    return [name for name in tables if name in credit_files.tables and closed(credit_files.tables[name])]


def column_titles(scope: InquiryScope, tables: Iterable[str]) -> dict[str, dict[str, str]]:
    """The titles of the visible columns, by table."""
    described, has_mandate = scope.credit_files.tables, scope.sees_all
    return {
        name: {
            column: column_title(described[name]["shown"][column])
            for column in visible_columns(described[name], mandate=has_mandate)
        }
        for name in tables
        if name in described
    }


def column_title(column: Mapping[str, str]) -> str:
    """A column's title with its unit, without the explanation in brackets."""
    title = column["title"].partition("（")[0]
    return f"{title}（{column['unit']}）" if column["unit"] else title


async def answer_with_receipt(
    service: ScoringService, call: RequestContext, verb: str, content: Mapping[str, Any], uscc: str
) -> bytes:
    """The answer's bytes, once its entry is durable.

    The answer includes a random salt: a reader of the ledger cannot find out public records by trying them against
    the digest.
    """
    salt = call.salt if isinstance(call, ResumedRequest) else None
    salted = {**content, "salt": salt or secrets.token_hex(16)}
    details = {**call.details, "status": 200, "digest": digest_json(salted)}
    entry = await service.ledger_writer.record(verb, call.id, by=call.by, details=details)
    receipt = {"entry": entry.id, "seq": entry.seq, "digest": details["digest"]}
    return canonical({**salted, "uscc": uscc, "receipt": receipt})


def display_value(catalogue: SectionCatalogue, column: str, value: Any) -> str:
    """A value as it is shown to people."""
    if isinstance(value, float):
        return f"{value:,.6f}".rstrip("0").rstrip(".")
    return catalogue.word(column, str(value))


def _is_visible(table: Mapping[str, Any], values: Mapping[str, Any], scope: InquiryScope) -> bool:
    if table["state"] and values.get(table["state"]) not in (None, "normal"):
        return False
    return scope.sees_all or not table["scope"] or values.get(table["scope"]) not in table["with_mandate"]


def _has_ended(ends: date | None, values: Mapping[str, Any], scope: InquiryScope) -> bool:
    """Whether a record is published no more, or never was: minor dishonesty (轻微失信信息) is not."""
    return not scope.is_special and ((ends is not None and ends <= scope.day) or values.get("severity") == "minor")


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
