"""Whatever a bank reports of one loan, what is accepted is the course of one loan, in any order."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.errors import Malformed
from serving.endpoints.outcomes.outcome_rules import (
    DRAWN,
    EVENTS,
    GRANTED,
    LATE_DAYS,
    OLDEST_DAYS,
    ONCE,
    OVERDUE,
    SETTLED,
    WRITTEN_OFF,
    LoanEvent,
    repetition_of,
    require_timely,
)

START = date(2026, 1, 1)
REPORTS = st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 12), st.integers(1, 120)), max_size=25)


def event(name: str, day: int, overdue: int = 30, subject: str = "a") -> LoanEvent:
    return LoanEvent(f"{name}-{day}", subject, name, START + timedelta(days=day), overdue if name == OVERDUE else 0)


@given(REPORTS)
def test_what_is_accepted_is_the_course_of_one_loan(reports: list[tuple[str, int, int]]) -> None:
    accepted: list[LoanEvent] = []
    for name, day, overdue in reports:
        try:
            if repetition_of(new := event(name, day, overdue), accepted) is None:
                accepted.append(new)
        except Malformed:
            continue
    days = {name: [each.happened_on for each in accepted if each.event == name] for name in EVENTS}
    assert all(len(days[name]) <= 1 for name in ONCE)
    assert len({(each.event, each.happened_on) for each in accepted}) == len(accepted)
    if accepted:
        assert days[GRANTED][0] == min(each.happened_on for each in accepted)
    for name in (OVERDUE, SETTLED, WRITTEN_OFF):
        assert not days[name] or min(days[DRAWN]) <= min(days[name])
    if days[SETTLED]:
        assert max(each.happened_on for each in accepted) == days[SETTLED][0]
    if days[WRITTEN_OFF]:
        assert all(e.happened_on <= days[WRITTEN_OFF][0] for e in accepted if e.event != SETTLED)


@pytest.mark.parametrize(
    ("earlier", "new", "message"),
    [
        ([event(GRANTED, 0)], event(GRANTED, 1), "outcomes.happens-once"),
        ([], event(DRAWN, 0), "outcomes.not-yet-granted"),
        ([event(GRANTED, 5)], event(DRAWN, 4), "outcomes.not-yet-granted"),
        ([event(GRANTED, 0)], event(OVERDUE, 9), "outcomes.not-yet-drawn"),
        ([event(GRANTED, 0), event(DRAWN, 1), event(SETTLED, 5)], event(OVERDUE, 6), "outcomes.after-its-end"),
        ([event(GRANTED, 0), event(DRAWN, 1), event(WRITTEN_OFF, 5)], event(DRAWN, 6), "outcomes.after-its-end"),
        ([event(GRANTED, 0), event(DRAWN, 1), event(OVERDUE, 6)], event(SETTLED, 5), "outcomes.ends-before-an-event"),
        ([event(GRANTED, 0, subject="b")], event(DRAWN, 1), "outcomes.loan-of-another-subject"),
        (
            [event(GRANTED, 0), event(DRAWN, 1), event(OVERDUE, 6, 10)],
            event(OVERDUE, 6, 99),
            "outcomes.another-number-of-days",
        ),
    ],
)
def test_a_contradiction_is_refused_in_words(earlier: list[LoanEvent], new: LoanEvent, message: str) -> None:
    with pytest.raises(Malformed) as refused:
        repetition_of(new, earlier)
    assert refused.value.message.id == message
    assert refused.value.text("what", "zh") != refused.value.text("what", "en")


def test_the_same_report_is_a_repetition() -> None:
    accepted = [event(GRANTED, 0), event(DRAWN, 1)]
    assert repetition_of(event(DRAWN, 1), accepted) == accepted[1]


def test_what_was_written_off_may_still_be_settled() -> None:
    assert repetition_of(event(SETTLED, 9), [event(GRANTED, 0), event(DRAWN, 1), event(WRITTEN_OFF, 5)]) is None


def test_a_day_is_late_too_late_or_still_to_come() -> None:
    for days, late in ((0, False), (LATE_DAYS, False), (LATE_DAYS + 1, True), (OLDEST_DAYS, True)):
        assert require_timely(event(GRANTED, 0), START + timedelta(days=days)) is late
    for days, message in ((OLDEST_DAYS + 1, "outcomes.too-long-ago"), (-1, "outcomes.day-to-come")):
        with pytest.raises(Malformed) as refused:
            require_timely(event(GRANTED, 0), START + timedelta(days=days))
        assert refused.value.message.id == message


@pytest.mark.parametrize(("name", "overdue"), [(OVERDUE, 0), (DRAWN, 3)])
def test_days_overdue_belong_to_an_overdue_event_alone(name: str, overdue: int) -> None:
    with pytest.raises(Malformed):
        require_timely(LoanEvent("x", "a", name, START, overdue), START)
