"""Parcels: a notebook submits results to the airlock, as bytes and in the name of the researcher.

The gateway never opens a path that a kernel names: file contents come through the socket, and names are only names.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from credit.actor import Actor, Role
from credit.errors import Malformed, Missing
from credit.messages import Text
from lab.airlock.parcel_context import ParcelContext
from lab.airlock.review.notices import Notice
from lab.airlock.review.petition import Petition
from lab.airlock.review.states import State
from lab.airlock.thresholds import load
from lab.gateway.identity import Admitted, Principal
from lab.gateway.request_bodies import read_body, read_object, text_of
from lab.gateway.research_zone import ResearchZone
from lab.gateway.table_parcels import parcel_of_table, parcels_of_tables
from lab.projects import Project

LARGEST = int(load()["parcel_bytes_at_most"]) + (1 << 20)  # bytes of a form: all files, names and the context
FILES = 2 * int(load()["files_at_most"])  # above the limit of the gate, whose refusal explains itself
SECONDS = 90.0  # for a form
CHECKS = (40, 60.0)  # of one workspace per number of seconds
UPLOADS = 1  # forms of one workspace at a time
_reading, _judging = (
    asyncio.Semaphore(8),
    asyncio.Semaphore(2),
)  # concurrent forms of all workspaces, for memory and for processor time
router = APIRouter()


@dataclass(frozen=True, slots=True)
class ParcelForm:
    """Files by name, and their context."""

    files: Mapping[str, bytes]
    context: ParcelContext | None


@router.post("/v1/parcels/check")
async def check(request: Request, who: Admitted) -> dict[str, Any]:
    """The verdict of the gate on files and an optional context. Nothing is stored or recorded."""
    principal, project = who
    principal.limit_rate("checks", *CHECKS)
    principal.begin("parcels", UPLOADS)
    try:
        async with _reading:
            form = await read_form(request)
        async with _judging:
            verdict = await principal.run_blocking(_check, request.app.state.zone, principal, project, form)
    finally:
        principal.end("parcels")
    return verdict


@router.post("/v1/parcels", status_code=201)
async def submit(request: Request, who: Admitted) -> dict[str, Any]:
    """Submit files for review; refused with the findings when a check of the gate fails."""
    principal, project = who
    principal.limit_rate("checks", *CHECKS)
    principal.begin("parcels", UPLOADS)
    try:
        async with _reading:
            form = await read_form(request)
        async with _judging:
            parcel = await principal.run_blocking(_submit, request.app.state.zone, principal, project, form)
    finally:
        principal.end("parcels")
    return parcel


@router.get("/v1/parcels")
async def parcels(request: Request, who: Admitted) -> list[dict[str, Any]]:
    """The project's parcels, the newest first; among them the tables that left by policy."""
    principal, project = who
    zone = request.app.state.zone

    def describe_all() -> list[dict[str, Any]]:
        reviewed = [describe(petition, principal.actor) for petition in reversed(zone.airlock.all(project.name))]
        every = [*reviewed, *parcels_of_tables(zone, project)]
        return sorted(every, key=lambda each: datetime.fromisoformat(each["submitted_at"]), reverse=True)

    return await principal.run_blocking(describe_all)


@router.get("/v1/parcels/{parcel}")
async def one(request: Request, who: Admitted, parcel: str) -> dict[str, Any]:
    """One parcel of the project."""
    principal, project = who
    zone = request.app.state.zone

    def describe_one() -> dict[str, Any]:
        try:
            return describe(_parcel_of(zone, project, parcel), principal.actor)
        except Missing:
            return parcel_of_table(zone, project, parcel)

    return await principal.run_blocking(describe_one)


@router.post("/v1/parcels/{parcel}/answer")
async def answer(request: Request, who: Admitted, parcel: str) -> dict[str, Any]:
    """Answer a reviewer's question; only the author may."""
    principal, project = who
    words, zone = text_of(await read_object(request), "text", most=4000), request.app.state.zone

    def act() -> dict[str, Any]:
        petition = _parcel_of(zone, project, parcel)
        return describe(zone.airlock.answer(petition.id, words, by=principal.actor), principal.actor)

    return await principal.run_blocking(act)


@router.post("/v1/parcels/{parcel}/withdraw")
async def withdraw(request: Request, who: Admitted, parcel: str) -> dict[str, Any]:
    """Withdraw a parcel that has not left yet; only the author may."""
    principal, project = who
    zone = request.app.state.zone

    def act() -> dict[str, Any]:
        petition = _parcel_of(zone, project, parcel)
        return describe(zone.airlock.withdraw(petition.id, by=principal.actor), principal.actor)

    return await principal.run_blocking(act)


@router.post("/v1/parcels/{parcel}/collect")
async def collect(request: Request, who: Admitted, parcel: str) -> dict[str, Any]:
    """Receive an approved parcel: it is checked again and sealed into the outbox; only the author may."""
    principal, project = who
    zone = request.app.state.zone

    def act() -> dict[str, Any]:
        petition = _parcel_of(zone, project, parcel)
        zone.airlock.collect(petition.id, by=principal.actor)
        return describe(zone.airlock.get(petition.id), principal.actor)

    return await principal.run_blocking(act)


@router.get("/v1/notices")
async def notices(request: Request, who: Admitted, since: str = "") -> list[dict[str, Any]]:
    """The tasks of the researcher in this project and the changes since a time, the newest first."""
    principal, project = who
    try:
        after = datetime.fromisoformat(since) if since else None
    except ValueError as error:
        raise Malformed("parcels.since-not-time", why=Text.verbatim(since[:30])) from error
    if after is not None and after.tzinfo is None:
        raise Malformed("parcels.since-no-time-zone")
    airlock, user = request.app.state.zone.airlock, principal.workspace.user

    def read_notices() -> list[Notice]:
        return list(airlock.notices(user, (Role.RESEARCHER,), since=after))

    return [_notice(each) for each in await principal.run_blocking(read_notices) if each.project == project.name]


async def read_form(request: Request) -> ParcelForm:
    """The files and the context of a multipart form; raises :class:`Malformed`, and as :func:`read_body`.

    The whole body is read within its limit before it is parsed, so that no part of it can be endless.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Malformed("parcels.body-no-form")
    body = await read_body(request, LARGEST, SECONDS)
    try:
        parser = MultiPartParser(request.headers, _at_once(body), max_files=FILES, max_fields=4, max_part_size=1 << 19)
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError, LookupError) as error:
        why = error.message if isinstance(error, MultiPartException) else type(error).__name__
        raise Malformed("parcels.form-cannot-be-read", why=Text.verbatim(why)) from error
    try:
        files: dict[str, bytes] = {}
        for key, part in form.multi_items():
            if key not in ("files", "context") or (key == "files") is not isinstance(part, UploadFile):
                raise Malformed("parcels.form-cannot-be-read-takes-files-and")
            if isinstance(part, UploadFile):
                name = part.filename or ""
                if name in files:
                    raise Malformed("parcels.two-files-form-one-name")
                files[name] = await part.read()
        return ParcelForm(files, _context(form.get("context")))
    finally:
        await form.close()


def describe(petition: Petition, actor: Actor) -> dict[str, Any]:
    """A parcel as a member of the project may see it, as JSON values: one vote stays hidden until both are cast."""
    visible = petition.visible_to(actor)
    half = visible.state is State.HALF_REVIEWED
    answered = [each.answered_at for each in visible.questions if each.answered_at]
    changed = (answered[-1] if answered else visible.submitted_at) if half else visible.changed_at
    return {
        "id": visible.id,
        "project": visible.project,
        "author": visible.author.name,
        "state": State.SUBMITTED if half else visible.state,
        "turn": visible.turn,
        "submitted_at": visible.submitted_at.isoformat(),
        "changed_at": changed.isoformat(),
        "files": {
            name: {"digest": each.digest, "size": each.size, "kind": each.kind} for name, each in visible.files.items()
        },
        "context": visible.context.as_json(),
        "verdict": visible.verdict.as_json(),
        "questions": [{"question": each.text, "answer": each.answer} for each in visible.questions],
        "votes": [{"approve": vote.approve, "reason": vote.reason} for vote in visible.votes],
        "sealed": visible.sealed,
    }


def _check(zone: ResearchZone, principal: Principal, project: Project, form: ParcelForm) -> dict[str, Any]:
    author = principal.actor.name
    verdict = zone.airlock.check(form.files, project=project.name, context=form.context, author=author)
    return verdict.as_json()


def _submit(zone: ResearchZone, principal: Principal, project: Project, form: ParcelForm) -> dict[str, Any]:
    if form.context is None:
        raise Malformed("parcels.parcel-no-context")
    petition = zone.airlock.submit(form.files, form.context, by=principal.actor, project=project.name)
    return describe(petition, principal.actor)


def _parcel_of(zone: ResearchZone, project: Project, parcel: str) -> Petition:
    """The project's parcel with this id or an unambiguous prefix of it; raises :class:`Missing`."""
    matches = [each for each in zone.airlock.all(project.name) if parcel and each.id.startswith(parcel)]
    if len(matches) != 1:
        raise Missing("parcels.no-such-parcel-project")
    return matches[0]


def _context(text: Any) -> ParcelContext | None:
    if text is None:
        return None
    try:
        return ParcelContext.parse(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise Malformed("parcels.context-not-json") from error


def _notice(notice: Notice) -> dict[str, Any]:
    values = {name: getattr(notice, name) for name in ("petition", "title", "project", "state", "yours", "what")}
    return values | {"at": notice.at.isoformat()}


async def _at_once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
