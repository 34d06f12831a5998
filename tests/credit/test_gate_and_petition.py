"""A gate passes only when every check passes and a second person reviews; a petition is computed from the ledger."""

from __future__ import annotations

import itertools
import pickle

import pytest

from credit.actor import Actor, Role
from credit.errors import Malformed, Missing, Refused
from credit.gate import Finding, Gate, Outcome
from credit.ledger import Ledger
from credit.messages import Text
from credit.petition import MOVES, State, fold_petition, require_move

ALICE, BOB = Actor("alice", Role.RESEARCHER), Actor("bob", Role.PLATFORM)


def gate(*outcomes: Outcome) -> Gate[int]:
    checks = tuple(lambda case, limits, o=o: Finding("size", o, f"{case} against {limits['most']}") for o in outcomes)
    return Gate("test", checks, {"most": 3})


@pytest.mark.parametrize("outcomes", list(itertools.product(Outcome, repeat=2)))
def test_the_worst_finding_is_the_verdict(outcomes: tuple[Outcome, Outcome]) -> None:
    verdict = gate(*outcomes).judge(5, requested_by=ALICE, reviewer=BOB)
    assert verdict.passed == (outcomes == (Outcome.PASS, Outcome.PASS))
    if not verdict.passed:
        with pytest.raises(Refused, match="5 against 3") as caught:
            verdict.require()
        assert caught.value.problem()["findings"]


def test_a_gate_without_checks_lets_nothing_through() -> None:
    assert not gate().judge(1, requested_by=ALICE, reviewer=BOB).passed


def test_a_request_is_not_reviewed_by_its_maker() -> None:
    with pytest.raises(Refused, match="maker is not the checker"):
        gate(Outcome.PASS).judge(1, requested_by=BOB, reviewer=BOB)
    with pytest.raises(Refused):  # nor in another role
        gate(Outcome.PASS).judge(1, requested_by=ALICE, reviewer=Actor("alice", Role.PLATFORM))


@pytest.mark.parametrize("state", [None, *State])
@pytest.mark.parametrize("move", ["asked", "granted", "refused", "withdrawn", "revoked", "invented"])
def test_every_state_and_move(ledger: Ledger, state: State | None, move: str) -> None:
    road = {
        None: [],
        State.REQUESTED: ["asked"],
        State.GRANTED: ["asked", "granted"],
        State.REFUSED: ["asked", "refused"],
        State.WITHDRAWN: ["asked", "withdrawn"],
        State.REVOKED: ["asked", "granted", "revoked"],
    }[state]
    for step in road:
        ledger.append(f"promotion.{step}", "version-1", by=ALICE if step == "asked" else BOB)
    petition = fold_petition(ledger.entries(), "promotion", "version-1")
    assert (petition.state if petition else None) == state
    if (state, move) in MOVES:
        assert require_move(petition, move, object_id="version-1") == MOVES[(state, move)]
    else:
        with pytest.raises((Refused, Missing)):
            require_move(petition, move, object_id="version-1")


def test_actors_are_parsed_and_roles_are_required() -> None:
    assert Actor.parse("platform:bob") == BOB
    for wrong in ("bob", "king:bob", "platform:", "platform:Bob Smith"):
        with pytest.raises(Malformed):
            Actor.parse(wrong)
    with pytest.raises(Refused, match="platform"):
        ALICE.require_role(Role.PLATFORM, act="promote")


def test_an_error_crosses_between_processes_whole() -> None:
    error = Refused(
        Text.verbatim("no"),
        why=Text.verbatim("because"),
        remedy=Text.verbatim("ask"),
        findings=(Finding("size", Outcome.FAIL, "5 against 3"),),
    )
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.findings, type(again)) == (str(error), error.findings, Refused)
