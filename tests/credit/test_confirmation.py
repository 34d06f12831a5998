"""A change that needs several people is decided by different people of the right roles, in time, and not otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.confirmation import (
    Confirmation,
    ConfirmationRule,
    ConfirmationState,
    Move,
    Objection,
    after_move,
    fold_confirmations,
    no_objection,
    request_details,
    rule_of,
    rules_of,
)
from credit.errors import CreditError, Lapsed, Malformed, Refused
from credit.ledger.entry import Entry
from credit.messages import Text
from tests.credit.confirmation_orders import differences

START = datetime.fromisoformat("2026-06-01T00:00:00+00:00")
HOURS = 24
RULES = rules_of(
    {
        "add-reviewer": {"requests": ["platform"], "confirms": ["platform"], "people": 2, "hours": HOURS},
        "destroy": {"requests": ["platform"], "confirms": ["platform", "city"], "people": 3, "hours": HOURS},
        "add-researcher": {"requests": ["platform"], "confirms": [], "people": 1, "hours": HOURS},
    }
)
OBJECT = "account-rui"


def entry(seq: int, move: str, by: str, hour: float = 0.0, act: str = "add-reviewer") -> Entry:
    details = request_details(act, RULES) if move == "requested" else {}
    at = START + timedelta(hours=hour)
    return Entry(seq, at, Actor.parse(by), f"account.{move}", OBJECT, details, "", "")


def folded(*steps: tuple[str, str], act: str = "add-reviewer", objection: Objection = no_objection) -> Confirmation:
    entries = [entry(n, move, by, n / 10, act) for n, (move, by) in enumerate(steps)]
    return fold_confirmations(entries, "account", objection=objection)[OBJECT]


def test_a_second_person_confirms_and_the_first_cannot_in_any_role() -> None:
    request = ("requested", "platform:bo")
    assert folded(request).state is ConfirmationState.REQUESTED
    assert folded(request, ("confirmed", "platform:bo")).state is ConfirmationState.REQUESTED
    assert folded(request, ("confirmed", "city:bo")).state is ConfirmationState.REQUESTED
    confirmed = folded(request, ("confirmed", "platform:cai"))
    assert confirmed.state is ConfirmationState.CONFIRMED
    assert [each.name for each in confirmed.people] == ["bo", "cai"]


def test_every_role_but_those_of_the_rule_is_denied() -> None:
    for requesting, confirming in product(Role, Role):
        steps = [entry(0, "requested", f"{requesting}:bo"), entry(1, "confirmed", f"{confirming}:cai", 1)]
        result = fold_confirmations(steps, "account", objection=no_objection).get(OBJECT)
        expected = None
        if requesting is Role.PLATFORM:
            expected = "confirmed" if confirming is Role.PLATFORM else "requested"
        assert (result.state if result else None) == expected


def test_three_people_are_three_different_people() -> None:
    steps = [("requested", "platform:bo"), ("confirmed", "platform:cai"), ("confirmed", "city:cai")]
    assert folded(*steps, act="destroy").state is ConfirmationState.REQUESTED
    assert folded(*steps, ("confirmed", "city:dan"), act="destroy").state is ConfirmationState.CONFIRMED


def test_a_rule_of_one_person_decides_at_once() -> None:
    assert folded(("requested", "platform:bo"), act="add-researcher").state is ConfirmationState.CONFIRMED


def test_what_has_no_rule_is_denied() -> None:
    with pytest.raises(Refused, match="no rule says"):
        rule_of(RULES, "become-king")
    bare = entry(0, "requested", "platform:bo")._replace(details={"act": "become-king"})
    assert fold_confirmations([bare], "account", objection=no_objection) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"requests": ["platform"], "confirms": ["platform"], "people": 2},
        {"requests": ["king"], "confirms": ["platform"], "people": 2, "hours": 1},
        {"requests": [], "confirms": ["platform"], "people": 2, "hours": 1},
        {"requests": ["platform"], "confirms": [], "people": 2, "hours": 1},
        {"requests": ["platform"], "confirms": ["platform"], "people": 0, "hours": 1},
        {"requests": ["platform"], "confirms": ["platform"], "people": True, "hours": 1},
        {"requests": ["platform"], "confirms": ["platform"], "people": 2, "hours": 0},
        {"requests": ["platform"], "confirms": ["platform"], "people": 2, "hours": 1, "also": 1},
    ],
)
def test_a_rule_that_is_not_whole_is_no_rule(wrong: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        ConfirmationRule.parse(wrong)


def test_a_request_lapses_and_then_another_may_be_made() -> None:
    request = entry(0, "requested", "platform:bo")
    late = fold_confirmations(
        [request, entry(1, "confirmed", "platform:cai", HOURS)], "account", objection=no_objection
    )
    assert late[OBJECT].state_at(START + timedelta(hours=HOURS)) is ConfirmationState.LAPSED
    with pytest.raises(Lapsed):
        after_move(late[OBJECT], Move.CONFIRM, OBJECT, by=Actor.parse("platform:cai"),
                   at=START + timedelta(hours=HOURS), details={}, objection=no_objection)  # fmt: skip
    again = [request, entry(1, "requested", "platform:cai", HOURS), entry(2, "confirmed", "platform:bo", HOURS + 1)]
    assert fold_confirmations(again, "account", objection=no_objection)[OBJECT].state is ConfirmationState.CONFIRMED


def test_only_the_requester_withdraws_and_what_ended_stays_ended() -> None:
    request = ("requested", "platform:bo")
    assert folded(request, ("withdrawn", "platform:cai")).state is ConfirmationState.REQUESTED
    ended = folded(request, ("withdrawn", "platform:bo"), ("confirmed", "platform:cai"))
    assert ended.state is ConfirmationState.WITHDRAWN
    assert folded(request, ("refused", "platform:bo")).state is ConfirmationState.REQUESTED
    refused = folded(request, ("refused", "platform:cai"), ("confirmed", "platform:dan"))
    assert refused.state is ConfirmationState.REFUSED


def test_a_waiting_request_is_not_replaced() -> None:
    """Otherwise the second could change what the third confirms."""
    both = folded(("requested", "platform:bo"), ("requested", "platform:cai"), ("confirmed", "platform:cai"))
    assert both.requested_by.name == "bo"
    assert both.state is ConfirmationState.CONFIRMED


@pytest.mark.parametrize("removed", ["bo", "cai", "dan", "eve"])
def test_whoever_no_longer_counts_at_the_decision_does_not_count(removed: str) -> None:
    """The requester, an earlier confirmer and the last one: with any of them removed meanwhile nothing is confirmed."""

    def objection(confirmation: Confirmation, person: Actor, moment: datetime) -> Text | None:
        ended = person.name == removed and moment >= START + timedelta(hours=0.2)
        return Text.verbatim("removed") if ended else None

    steps = [("requested", "platform:bo"), ("confirmed", "platform:cai"), ("confirmed", "platform:dan")]
    result = folded(*steps, act="destroy", objection=objection)
    assert (result.state is ConfirmationState.CONFIRMED) == (removed == "eve")


people = st.sampled_from(
    [f"{role}:{name}" for role in ("platform", "city", "reviewer") for name in ("bo", "cai", "dan")]
)
steps = st.lists(st.tuples(st.sampled_from([*Move]), people, st.integers(0, 9)), max_size=9)


@given(steps, st.sampled_from(sorted(RULES)))
def test_whatever_is_written_a_confirmed_request_has_its_different_people(
    written: Iterable[tuple[Move, str, int]], act: str
) -> None:
    """Law: entries in any order by anyone confirm only with as many different people as the rule says, in time."""
    clock, entries = 0.0, []
    for number, (move, by, hours) in enumerate(written):
        clock += hours
        entries.append(entry(number, move, by, clock, act))
    result = fold_confirmations(entries, "account", objection=no_objection).get(OBJECT)
    if result is None or result.state is not ConfirmationState.CONFIRMED:
        return
    rule = RULES[act]
    assert len({each.name for each in result.people}) == len(result.people) == rule.people
    assert result.requested_by.role in rule.requests
    assert all(each.role in rule.confirms for each in result.confirmed_by)
    assert result.ended_at is not None
    assert result.ended_at < result.requested_at + rule.span


@given(steps)
def test_a_writer_that_checks_first_writes_nothing_that_is_ignored(written: Iterable[tuple[Move, str, int]]) -> None:
    """Law: the fold and the check before writing are one function, so what passes the check counts."""
    entries: list[Entry] = []
    clock = 0.0
    for number, (move, by, hours) in enumerate(written):
        clock += hours
        one = entry(number, move, by, clock)
        before = fold_confirmations(entries, "account", objection=no_objection).get(OBJECT)
        try:
            after = after_move(before, move, OBJECT, by=one.by, at=one.at, details=one.details, objection=no_objection)
        except CreditError:
            assert fold_confirmations([*entries, one], "account", objection=no_objection).get(OBJECT) == before
            continue
        entries.append(one)
        assert fold_confirmations(entries, "account", objection=no_objection)[OBJECT] == after


def test_every_order_of_three_moves_agrees_with_the_plain_model() -> None:
    """Everyone, in every role, at every time, with people removed between: `make bench` tries longer orders."""
    assert [difference for _, difference in differences(2) if difference] == []
