"""Promotion from a notebook: request that a version of the project is judged, and read the result."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from credit.errors import Malformed, Missing, Refused
from credit.gate import Outcome
from credit.ledger import Ledger
from credit.registrations import REQUEST, RegistrationState, registration_of
from credit.versions import champion_of, require_champion
from lab.airlock.files.text import CHECKS, check_text
from lab.airlock.thresholds import load
from lab.gateway.endpoints.orders import request_of
from lab.gateway.identity import Admitted, Principal
from lab.gateway.request_bodies import read_object, text_of
from lab.gateway.research_zone import ResearchZone
from lab.projects import Project

PACE = (10, 60.0)  # requests of one workspace per number of seconds
NOTE = 200  # characters
_OPEN = (RegistrationState.WAITING, RegistrationState.REQUESTED, RegistrationState.APPROVED, RegistrationState.PROMOTED)
router = APIRouter()


@router.post("/v1/promotions", status_code=201)
async def create_promotion(request: Request, who: Admitted) -> dict[str, Any]:
    """Request that the version of ``run`` is promoted, with a ``note``; a repetition changes nothing."""
    principal, project = who
    data = await read_object(request)
    run, note = text_of(data, "run", most=80), text_of(data, "note", most=NOTE, otherwise="")
    principal.limit_rate("promotions", *PACE)
    return await principal.run_blocking(_place, request.app.state.zone, principal, project, run, note)


@router.get("/v1/promotions/{order}")
async def promotion(request: Request, who: Admitted, order: str) -> dict[str, Any]:
    """How far the promotion of a run's version is, with the last verdict of the gate."""
    principal, project = who
    return await principal.run_blocking(describe, request.app.state.zone, project, order)


@router.get("/v1/champions/{model}")
async def champion(request: Request, who: Admitted, model: str) -> dict[str, Any]:
    """The version of a model in production: ``{model, version, title, features, made_at}``."""
    principal, _ = who
    return await principal.run_blocking(_champion, request.app.state.zone, model[:80])


def describe(zone: ResearchZone, project: Project, order: str) -> dict[str, Any]:
    """``{id, version, state, at, note, reason, findings, messages}``; raises :class:`Missing` without a version."""
    requested, version = _version(zone, project, order)
    model = str(zone.shelf.open(version, deep=False).seal.terms["model"])
    entries = zone.ledger.about(version), _platform(zone).about(version)
    state = registration_of(version, *entries, champion_of(zone.shelf, model))
    return {"id": requested, "version": version, **state.as_json()}


def _place(zone: ResearchZone, principal: Principal, project: Project, run: str, note: str) -> dict[str, Any]:
    order, version = _version(zone, project, run)
    _require_plain(note)
    state = describe(zone, project, order)
    if state["state"] in _OPEN:
        return state
    details = {"project": project.name, "order": order, "note": note}
    zone.ledger.append(REQUEST, version, by=principal.actor, details=details)
    return describe(zone, project, order)


def _version(zone: ResearchZone, project: Project, run: str) -> tuple[str, str]:
    requested = request_of(zone, project, run)
    ended = zone.trainings.result(requested)
    if ended is None or not ended.made:
        raise Missing("promotions.no-version", run=run[:18])
    return requested.order, ended.made


def _require_plain(note: str) -> None:
    """Raise :class:`Refused` for a note with more than plain words: it passes no airlock on its way to the platform."""
    if any(ord(letter) < 32 and letter not in "\n\t" for letter in note):
        raise Malformed("promotions.note-unreadable")
    for finding in check_text("note", note, CHECKS, load()) if note else ():
        if finding.outcome is not Outcome.PASS:
            raise Refused("order-texts.not-plain", where="note", why=finding.as_reason())


def _champion(zone: ResearchZone, model: str) -> dict[str, Any]:
    seal = require_champion(zone.shelf, model).seal
    if model.startswith("version-") or champion_of(zone.shelf, str(seal.terms["model"])) != seal.id:
        raise Missing("seals.no-champion", name=model)
    shown = {"title": seal.terms.get("title", ""), "features": list(seal.terms.get("features", ()))}
    return {"model": model, "version": seal.id, "made_at": seal.made_at.isoformat(), **shown}


def _platform(zone: ResearchZone) -> Ledger:
    """The platform's ledger, read only."""
    return Ledger(zone.settings.ledger.with_name("platform.jsonl"), None, zone.shelf.ring, "platform")
