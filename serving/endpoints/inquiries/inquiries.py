"""Inquiry (查询): what of a subject's records may be shown to this caller on this day.

An enterprise's open records are public: no mandate is asked for. The records of an individual business speak of a
person (PIPL), and some records are open on request alone: both take the subject's mandate. A record that was repaired
is not in the dossiers; one whose publication has ended since they were made is left out here, by the day it is.
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
_OF_THE_RECORD = ("record_state",)


@dataclass(frozen=True, slots=True)
class InquiryScope:
    """A subject's dossier, and what opens it; without a mandate only what is open to all is shown."""

    uscc: Uscc
    dossiers: CreditFiles
    dossier: CreditFile
    mandate: Mandate | None
    day: date

    @property
    def name(self) -> str | None:
        """The subject's registered name."""
        found = next(iter(visible_records(self, ["registration"])), None)
        return str(found.fields["subject_name"]) if found and "subject_name" in found.fields else None


@dataclass(frozen=True, slots=True)
class VisibleRecord:
    """One record as it may be shown."""

    table: str
    document: str | None
    happened: date | None
    ends: date | None
    repairable_from: date | None
    fields: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        told = {"status": "未修复", "possible_from": self.repairable_from.isoformat()} if self.repairable_from else None
        return {
            "table": self.table, "document": self.document, "repair": told, "fields": dict(self.fields),
            "happened": self.happened and self.happened.isoformat(),
            "publication_ends": self.ends and self.ends.isoformat(),
        }  # fmt: skip


def open_inquiry(
    service: ScoringService, call: RequestContext, uscc_text: str, purpose: str, mandate_id: str
) -> InquiryScope:
    """The dossier of a subject. Raises Malformed, Lapsed, Refused, Missing; a mandate comes before the look-up."""
    uscc, details, day = Uscc.parse(uscc_text), call.details, service.settings.day()
    subject = service.pseudonyms.key_of(uscc.code)
    details["subject"] = subject.hex
    assert service.credit_files is not None
    dossiers = service.credit_files.open(day)
    details["snapshot"] = dossiers.snapshot
    if is_mandate_id(mandate_id):
        details["mandate"] = mandate_id
    if purpose in PURPOSES:
        details["purpose"] = purpose
    mandate = None
    if mandate_id or purpose:
        mandate = service.gate.require(
            mandate_id, bank=call.by.name, subject=subject, purpose=purpose, day=day, judge=SERVICE
        )
    elif uscc.kind is SubjectKind.INDIVIDUAL_BUSINESS:
        raise needs_mandate("inquiries.individual-business")
    dossier = service.credit_files.find(dossiers, uscc.code)
    if dossier is None:
        raise Missing("inquiries.subject-not-known-here", as_of=dossiers.as_of)
    return InquiryScope(uscc, dossiers, dossier, mandate, day)


def needs_mandate(why: str) -> Refused:
    """The refusal of what takes a mandate; `why` is the id of a message."""
    failed = Finding.of("mandate", Outcome.FAIL, Text(why))
    return Refused("inquiries.no-mandate", why=failed.message, findings=(failed,))


def visible_records(looked: InquiryScope, tables: Iterable[str]) -> list[VisibleRecord]:
    """The records of these tables that may be shown, the newest first within each table."""
    found: list[VisibleRecord] = []
    for name in tables:
        told = looked.dossiers.tables.get(name)
        if told is None:
            continue
        columns = visible_columns(told, mandate=looked.mandate is not None)
        for record in looked.dossier.get(name, ()) if columns else ():
            happened, ends, values = (
                _day(record[0]),
                _day(record[1]),
                dict(zip(told["columns"], record[2:], strict=True)),
            )
            if (ends is not None and ends <= looked.day) or not _stands(told, values, looked):
                continue
            since = happened if told["repairable"] else None
            severity, rules = values.get("severity"), section_catalogue()
            found.append(VisibleRecord(
                name, values.get(told["document"]) if told["document"] in columns else None, happened, ends,
                rules.repairable_from(name, severity, since) if since else None,
                {column: values[column] for column in columns if values[column] is not None},
            ))  # fmt: skip
    return found


def visible_columns(told: Mapping[str, Any], *, mandate: bool) -> list[str]:
    """The columns of a table that this caller may be shown; what says how a record may be used is not one of them."""
    who = ("anyone", "mandate") if mandate else ("anyone",)
    own = (told["scope"], told["state"], *_OF_THE_RECORD)
    return [name for name in told["columns"] if told["shown"][name]["shown_to"] in who and name not in own]


def tables_needing_mandate(dossiers: CreditFiles, tables: Iterable[str]) -> list[str]:
    """The tables of which less is shown without a mandate, whoever the subject is."""

    def closed(told: Mapping[str, Any]) -> bool:
        return bool(told["scope"]) or any(each["shown_to"] == "mandate" for each in told["shown"].values())

    return [name for name in tables if name in dossiers.tables and closed(dossiers.tables[name])]


def column_titles(looked: InquiryScope, tables: Iterable[str]) -> dict[str, dict[str, str]]:
    """The titles of the columns shown, by table."""
    told, full = looked.dossiers.tables, looked.mandate is not None
    return {
        name: {
            column: column_title(told[name]["shown"][column]) for column in visible_columns(told[name], mandate=full)
        }
        for name in tables
        if name in told
    }


def column_title(column: Mapping[str, str]) -> str:
    """A column's title without the explanation in brackets, with its unit."""
    title = column["title"].partition("（")[0]
    return f"{title}（{column['unit']}）" if column["unit"] else title


async def answer_with_receipt(
    service: ScoringService, call: RequestContext, verb: str, said: Mapping[str, Any], uscc: str
) -> bytes:
    """The answer's bytes once its entry is durable. The salt keeps who reads the ledger from trying public records."""
    salt = call.salt if isinstance(call, ResumedRequest) else None
    salted = {**said, "salt": salt or secrets.token_hex(16)}
    details = {**call.details, "status": 200, "digest": digest_json(salted)}
    entry = await service.ledger_writer.record(verb, call.id, by=call.by, details=details)
    receipt = {"entry": entry.id, "seq": entry.seq, "digest": details["digest"]}
    return canonical({**salted, "uscc": uscc, "receipt": receipt})


def display_value(rules: SectionCatalogue, column: str, value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, float):
        return f"{value:,.6f}".rstrip("0").rstrip(".")
    return rules.word(column, str(value))


def _stands(told: Mapping[str, Any], values: Mapping[str, Any], looked: InquiryScope) -> bool:
    if told["state"] and values.get(told["state"]) not in (None, "normal"):
        return False
    return looked.mandate is not None or not told["scope"] or values.get(told["scope"]) not in told["with_mandate"]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
