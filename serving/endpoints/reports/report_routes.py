"""GET /v1/reports/{uscc}: a report as a page, a document or data, signed over its bytes and in the ledger."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from fastapi import Request

from credit.canonical import canonical, digest
from credit.errors import CreditError, Malformed
from serving.core.request import RequestContext
from serving.core.service import ScoringService
from serving.endpoints.inquiries.inquiries import InquiryScope, open_inquiry
from serving.endpoints.reports import report_html
from serving.endpoints.reports.report_content import compose_report
from serving.endpoints.reports.report_form import Report
from serving.endpoints.reports.typeface import NoTypeface
from serving.errors import Overloaded
from serving.http.routing import ProductRoute, RouteReply
from serving.observability import log
from serving.processes.subprocess_worker import SubprocessWorker, WorkerDied
from serving.processes.worker_loop import InvalidTask
from serving.responses.compose import stored_score

REPORTED, SCOPE, COST = "report.answered", "report", 10  # a report takes as much of a quota as ten answers
MEDIA = {"html": "text/html; charset=utf-8", "pdf": "application/pdf", "json": "application/json"}
_PARAMETERS = {
    "format": "html, pdf or json; else as Accept says",
    "purpose": "the mandate's purpose",
    "mandate": "the id of a mandate: needed for an individual business, and for all that is not open",
}


def pdf_process() -> SubprocessWorker:
    """The process that draws PDFs, one after another; one that takes half a minute is given up."""
    return SubprocessWorker("serving.endpoints.reports.pdf_process", seconds=30, most=32 << 20)


async def report(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> RouteReply:
    """The report, once its entry is durable.

    Raises as `inquiries.look` does, Overloaded when many are drawn, and NoTypeface when no PDF can be.
    """
    form, purpose, mandate = _asked(request)
    kind = _kind(form, request.headers.get("accept", ""))
    looked = open_inquiry(service, call, request.path_params["uscc"], purpose, mandate)
    until = looked.dossiers.valid_until(service.settings.freshness_days)
    if looked.mandate is not None:
        until = min(until, looked.mandate.valid_until)
    made = compose_report(looked, number=call.id, until=until, evaluation=_evaluation(service, looked))
    told = await _drawn(request.app.state.drawer, made, kind)
    details = {**call.details, "status": 200, "format": kind, "digest": digest(told), "valid_until": until.isoformat()}
    await service.ledger_writer.record(REPORTED, call.id, by=call.by, details=details)
    name = f'inline; filename="report-{call.id}.{kind}"'
    headers = {**report_html.HEADERS, "Content-Disposition": name, "X-Report-Number": call.id}
    return RouteReply(told, MEDIA[kind], headers)


async def _drawn(drawer: SubprocessWorker, report: Report, kind: str) -> bytes:
    """The bytes of a report in the form `kind`."""
    if kind != "pdf":
        return report_html.draw(report) if kind == "html" else canonical(_plain(asdict(report)))
    try:
        return await drawer.ask(await asyncio.to_thread(pickle.dumps, report))
    except InvalidTask as unfit:
        log.event("report.no_typeface", level=log.ERROR, remedy=(none := NoTypeface()).remedy)
        raise none from unfit
    except WorkerDied as fell:
        raise Overloaded() from fell


def _evaluation(service: ScoringService, looked: InquiryScope) -> Mapping[str, str] | None:
    """The grade of the public evaluation: under a mandate only, and only where a model scores the subject."""
    if looked.mandate is None:
        return None
    subject = service.pseudonyms.key_of(looked.uscc.code)
    try:
        book = service.snapshots.for_kind(looked.uscc.kind, looked.day)
        service.snapshots.suppression.require(subject.hex, book.notice_number)
    except CreditError:  # a report does not wait for a model
        return None
    row = book.row_of(subject)
    if row is None:
        return None
    grade = stored_score(book, row).grade
    return {"评价等级": grade, "四等": grade[0], "评价时点": book.as_of.isoformat(), "评价模型": book.model}


def _declared() -> tuple[Mapping[str, Any], ...]:
    """The parameters as the document shows them; they are read by ourselves, so that no refusal repeats a value."""
    return tuple(
        {"name": name, "in": "query", "required": False, "description": text,
         "schema": {"type": "string", **({"enum": list(MEDIA)} if name == "format" else {"maxLength": 256})}}
        for name, text in _PARAMETERS.items()
    )  # fmt: skip


def _asked(request: Request) -> tuple[str, str, str]:
    """Form, purpose and mandate. Raises Malformed for a parameter that is unknown, given twice or too long."""
    given = request.query_params.multi_items()
    told = dict(given)
    if set(told) - set(_PARAMETERS) or len(told) != len(given) or any(len(value) > 256 for value in told.values()):
        raise Malformed("report-routes.parameters-report-cannot-be-read", parameters=", ".join(_PARAMETERS))
    form, purpose, mandate = (told.get(name, "") for name in _PARAMETERS)
    return form, purpose, mandate


def _kind(asked: str, accepted: str) -> str:
    if asked:
        if asked not in MEDIA:
            raise Malformed("report-routes.not-form-report", media=", ".join(MEDIA))
        return asked
    offers = [part.partition(";")[0].strip() for part in accepted[:512].split(",")]
    found = [kind for offer in offers for kind, media in MEDIA.items() if media.partition(";")[0] == offer]
    return found[0] if found else "html"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


ROUTES = (
    ProductRoute("GET", "/v1/reports/{uscc}", SCOPE, report,
                 "A public credit report (公共信用报告), signed over its bytes",
                 media=tuple(MEDIA.values()), query=_declared(), cost=COST),
)  # fmt: skip
