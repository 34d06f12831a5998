"""POST /v1/reports/special: a special report (专项信用报告, 信用代证) of chosen fields and years, signed and recorded.

It is the subject's own request: its mandate is for this purpose alone, and permits nothing else.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Request
from pydantic import ConfigDict, Field

from credit.canonical import digest
from credit.errors import Malformed
from serving.auth.mandates import SPECIAL_REPORT
from serving.core.request import RequestContext
from serving.core.service import ScoringService
from serving.endpoints.inquiries.inquiries import InquiryScope, open_inquiry
from serving.endpoints.reports import report_html
from serving.endpoints.reports.report_content import compose_special
from serving.endpoints.reports.report_routes import COST, MEDIA, SCOPE, draw_report
from serving.endpoints.reports.special import SpecialRecords, special_declaration, special_records
from serving.endpoints.reports.special_code import sign_statement
from serving.http.routing import ProductRoute, RouteReply
from serving.idempotency.stored_answer import StoredAnswer
from serving.responses.api_schema import ApiSchema
from serving.responses.request_schemas import Short, parse_body

REPORTED, DEFAULT_FORMAT = "special-report.answered", "html"


class SpecialReportRequestSchema(ApiSchema, published="AskedSpecialReport"):
    """The subject, its mandate for a special report, and which fields and years the report is about."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True,
        json_schema_extra={"examples": [{
            "uscc": "91120116MA06XY128A", "mandate": f"mandate-{'0' * 32}", "fields": ["market", "tax"],
            "first_year": 2024, "last_year": 2026, "format": "pdf",
        }]},
    )  # fmt: skip

    uscc: Short = Field(description="统一社会信用代码")
    mandate: Short = Field(description=f"the id of a mandate of the subject for the purpose {SPECIAL_REPORT}")
    fields: Annotated[list[Short], Field(max_length=64)] = Field([], description="fields (领域) by name; none is all")
    first_year: Annotated[int, Field(strict=True, ge=2000, le=2100)]
    last_year: Annotated[int, Field(strict=True, ge=2000, le=2100)]
    format: Short = Field(DEFAULT_FORMAT, description=f"one of {', '.join(MEDIA)}")


async def special_report(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> RouteReply:
    """The report, once its entry is durable. Raises as `open_inquiry` and `special_records`, and as a report."""
    wanted, scope, selected = _open(service, call, body)
    valid_until = scope.credit_files.valid_until(service.settings.freshness_days)
    assert scope.mandate is not None
    valid_until = min(valid_until, scope.mandate.valid_until)
    code = sign_statement(statement_of(scope, selected, number=call.id, valid_until=valid_until), service.signer.key)
    content = compose_special(scope, selected, number=call.id, valid_until=valid_until, code=code)
    drawn = await draw_report(request.app.state.drawer, content, wanted.format)
    details = {
        **call.details, "status": 200, "format": wanted.format, "digest": digest(drawn),
        "years": [wanted.first_year, wanted.last_year], "fields": [field.name for field in selected.fields],
        "valid_until": valid_until.isoformat(),
    }  # fmt: skip
    await service.ledger_writer.record(REPORTED, call.id, by=call.by, details=details)
    name = f'inline; filename="special-report-{call.id}.{wanted.format}"'
    headers = {**report_html.HEADERS, "Content-Disposition": name, "X-Report-Number": call.id}
    return RouteReply(drawn, MEDIA[wanted.format], headers)


def statement_of(scope: InquiryScope, selected: SpecialRecords, *, number: str, valid_until: date) -> dict[str, object]:
    """What the code says: for each content the counts of the chosen fields in their order, or null (not collected)."""
    counts: dict[str, list[int] | None] = {}
    for name, of_content in selected.selected.items():
        of_fields = [selected.count(name, field.name) or 0 for field in selected.fields]
        counts[name] = None if of_content is None else of_fields
    return {
        "number": number, "uscc": scope.uscc.code, "day": scope.day.isoformat(), "until": valid_until.isoformat(),
        "years": [selected.first_year, selected.last_year], "fields": [field.name for field in selected.fields],
        "counts": counts, "version": special_declaration().version,
    }  # fmt: skip


async def repeat_special(
    service: ScoringService, call: RequestContext, body: bytes, answer: StoredAnswer
) -> tuple[bytes, bytes] | None:
    """A repetition: the mandate must still be in force. In another format than the page it is a new request."""
    wanted, _, _ = _open(service, call, body)
    return (answer.body, answer.body) if wanted.format == DEFAULT_FORMAT else None


def _open(
    service: ScoringService, call: RequestContext, body: bytes
) -> tuple[SpecialReportRequestSchema, InquiryScope, SpecialRecords]:
    wanted = parse_body(SpecialReportRequestSchema, body)
    if wanted.format not in MEDIA:
        raise Malformed("report-routes.not-form-report", media=", ".join(MEDIA))
    scope = open_inquiry(service, call, wanted.uscc, SPECIAL_REPORT, wanted.mandate, special=True)
    return wanted, scope, special_records(scope, wanted.fields, wanted.first_year, wanted.last_year)


ROUTES = (
    ProductRoute("POST", "/v1/reports/special", SCOPE, special_report,
                 "A special report (信用代证) of fields and years, at the subject's own request",
                 form=SpecialReportRequestSchema, media=tuple(MEDIA.values()), cost=COST,
                 again=repeat_special, repeated="special-report.repeated"),
)  # fmt: skip
