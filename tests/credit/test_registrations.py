"""The result of a notebook's request follows from the entries of two zones, in whatever state the version is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from credit.actor import Actor, Role
from credit.ledger import START, Entry
from credit.registrations import REFUSED, REQUEST, registration_of

VERSION, OTHER = "version-" + "1" * 64, "version-" + "2" * 64
ALICE, BOB = Actor("alice", Role.RESEARCHER), Actor("bob", Role.PLATFORM)
VERDICT = {"outcome": "fail", "findings": [{"check": "leak", "outcome": "fail", "why": "w", "evidence": {"x": 0.99}}]}


def entries(*verbs: str, details: dict[str, dict[str, Any]] | None = None) -> tuple[list[Entry], list[Entry]]:
    """Entries of research and of the platform about the version, a minute apart."""
    ledgers: tuple[list[Entry], list[Entry]] = ([], [])
    for number, verb in enumerate(verbs):
        at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number)
        of = ledgers[0 if verb == REQUEST else 1]
        shown = (details or {}).get(verb, {})
        of.append(Entry(number + 1, at, ALICE if verb == REQUEST else BOB, verb, VERSION, shown, START, f"id-{number}"))
    return ledgers


@pytest.mark.parametrize(
    ("verbs", "champion", "state"),
    [
        ((), "", "never"),
        ((REQUEST,), "", "waiting"),
        ((REQUEST, REFUSED), "", "not_registered"),
        ((REQUEST, REFUSED, REQUEST), "", "waiting"),
        (("promotion.asked",), "", "requested"),
        ((REQUEST, "promotion.asked"), OTHER, "requested"),
        ((REQUEST, "promotion.asked", "promotion.approved"), OTHER, "approved"),
        ((REQUEST, "promotion.asked", "promotion.refused"), OTHER, "refused"),
        ((REQUEST, "promotion.asked", "promotion.refused", REQUEST), OTHER, "waiting"),
        ((REQUEST, "promotion.asked", "promotion.approved", "promotion.granted"), VERSION, "promoted"),
        ((REQUEST, "promotion.asked", "promotion.granted"), OTHER, "replaced"),
        (("promotion.asked", "promotion.granted", REQUEST), VERSION, "promoted"),
    ],
)
def test_the_state_of_a_request(verbs: tuple[str, ...], champion: str, state: str) -> None:
    answered = {REFUSED: {"request": "id-0", "messages": {"what": {}}}}
    assert registration_of(VERSION, *entries(*verbs, details=answered), champion).state == state


@pytest.mark.attack
def test_neither_another_version_nor_an_answer_to_an_earlier_request_counts() -> None:
    research, platform = entries(REQUEST, REFUSED, details={REFUSED: {"request": "another"}})
    assert registration_of(VERSION, research, platform, "").state == "waiting"
    assert registration_of(OTHER, *entries(REQUEST, "promotion.asked"), "").state == "never"


@pytest.mark.attack
def test_a_notebook_gets_outcomes_and_reasons_and_no_evidence() -> None:
    """Nor the names of those who judged; a new request ends the verdict of the one before."""
    details = {"promotion.refused": {"verdict": VERDICT, "why": "not now"}, REQUEST: {"note": "for young firms"}}
    shown = registration_of(VERSION, *entries(REQUEST, "promotion.asked", "promotion.refused", details=details), "")
    data = shown.as_json()
    assert data["findings"] == [{"check": "leak", "outcome": "fail", "why": "w", "message": None}]
    assert (data["reason"], data["note"]) == ("not now", "for young firms")
    assert "bob" not in str(data)
    again = entries(REQUEST, "promotion.asked", "promotion.refused", "promotion.asked", details=details)
    assert registration_of(VERSION, *again, "").as_json()["findings"] == []
