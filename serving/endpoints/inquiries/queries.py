"""Queries (查询接口): one list of a subject's records by name, a page at a time, signed and in the ledger."""

from __future__ import annotations

from functools import partial
from typing import Any

from serving.core.request import RequestContext
from serving.core.service import ScoringService
from serving.endpoints.inquiries.inquiries import (
    NOTICE,
    answer_with_receipt,
    column_titles,
    needs_mandate,
    open_inquiry,
    tables_needing_mandate,
    visible_columns,
    visible_records,
)
from serving.endpoints.inquiries.schemas import QueryRequestSchema
from serving.endpoints.inquiries.sections import section_catalogue
from serving.responses.compose import stored_score
from serving.responses.request_schemas import parse_body

QUERIED = "query.answered"
EVALUATION = "evaluation"
PATHS = {f"/v1/queries/{name}": name for name in (*section_catalogue().lists(), EVALUATION)}


async def query(name: str, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """A page of the list `name`. Raises Malformed, and as `inquiries.look` does."""
    asked = parse_body(QueryRequestSchema, body)
    call.details["query"] = name
    if name == EVALUATION:
        return await _evaluation(service, call, asked)
    zh, en, tables = section_catalogue().lists()[name]
    looked = open_inquiry(service, call, asked.uscc, asked.purpose, asked.mandate)
    told, full = looked.dossiers.tables, looked.mandate is not None
    there = [table for table in tables if table in told]
    if there and not any(visible_columns(told[table], mandate=full) for table in there):
        raise needs_mandate("inquiries.open-on-request")
    records = visible_records(looked, there)
    first = (asked.page - 1) * asked.size
    said: dict[str, Any] = {
        "query_id": call.id,
        "name": looked.name,
        "query": name,
        "title": {"zh": zh, "en": en},
        "day": looked.day.isoformat(),
        "total": len(records),
        "page": asked.page,
        "pages": -(-len(records) // asked.size),
        "records": [record.as_json() for record in records[first : first + asked.size]],
        "columns": column_titles(looked, there),
        "takes_a_mandate": tables_needing_mandate(looked.dossiers, there),
        "snapshot": {"id": looked.dossiers.snapshot, "as_of": looked.dossiers.as_of.isoformat()},
        "release": looked.dossiers.release,
        "invented": looked.dossiers.invented,
        "mandate": looked.mandate and looked.mandate.id,
        "notice": NOTICE,
    }
    return await answer_with_receipt(service, call, QUERIED, said, looked.uscc.code)


async def _evaluation(service: ScoringService, call: RequestContext, asked: QueryRequestSchema) -> bytes:
    """The result of the public evaluation (评价结果): the grade, which takes a mandate for whomever it is."""
    if not asked.mandate:
        raise needs_mandate("inquiries.evaluation-result")
    found = service.look_up(call, asked.uscc, asked.purpose, asked.mandate)
    line, book = stored_score(found.snapshot, found.row), found.snapshot
    record = {
        "table": EVALUATION, "document": None, "happened": book.as_of.isoformat(), "publication_ends": None,
        "repair": None, "fields": {"grade": line.grade, "grade4": line.grade[0], "valid_until": found.valid_until},
    }  # fmt: skip
    said = {
        "query_id": call.id, "name": None, "query": EVALUATION, "title": {"zh": "评价结果", "en": "Evaluation"},
        "day": service.settings.day().isoformat(), "total": 1, "page": asked.page, "pages": 1,
        "records": [record] if asked.page == 1 else [], "takes_a_mandate": [EVALUATION],
        "columns": {EVALUATION: {"grade": "等级（四等九级）", "grade4": "等级（四等）", "valid_until": "有效期至"}},
        "snapshot": {"id": book.snapshot, "as_of": book.as_of.isoformat()}, "release": book.release,
        "invented": None, "mandate": found.mandate.id, "notice": NOTICE,
    }  # fmt: skip
    return await answer_with_receipt(service, call, QUERIED, said, found.uscc)


HANDLERS = {path: partial(query, name) for path, name in PATHS.items()}
