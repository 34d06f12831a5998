"""GET /v1/reports/{uscc}: a report as HTML, PDF or JSON, signed over its bytes and recorded in the ledger."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from fastapi import Request

from credit.actor import Actor
from credit.canonical import canonical, digest
from credit.errors import CreditError, Malformed, Missing
from credit.usage_rights import Recipient
from credit.uscc import Uscc
from serving.core.request import RequestContext
from serving.core.service import ScoringService
from serving.endpoints.inquiries.inquiries import InquiryScope, open_inquiry
from serving.endpoints.reports import report_html
from serving.endpoints.reports.report_content import compose_report
from serving.endpoints.reports.report_form import Report
from serving.endpoints.reports.typeface import NoTypeface
from serving.errors import Overloaded
from serving.http.request_id import request_id_of
from serving.http.routing import ProductRoute, RouteReply
from serving.observability import log
from serving.processes.subprocess_worker import SubprocessWorker, WorkerDied
from serving.processes.worker_loop import InvalidTask

REPORTED, SCOPE, COST = "report.answered", "report", 10  # a report costs ten answers of a quota
MEDIA = {"html": "text/html; charset=utf-8", "pdf": "application/pdf", "json": "application/json"}
_PARAMETERS = {
    "format": "html, pdf or json; else as Accept says",
    "purpose": "the mandate's purpose",
    "mandate": "the id of a mandate: needed for an individual business, and for all that is not open",
}


def pdf_process() -> SubprocessWorker:
    """The process that draws PDFs, one after another; a drawing that takes half a minute is ended."""
    return SubprocessWorker("serving.endpoints.reports.pdf_process", seconds=30, most=32 << 20)


async def report(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> RouteReply:
    """The report, once its entry is durable.

    Raises as `open_inquiry`, Overloaded when too many reports are drawn, and NoTypeface when no PDF can be drawn.
    """
    form, purpose, mandate = _parameters(request)
    kind = _kind(form, request.headers.get("accept", ""))
    scope = open_inquiry(service, call, request.path_params["uscc"], purpose, mandate)
    return await _answer(request, service, call, scope, kind)


async def own_report(request: Request, service: ScoringService, uscc: str, kind: str, by: Actor) -> RouteReply:
    """The report for the subject itself, recorded as its own. Raises Lapsed, Missing, and as `report`."""
    day, code = service.settings.day(), Uscc.parse(uscc)
    assert service.credit_files is not None
    credit_files = service.credit_files.open(day)
    credit_file = service.credit_files.find(credit_files, code.code)
    if credit_file is None:
        raise Missing("inquiries.subject-not-known-here", as_of=credit_files.as_of)
    details = {"subject": by.name, "snapshot": credit_files.snapshot}
    call = RequestContext(request_id_of(request.scope), by, details, recipient=Recipient.SUBJECT)
    scope = InquiryScope(code, credit_files, credit_file, None, day, is_own=True)
    return await _answer(request, service, call, scope, kind)


async def _answer(
    request: Request, service: ScoringService, call: RequestContext, scope: InquiryScope, kind: str
) -> RouteReply:
    valid_until = scope.credit_files.valid_until(service.settings.freshness_days)
    if scope.mandate is not None:
        valid_until = min(valid_until, scope.mandate.valid_until)
    content = compose_report(scope, number=call.id, valid_until=valid_until, evaluation=_evaluation(service, scope))
    drawn = await draw_report(request.app.state.drawer, content, kind)
    details = {
        **call.details,
        "status": 200,
        "format": kind,
        "digest": digest(drawn),
        "valid_until": valid_until.isoformat(),
    }
    await service.ledger_writer.record(REPORTED, call.id, by=call.by, details=details)
    name = f'inline; filename="report-{call.id}.{kind}"'
    headers = {**report_html.HEADERS, "Content-Disposition": name, "X-Report-Number": call.id}
    return RouteReply(drawn, MEDIA[kind], headers)


async def draw_report(drawer: SubprocessWorker, report: Report, kind: str) -> bytes:
    """The bytes of a report in the format `kind`."""
    if kind != "pdf":
        return report_html.draw(report) if kind == "html" else canonical(_plain(asdict(report)))
    try:
        return await drawer.run(await asyncio.to_thread(pickle.dumps, report))
    except InvalidTask as unfit:
        log.event("report.no_typeface", level=log.ERROR, remedy=(fault := NoTypeface()).remedy)
        raise fault from unfit
    except WorkerDied as fell:
        raise Overloaded() from fell


def _evaluation(service: ScoringService, scope: InquiryScope) -> Mapping[str, str] | None:
    """The grade of the public evaluation: under a mandate or to the subject itself, where it was evaluated."""
    if not scope.sees_all:
        return None
    subject = service.pseudonyms.key_of(scope.uscc.code)
    try:
        active = service.evaluations.for_kind(scope.uscc.kind, scope.day)
        service.snapshots.suppression.require(subject.hex, active.notice_number)
    except CreditError:  # a report is given without an evaluation when none may answer
        return None
    sheet = active.sheet_of(subject)
    if sheet is None:
        return None
    families = {family["zh"]: f"{family['points']:+.2f}" for family in sheet["families"]}
    return {
        "评价等级": sheet["grade"], "四等": sheet["grade4"], "评价得分": f"{sheet['points']:.2f}",
        "评价时点": active.as_of.isoformat(), "评价标准": sheet["standard"], "基准分": f"{sheet['base']:.2f}",
        **families,
    }  # fmt: skip


def _declared_parameters() -> tuple[Mapping[str, Any], ...]:
    """The query parameters as OpenAPI shows them. FastAPI does not parse them, so that no refusal repeats a value."""
    return tuple(
        {"name": name, "in": "query", "required": False, "description": text,
         "schema": {"type": "string", **({"enum": list(MEDIA)} if name == "format" else {"maxLength": 256})}}
        for name, text in _PARAMETERS.items()
    )  # fmt: skip


def _parameters(request: Request) -> tuple[str, str, str]:
    """Format, purpose and mandate. Raises Malformed for a parameter that is unknown, repeated or too long."""
    items = request.query_params.multi_items()
    values = dict(items)
    if (
        set(values) - set(_PARAMETERS)
        or len(values) != len(items)
        or any(len(value) > 256 for value in values.values())
    ):
        raise Malformed("report-routes.parameters-report-cannot-be-read", parameters=", ".join(_PARAMETERS))
    form, purpose, mandate = (values.get(name, "") for name in _PARAMETERS)
    return form, purpose, mandate


def _kind(requested: str, accepted: str) -> str:
    if requested:
        if requested not in MEDIA:
            raise Malformed("report-routes.not-form-report", media=", ".join(MEDIA))
        return requested
    offers = [part.partition(";")[0].strip() for part in accepted[:512].split(",")]
    acceptable = [kind for offer in offers for kind, media in MEDIA.items() if media.partition(";")[0] == offer]
    return acceptable[0] if acceptable else "html"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


ROUTES = (
    ProductRoute("GET", "/v1/reports/{uscc}", SCOPE, report,
                 "A public credit report (公共信用报告), signed over its bytes",
                 media=tuple(MEDIA.values()), query=_declared_parameters(), cost=COST),
)  # fmt: skip
