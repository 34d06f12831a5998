"""Queries (查询接口): one named list of a subject's records, one page at a time, signed and recorded in the ledger."""

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
from serving.endpoints.inquiries.public_evaluation import evaluation_under_mandate
from serving.endpoints.inquiries.schemas import QueryRequestSchema
from serving.endpoints.inquiries.sections import section_catalogue
from serving.responses.request_schemas import parse_body

QUERIED = "query.answered"
EVALUATION = "evaluation"
COLUMNS = {"grade": "等级（四等九级）", "grade4": "等级（四等）", "points": "评价得分", "valid_until": "有效期至",
           "sheet": "指标明细"}  # fmt: skip
PATHS = {f"/v1/queries/{name}": name for name in (*section_catalogue().lists(), EVALUATION)}


async def query(name: str, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """A page of the list `name`. Raises Malformed, and as `open_inquiry`."""
    request = parse_body(QueryRequestSchema, body)
    call.details["query"] = name
    if name == EVALUATION:
        return await _evaluation(service, call, request)
    zh, en, tables = section_catalogue().lists()[name]
    scope = open_inquiry(service, call, request.uscc, request.purpose, request.mandate)
    described, has_mandate = scope.credit_files.tables, scope.mandate is not None
    present = [table for table in tables if table in described]
    if present and not any(visible_columns(described[table], mandate=has_mandate) for table in present):
        raise needs_mandate("inquiries.open-on-request")
    records = visible_records(scope, present)
    first = (request.page - 1) * request.size
    answer: dict[str, Any] = {
        "query_id": call.id,
        "name": scope.name,
        "query": name,
        "title": {"zh": zh, "en": en},
        "day": scope.day.isoformat(),
        "total": len(records),
        "page": request.page,
        "pages": -(-len(records) // request.size),
        "records": [record.as_json() for record in records[first : first + request.size]],
        "columns": column_titles(scope, present),
        "takes_a_mandate": tables_needing_mandate(scope.credit_files, present),
        "snapshot": {"id": scope.credit_files.snapshot, "as_of": scope.credit_files.as_of.isoformat()},
        "release": scope.credit_files.release,
        "invented": scope.credit_files.invented,
        "mandate": scope.mandate and scope.mandate.id,
        "notice": NOTICE,
    }
    return await answer_with_receipt(service, call, QUERIED, answer, scope.uscc.code)


async def _evaluation(service: ScoringService, call: RequestContext, request: QueryRequestSchema) -> bytes:
    """The grade of the public evaluation (评价结果), which needs a mandate for every subject."""
    if not request.mandate:
        raise needs_mandate("inquiries.evaluation-result")
    evaluated = evaluation_under_mandate(service, call, request.uscc, request.purpose, request.mandate)
    snapshot, sheet = evaluated.active, evaluated.sheet
    fields = {"grade": sheet["grade"], "grade4": sheet["grade4"], "points": sheet["points"],
              "valid_until": evaluated.valid_until, "sheet": sheet}  # fmt: skip
    record = {
        "table": EVALUATION, "document": None, "happened": snapshot.as_of.isoformat(), "publication_ends": None,
        "repair": None, "fields": fields,
    }  # fmt: skip
    answer = {
        "query_id": call.id, "name": None, "query": EVALUATION, "title": {"zh": "评价结果", "en": "Evaluation"},
        "day": service.settings.day().isoformat(), "total": 1, "page": request.page, "pages": 1,
        "records": [record] if request.page == 1 else [], "takes_a_mandate": [EVALUATION],
        "columns": {EVALUATION: COLUMNS},
        "snapshot": {"id": snapshot.snapshot, "as_of": snapshot.as_of.isoformat()}, "release": snapshot.release,
        "invented": None, "mandate": evaluated.mandate, "notice": NOTICE,
    }  # fmt: skip
    return await answer_with_receipt(service, call, QUERIED, answer, evaluated.uscc)


HANDLERS = {path: partial(query, name) for path, name in PATHS.items()}
