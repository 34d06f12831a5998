"""What a subject does on its own page; each act is an entry by the subject, under its pseudonym."""

from __future__ import annotations

import asyncio
import time

from fastapi.responses import Response

from credit.confirmation import Move
from credit.errors import Malformed, Missing, Refused, Unauthenticated
from credit.petition import State
from credit.uscc import Uscc
from serving.audit.identifiers import score_id
from serving.auth.claims import Claims, Name, read_claims, read_header
from serving.auth.dpop import DRIFT, LONGEST, ReplayCache, read_key
from serving.auth.mandates import mark_revoked
from serving.auth.own_name import OwnName
from serving.core.service import ScoringService
from serving.endpoints.objections.objections import KIND, Objection, file_objection
from serving.endpoints.reports.report_routes import own_report as report_of
from serving.endpoints.subject.history import SCORED
from serving.endpoints.subject.overview import objections_of
from serving.endpoints.subject.subject_call import SubjectCall
from serving.errors import TooMany
from serving.mandates.applications import Applications
from serving.mandates.decisions import decide, require_application
from serving.mandates.rules import ApplicationState

TYPE = "haihe-subject+jwt"
DONE = ("confirmed", "refused", "withdrawn", "objected")
MOST_OBJECTIONS = 20  # of a subject that wait for a person
_MOVES = {"confirm": (Move.CONFIRM, "confirmed"), "refuse": (Move.REFUSE, "refused")}
_KINDS = ("explanation", "correction", "human_review")
_FAULT = "subject-page.not-entered"


class EntranceClaims(Claims, frozen=True):
    """The statement by which a subject enters: for this service, by this code, once, until `exp`."""

    aud: Name
    sub: Name
    jti: Name
    exp: float


def enter_by_link(service: ScoringService, applications: Applications, form: dict[str, str]) -> tuple[str, str]:
    """The subject of a link and its code, the first time. Raises Unauthenticated."""
    entered = applications.sessions.use_link(form.get("link", ""))
    if entered is None:
        raise Unauthenticated("subject-page.link-used")
    return entered


def enter_by_key(service: ScoringService, applications: Applications, form: dict[str, str]) -> tuple[str, str]:
    """The subject whose registered key signed the statement, and its code; once. Raises Unauthenticated."""
    assertion, bad = form.get("assertion", "").strip(), Unauthenticated(_FAULT)
    if read_header(assertion, _FAULT).typ != TYPE:
        raise bad
    named = read_claims(assertion, EntranceClaims, _FAULT)
    try:
        uscc = Uscc.parse(named.sub)
    except Malformed as none:
        raise bad from none
    subject = service.pseudonyms.key_of(uscc.code).hex
    for jwk in applications.keys.of(subject):
        key, algorithm = read_key(jwk)
        options = {"verify_aud": False, "verify_exp": False}
        try:
            claims = read_claims(assertion, EntranceClaims, _FAULT, key, algorithms=[algorithm], options=options)
        except Unauthenticated:
            continue
        now = time.time()
        is_ours = OwnName(service.settings.issuer).is_audience(claims.aud, "/subject/key")
        if not is_ours or claims.sub != named.sub or not now - DRIFT < claims.exp < now + LONGEST + DRIFT:
            raise bad
        ReplayCache(service.store).once(f"subject {subject} {claims.jti}", claims.exp + DRIFT)
        return subject, uscc.code
    raise bad


async def decide_application(own: SubjectCall) -> str:
    """Confirm or refuse an application that waits for this subject. Raises Missing, Refused, Lapsed."""
    store, name = own.applications.store, own.form.get("application", "")
    if own.form.get("decision", "") not in _MOVES:
        raise Malformed("subject-page.not-a-form")
    move, done = _MOVES[own.form["decision"]]
    application = await asyncio.to_thread(require_application, store, name)
    if application.subject != own.session.subject:
        raise Missing("mandate-applications.no-such-application")
    details = {"subject": own.session.subject, "status": 200}
    await asyncio.to_thread(decide, store, own.service.journal, name, move, by=own.by, details=details)
    own.request.app.state.background_tasks.wake()
    return done


async def withdraw(own: SubjectCall) -> str:
    """Withdraw a mandate of this subject: it permits nothing from now on. Raises Missing, Refused."""
    store, name = own.applications.store, own.form.get("application", "")
    application = await asyncio.to_thread(require_application, store, name)
    if application.subject != own.session.subject:
        raise Missing("mandate-applications.no-such-application")
    if application.state is ApplicationState.REVOKED:
        return "withdrawn"
    if application.state is not ApplicationState.GRANTED or application.mandate is None:
        raise Refused("subject-page.not-in-force")
    details = {"subject": own.session.subject, "application": name, "status": 200}
    await own.service.ledger_writer.record("mandate.revoked", application.mandate, by=own.by, details=details)
    await asyncio.to_thread(mark_revoked, own.service.access, application.mandate)
    await asyncio.to_thread(store.move, name, ApplicationState.REVOKED)
    own.request.app.state.background_tasks.wake()
    return "withdrawn"


async def object_to(own: SubjectCall) -> str:
    """File an objection to a score of this subject. Raises Malformed, and Missing for a score of another."""
    score, kind, statement = (own.form.get(name, "") for name in ("score_id", "kind", "statement"))
    if kind not in _KINDS or not 1 <= len(statement.strip()) <= 2000:
        raise Malformed("subject-page.not-a-form")
    subject = own.session.subject
    entries = await asyncio.to_thread(own.service.journal.about, score)
    scored = next((each for each in entries if each.verb in SCORED and each.details.get("subject") == subject), None)
    if scored is None:
        raise Missing("objections.no-such-answer")
    open_ones = sum(
        each.state == State.REQUESTED for each in await asyncio.to_thread(objections_of, own.service, subject)
    )
    if open_ones >= MOST_OBJECTIONS:
        raise TooMany("subject-page.too-many-objections", after=3600, limit=MOST_OBJECTIONS)
    objection = Objection(f"{KIND}-{score_id().replace('-', '')}", scored.by.name, score, kind, statement)
    await file_objection(own.service, objection, by=own.by, subject=subject)
    return "objected"


async def own_report(own: SubjectCall) -> Response:
    """The report about this subject. Raises as the report of a bank does."""
    kind = "pdf" if own.request.query_params.get("format") == "pdf" else "html"
    reply = await report_of(own.request, own.service, own.session.uscc, kind, own.by)
    return Response(reply.body, headers={**reply.headers, "Content-Type": reply.media, "Cache-Control": "no-store"})
