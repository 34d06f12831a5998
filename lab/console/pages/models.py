"""Models in production (在用模型): what serves, since when, by whom; what waits; and the buttons to change it.

A button makes the same request as the verb of the command line, as the person who signed in. The platform's agent
judges again who may decide, so the page's word on that is a courtesy.
"""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role
from credit.errors import Malformed, Missing
from lab.console.access_rules import PLATFORM, READERS, get_page, post_form
from lab.console.production.model_state import model_names, model_state, promotions
from lab.console.production.time_line import WIDTH, time_line
from lab.console.production.versions import (
    approvals_given,
    has_approved,
    objection_to_judge,
    people_of,
    version_seals,
    versions_of,
)
from lab.console.request_session import CurrentSession

ACTS = {"promote": "promote", "roll-back": "roll-back", "refuse": "refuse-promotion"}  # act of the page -> verb
LONGEST_REASON = 400  # characters
SHOWN = 50  # the newest versions of a model
router = APIRouter()


@get_page(router, "/models", READERS)
def listing(session: CurrentSession) -> Response:
    """Every model with its champion."""
    entries = promotions(session.app_state)
    states = [model_state(session.app_state, each, entries) for each in model_names(session.app_state, entries)]
    return session.page("models.html.j2", states=states)


@get_page(router, "/models/{model}", READERS)
def model_page(session: CurrentSession, model: str) -> Response:
    """One model: the champion, the line of time, what waits for a decision, and every version."""
    entries = promotions(session.app_state)
    if model not in model_names(session.app_state, entries):
        raise Missing("error-pages.no-such-page")
    state, versions = model_state(session.app_state, model, entries), versions_of(session.app_state, model)
    decidable = [each for each in versions if each.waits or each.was_granted] if session.has(Role.PLATFORM) else []
    people = people_of(session.app_state)
    objections = {each.seal.id: objection_to_judge(session.app_state, each, people, session.name) for each in decidable}
    approvals = {each.seal.id: approvals_given(session.app_state, each, people) for each in versions if each.waits}
    return session.page(
        "model.html.j2",
        approvals=approvals,
        approved={version for version, given in approvals.items() if has_approved(given, session.name)},
        state=state,
        bands=time_line(state.changes, datetime.now(UTC)),
        width=WIDTH,
        champion=next((each for each in versions if each.seal.id == state.champion), None),
        waiting=[each for each in versions if each.waits],
        versions=versions[:SHOWN],
        objections=objections,
        longest=LONGEST_REASON,
    )


@post_form(router, "/models/{model}/{act}", PLATFORM)
def change(session: CurrentSession, model: str, act: str) -> Response:
    """Make the request for one version; its page then shows how far it is."""
    if act not in ACTS:
        raise Missing("error-pages.no-such-page")
    version, why = session.field("version"), session.field("why")
    if version not in {seal.id for seal in version_seals(session.app_state, model)}:
        raise Malformed("models-page.no-such-version")
    if act != "promote" and not why:
        raise Malformed("models-page.reason-missing")
    if len(why) > LONGEST_REASON:
        raise Malformed("models-page.reason-too-long", most=LONGEST_REASON)
    arguments = {"version": version}
    arguments |= ({"waiver": why} if why else {}) if act == "promote" else {"why": why}
    state = session.desk.request(ACTS[act], arguments)
    return session.redirect(f"requests/{state['id']}")
