"""Parcels: what a notebook asks to take out goes to the airlock's desk, as bytes and in the researcher's own name.

No path of a kernel's is ever opened here: files come through the socket, and their names are names alone.
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
from lab.airlock.parcel_context import ParcelContext
from lab.airlock.review.notices import Notice
from lab.airlock.review.petition import Petition
from lab.airlock.review.states import State
from lab.airlock.thresholds import load
from lab.gateway.identity import Admitted, Visitor
from lab.gateway.request_bodies import read_body, read_object, text_of
from lab.gateway.research_zone import ResearchZone
from lab.projects import Project

LARGEST = int(load()["parcel_bytes_at_most"]) + (1 << 20)  # bytes of a form: all files, names and the context
FILES = 2 * int(load()["files_at_most"])  # what is above the gate's own limit the gate refuses in its words
SECONDS = 90.0  # that a form may take
CHECKS = (40, 60.0)  # of one workspace in so many seconds
UPLOADS = 1  # forms of one workspace at a time
_reading, _judging = asyncio.Semaphore(8), asyncio.Semaphore(2)  # forms of all workspaces: memory, and processor
router = APIRouter()


@dataclass(frozen=True, slots=True)
class Form:
    """Files by name, and what is told of them."""

    files: Mapping[str, bytes]
    context: ParcelContext | None


@router.post("/v1/parcels/check")
async def check(request: Request, who: Admitted) -> dict[str, Any]:
    """The gate's verdict on files and context (which may be left out). Nothing is kept or recorded."""
    visitor, project = who
    visitor.pace("checks", *CHECKS)
    visitor.enter("parcels", UPLOADS)
    try:
        async with _reading:
            form = await read_form(request)
        async with _judging:
            verdict = await visitor.aside(_check, request.app.state.zone, project, form)
    finally:
        visitor.leave("parcels")
    return verdict


@router.post("/v1/parcels", status_code=201)
async def submit(request: Request, who: Admitted) -> dict[str, Any]:
    """Ask that files leave. Refused with the findings when the gate finds one that may not."""
    visitor, project = who
    visitor.pace("checks", *CHECKS)
    visitor.enter("parcels", UPLOADS)
    try:
        async with _reading:
            form = await read_form(request)
        async with _judging:
            found = await visitor.aside(_submit, request.app.state.zone, visitor, project, form)
    finally:
        visitor.leave("parcels")
    return found


@router.get("/v1/parcels")
async def parcels(request: Request, who: Admitted) -> list[dict[str, Any]]:
    """The project's parcels, the newest first."""
    visitor, project = who
    desk = request.app.state.zone.desk

    def told() -> list[dict[str, Any]]:
        return [describe(petition, visitor.actor) for petition in reversed(desk.all(project.name))]

    return await visitor.aside(told)


@router.get("/v1/parcels/{parcel}")
async def one(request: Request, who: Admitted, parcel: str) -> dict[str, Any]:
    """One parcel of the project's."""
    visitor, project = who
    return await visitor.aside(lambda: describe(_mine(request.app.state.zone, project, parcel), visitor.actor))


@router.post("/v1/parcels/{parcel}/answer")
async def answer(request: Request, who: Admitted, parcel: str) -> dict[str, Any]:
    """Answer a reviewer's question; the author's turn alone."""
    visitor, project = who
    words, zone = text_of(await read_object(request), "text", most=4000), request.app.state.zone

    def act() -> dict[str, Any]:
        mine = _mine(zone, project, parcel)
        return describe(zone.desk.answer(mine.id, words, by=visitor.actor), visitor.actor)

    return await visitor.aside(act)


@router.post("/v1/parcels/{parcel}/withdraw")
async def withdraw(request: Request, who: Admitted, parcel: str) -> dict[str, Any]:
    """Take a parcel back, as long as it has not left; its author alone."""
    visitor, project = who
    zone = request.app.state.zone

    def act() -> dict[str, Any]:
        mine = _mine(zone, project, parcel)
        return describe(zone.desk.withdraw(mine.id, by=visitor.actor), visitor.actor)

    return await visitor.aside(act)


@router.post("/v1/parcels/{parcel}/collect")
async def collect(request: Request, who: Admitted, parcel: str) -> dict[str, Any]:
    """Receive an approved parcel: checked once more, and sealed into the outbox; its author alone."""
    visitor, project = who
    zone = request.app.state.zone

    def act() -> dict[str, Any]:
        mine = _mine(zone, project, parcel)
        zone.desk.collect(mine.id, by=visitor.actor)
        return describe(zone.desk.get(mine.id), visitor.actor)

    return await visitor.aside(act)


@router.get("/v1/notices")
async def notices(request: Request, who: Admitted, since: str = "") -> list[dict[str, Any]]:
    """What waits for the researcher in this project, and what changed since a time, the newest first."""
    visitor, project = who
    try:
        after = datetime.fromisoformat(since) if since else None
    except ValueError as error:
        raise Malformed("parcels.since-not-time", why=since[:30]) from error
    if after is not None and after.tzinfo is None:
        raise Malformed("parcels.since-no-time-zone")
    desk, user = request.app.state.zone.desk, visitor.workspace.user

    def told() -> list[Notice]:
        return list(desk.notices(user, (Role.RESEARCHER,), since=after))

    return [_notice(each) for each in await visitor.aside(told) if each.project == project.name]


async def read_form(request: Request) -> Form:
    """The files and the context of a multipart form; raises :class:`Malformed`, and as reading any body does.

    The body is read whole and within its limit before it is taken apart, so no part of it can be without end.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Malformed("parcels.body-no-form")
    body = await read_body(request, LARGEST, SECONDS)
    try:
        parser = MultiPartParser(request.headers, _at_once(body), max_files=FILES, max_fields=4, max_part_size=1 << 19)
        told = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError, LookupError) as error:
        why = error.message if isinstance(error, MultiPartException) else type(error).__name__
        raise Malformed("parcels.form-cannot-be-read", why=why) from error
    try:
        files: dict[str, bytes] = {}
        for key, part in told.multi_items():
            if key not in ("files", "context") or (key == "files") is not isinstance(part, UploadFile):
                raise Malformed("parcels.form-cannot-be-read-takes-files-and")
            if isinstance(part, UploadFile):
                name = part.filename or ""
                if name in files:
                    raise Malformed("parcels.two-files-form-one-name")
                files[name] = await part.read()
        return Form(files, _context(told.get("context")))
    finally:
        await told.close()


def describe(petition: Petition, actor: Actor) -> dict[str, Any]:
    """A parcel as a project's member may see it, plain values: never that one has voted before both have."""
    seen = petition.visible_to(actor)
    half = seen.state is State.HALF_REVIEWED
    answered = [each.answered_at for each in seen.questions if each.answered_at]
    changed = (answered[-1] if answered else seen.submitted_at) if half else seen.changed_at
    return {
        "id": seen.id,
        "project": seen.project,
        "author": seen.author.name,
        "state": State.SUBMITTED if half else seen.state,
        "turn": seen.turn,
        "submitted_at": seen.submitted_at.isoformat(),
        "changed_at": changed.isoformat(),
        "files": {
            name: {"digest": each.digest, "size": each.size, "kind": each.kind} for name, each in seen.files.items()
        },
        "context": seen.context.as_json(),
        "verdict": seen.verdict.as_json(),
        "questions": [{"question": each.text, "answer": each.answer} for each in seen.questions],
        "votes": [{"approve": vote.approve, "reason": vote.reason} for vote in seen.votes],
        "sealed": seen.sealed,
    }


def _check(zone: ResearchZone, project: Project, form: Form) -> dict[str, Any]:
    return zone.desk.check(form.files, project=project.name, context=form.context).as_json()


def _submit(zone: ResearchZone, visitor: Visitor, project: Project, form: Form) -> dict[str, Any]:
    if form.context is None:
        raise Malformed("parcels.parcel-no-context")
    made = zone.desk.submit(form.files, form.context, by=visitor.actor, project=project.name)
    return describe(made, visitor.actor)


def _mine(zone: ResearchZone, project: Project, parcel: str) -> Petition:
    """The project's own parcel of this id, or of a beginning that only one has; raises :class:`Missing`."""
    mine = [each for each in zone.desk.all(project.name) if parcel and each.id.startswith(parcel)]
    if len(mine) != 1:
        raise Missing("parcels.no-such-parcel-project")
    return mine[0]


def _context(told: Any) -> ParcelContext | None:
    if told is None:
        return None
    try:
        return ParcelContext.parse(json.loads(told))
    except (ValueError, RecursionError) as error:
        raise Malformed("parcels.context-not-json") from error


def _notice(notice: Notice) -> dict[str, Any]:
    told = {name: getattr(notice, name) for name in ("petition", "title", "project", "state", "yours", "what")}
    return told | {"at": notice.at.isoformat()}


async def _at_once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
