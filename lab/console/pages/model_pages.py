"""Two pages beside a model's own: what differs between two of its versions, and one verdict of the promotion gate."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from credit.errors import Missing
from credit.gate import Outcome
from credit.ledger import Entry
from credit.versions import champion_of
from lab.airlock.review.petition import verdict_of
from lab.console.access_rules import READERS, get_page
from lab.console.app_state import AppState
from lab.console.production.differences import difference
from lab.console.production.shown_difference import ShownMeasure
from lab.console.production.verdict_pictures import scales_of
from lab.console.production.versions import version_seals
from lab.console.request_session import CurrentSession

WORST_FIRST = (Outcome.FAIL, Outcome.REVIEW, Outcome.PASS)
router = APIRouter()


@get_page(router, "/models/{model}/differences", READERS)
def differences(session: CurrentSession, model: str, new: str = "", old: str = "") -> Response:
    """What differs when one version takes the place of another; by default the newest one that of the champion."""
    state = session.app_state
    seals = sorted(version_seals(state, model), key=lambda each: each.made_at, reverse=True)
    champion, names = champion_of(state.shelf, model), [each.id for each in seals]
    old = old or (champion if champion in names else "")
    new = new or next((each for each in names if each != old), "")
    if new not in names or old not in names:
        raise Missing("models-page.nothing-to-compare")
    entries = {zone: _entries(state, zone, (new, old)) for zone in ("platform", "compute")}
    compared = difference(state.shelf.open(new, deep=False), state.shelf.open(old, deep=False), entries)
    measured = ShownMeasure.of(compared.measured) if compared.measured else None
    return session.page(
        "version_difference.html.j2",
        model=model,
        difference=compared,
        measured=measured,
        champion=champion,
        versions=seals,
    )


@get_page(router, "/models/{model}/verdicts/{number}", READERS)
def gate_verdict(session: CurrentSession, model: str, number: int) -> Response:
    """One verdict of the promotion gate: each check in words, with its figures beside what is allowed."""
    index = session.app_state.indexes.get("platform")
    entry = next(iter(index.read([number])), None) if index is not None else None
    if entry is None or not entry.verb.startswith("promotion.") or entry.details.get("model") != model:
        raise Missing("error-pages.no-such-page")
    if not isinstance(data := entry.details.get("verdict"), dict):
        raise Missing("error-pages.no-such-page")
    verdict = verdict_of(data)
    return session.page(
        "gate_verdict.html.j2",
        model=model,
        entry=entry,
        verdict=verdict,
        findings=sorted(verdict.findings, key=lambda each: WORST_FIRST.index(each.outcome)),
        scales=scales_of(verdict),
    )


def _entries(state: AppState, zone: str, versions: tuple[str, str]) -> list[Entry]:
    index = state.indexes.get(zone)
    if index is None:
        return []
    prefix = "promotion." if zone == "platform" else "version."
    return [entry for version in versions for entry in index.entries(prefix, object=version)]
