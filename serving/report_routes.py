"""GET /v1/reports/{uscc}: a report as a page, a document or data, signed over its bytes and in the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from credit.canonical import canonical, digest
from credit.errors import CreditError, Malformed
from serving import door, problems
from serving.answers import line_of
from serving.calls import Call, Desk
from serving.inquiry import report_html
from serving.inquiry.inquiries import Looked, look
from serving.inquiry.reports import Report, compose
from serving.quotas import headers_of
from serving.signatures import HEADER

_DRAWER = ThreadPoolExecutor(1, "reports")  # one PDF at a time, some 80 ms of this process's own: scores come first
REPORTED, SCOPE, COST = "report.answered", "report", 10  # a report takes as much of a quota as ten answers
MEDIA = {"html": "text/html; charset=utf-8", "pdf": "application/pdf", "json": "application/json"}
_PARAMETERS = {
    "format": "html, pdf or json; else as Accept says",
    "purpose": "the mandate's purpose",
    "mandate": "the id of a mandate: needed for an individual business, and for all that is not open",
}


def install(app: FastAPI, told: dict[int | str, dict[str, Any]]) -> None:
    """Put the route on the application; `told` are the problems that the document declares."""
    content: dict[str, Any] = {name.partition(";")[0]: {} for name in MEDIA.values()}

    @app.get(
        "/v1/reports/{uscc}",
        summary="A public credit report (公共信用报告), signed",
        operation_id=SCOPE,
        response_class=Response,
        responses={**told, 200: {"description": "the report, as asked for", "content": content}},
        openapi_extra={"security": [{"bank": [SCOPE]}], "parameters": _declared()},
    )
    async def report(uscc: str, request: Request) -> Response:
        """The bytes are signed as they are sent: keep the body and the header to verify them offline."""
        desk: Desk = request.app.state.desk
        call, accepted = Call(), request.headers.get("accept-language", "")
        try:
            desk.admit(call, door.asking(request.scope), SCOPE)
            desk.quotas.take(call.by.name, call.limit, COST - 1)
            form, purpose, mandate = _asked(request)
            kind = _kind(form, request.headers.get("accept", ""))
            body = await answer(desk, call, uscc, purpose, mandate, kind)
            return _response(desk, call, kind, body)
        except Exception as error:
            fault = door.fault_of(error, call)
        await desk.refuse(call, fault)
        return problems.respond(fault, accepted, score_id=call.id)


async def answer(desk: Desk, call: Call, uscc: str, purpose: str, mandate: str, kind: str) -> bytes:
    """The report's bytes, once its entry is durable. Raises as `inquiries.look` does."""
    looked = look(desk, call, uscc, purpose, mandate)
    until = looked.dossiers.valid_until(desk.settings.freshness_days)
    if looked.mandate is not None:
        until = min(until, looked.mandate.valid_until)
    made = compose(looked, number=call.id, until=until, evaluation=_evaluation(desk, looked))
    body = await asyncio.get_running_loop().run_in_executor(_DRAWER, draw, made, kind)
    because = {**call.because, "status": 200, "format": kind, "digest": digest(body), "valid_until": until.isoformat()}
    await desk.recorder.record(REPORTED, call.id, by=call.by, because=because)
    return body


def draw(report: Report, kind: str) -> bytes:
    """The bytes of a report in the form `kind`."""
    if kind == "pdf":
        from serving.inquiry import report_pdf  # here: reportlab takes a second to import, and scores need none of it

        return report_pdf.draw(report)
    return report_html.draw(report) if kind == "html" else canonical(_plain(asdict(report)))


def _evaluation(desk: Desk, looked: Looked) -> Mapping[str, str] | None:
    """The grade of the public evaluation: under a mandate only, and only where a model scores the subject."""
    if looked.mandate is None:
        return None
    subject = desk.pseudonyms.key_of(looked.uscc.code)
    try:
        book = desk.library.for_kind(looked.uscc.kind, looked.day)
        desk.library.withheld.require(subject.hex, book.notice)
    except CreditError:  # a report does not wait for a model
        return None
    row = book.row_of(subject)
    if row is None:
        return None
    grade = line_of(book, row).grade
    return {"评价等级": grade, "四等": grade[0], "评价时点": book.as_of.isoformat(), "评价模型": book.model}


def _declared() -> list[dict[str, Any]]:
    """The parameters as the document shows them; they are read by ourselves, so that no refusal repeats a value."""
    return [
        {"name": name, "in": "query", "required": False, "description": text,
         "schema": {"type": "string", **({"enum": list(MEDIA)} if name == "format" else {"maxLength": 256})}}
        for name, text in _PARAMETERS.items()
    ]  # fmt: skip


def _asked(request: Request) -> tuple[str, str, str]:
    """Form, purpose and mandate. Raises Malformed for a parameter that is unknown, given twice or too long."""
    given = request.query_params.multi_items()
    told = dict(given)
    if set(told) - set(_PARAMETERS) or len(told) != len(given) or any(len(value) > 256 for value in told.values()):
        remedy = f"Known are {', '.join(_PARAMETERS)}, each once"
        raise Malformed("The parameters of the report cannot be read", remedy=remedy)
    form, purpose, mandate = (told.get(name, "") for name in _PARAMETERS)
    return form, purpose, mandate


def _kind(asked: str, accepted: str) -> str:
    if asked:
        if asked not in MEDIA:
            raise Malformed("Not a form of a report", remedy=f"It is {', '.join(MEDIA)}")
        return asked
    offers = [part.partition(";")[0].strip() for part in accepted[:512].split(",")]
    found = [kind for offer in offers for kind, media in MEDIA.items() if media.partition(";")[0] == offer]
    return found[0] if found else "html"


def _response(desk: Desk, call: Call, kind: str, body: bytes) -> Response:
    headers = {
        **report_html.HEADERS, "Cache-Control": "no-store", HEADER: desk.signer.sign(body).decode(),
        "Content-Disposition": f'inline; filename="report-{call.id}.{kind}"', "X-Report-Number": call.id,
    }  # fmt: skip
    if call.bucket:
        headers |= {name.decode(): value.decode() for name, value in headers_of(call.bucket)}
    return Response(body, media_type=MEDIA[kind], headers=headers)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
