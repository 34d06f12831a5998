"""What was spent of the budget of privacy loss is in the ledger, adds up, and never passes a bound."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from models.noise.budget import Bounds, Loss, NoiseBudget

TODAY = date(2026, 4, 1)
ALICE = Actor("alice", Role.RESEARCHER)
BOUNDS = Bounds(Loss(3.0, 3e-7), Loss(7.0, 7e-7), 30)


@pytest.fixture
def ledger(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> Ledger:
    return Ledger(tmp_path / "compute.jsonl", keys["compute"], ring, "compute")


@pytest.mark.attack
@given(
    wishes=st.lists(
        st.tuples(
            st.sampled_from(("ann", "ben", "cai", "dan")),
            st.sampled_from(("one", "two", "three")),
            st.sampled_from((0.5, 1.0, 2.0)),
            st.integers(0, 9),
        ),
        max_size=25,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_no_sequence_of_requests_passes_a_bound(
    tmp_path_factory: pytest.TempPathFactory,
    keys: dict[str, SigningKey],
    ring: KeyRing,
    wishes: list[tuple[str, str, float, int]],
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "compute.jsonl", keys["compute"], ring, "compute")
    day = TODAY
    given: list[tuple[str, str, float, date]] = []
    for number, (author, project, epsilon, later) in enumerate(wishes):
        day += timedelta(days=later)
        budget = NoiseBudget(Ledger(ledger.path, ledger.key, ledger.ring, "compute"), BOUNDS)  # as after a restart
        try:
            budget.spend(
                f"order-{number}",
                Loss(epsilon, epsilon * 1e-7),
                project=project,
                by=Actor(author, Role.RESEARCHER),
                today=day,
            )
        except Refused:
            pass
        else:
            given.append((author, project, epsilon, day))
        spent: defaultdict[str, float] = defaultdict(float)
        for by, of, loss, on in given:
            if on > day - timedelta(days=BOUNDS.days):
                for account in (f"author {by}", f"project {of}"):
                    spent[account] += loss
                spent["everyone"] += loss
        everyone = spent.pop("everyone", 0.0)
        assert everyone <= 7.0
        assert max(spent.values(), default=0.0) <= 3.0


def test_an_order_is_paid_for_once(ledger: Ledger) -> None:
    budget = NoiseBudget(ledger, BOUNDS)
    first = budget.spend("order-1", Loss(2.0, 1e-7), project="loans", by=ALICE, today=TODAY)
    again = budget.spend("order-1", Loss(2.0, 1e-7), project="loans", by=ALICE, today=TODAY)
    assert first == again == {"left_author": 1.0, "left_project": 1.0, "left_everyone": 5.0}
    assert len(ledger.about("order-1")) == 1


def test_a_refusal_names_the_budget_and_the_day_on_which_some_is_free_again(ledger: Ledger) -> None:
    budget = NoiseBudget(ledger, BOUNDS)
    budget.spend("order-1", Loss(2.5, 1e-7), project="loans", by=ALICE, today=TODAY)
    with pytest.raises(Refused) as refused:
        budget.spend("order-2", Loss(1.0, 1e-7), project="other", by=ALICE, today=TODAY + timedelta(days=3))
    problem = str(refused.value.problem("en"))
    assert [word for word in ("the author", "2.5", "2026-05-01") if word not in problem] == []
    assert "作者" in str(refused.value.problem("zh"))
    budget.spend("order-3", Loss(1.0, 1e-7), project="other", by=ALICE, today=TODAY + timedelta(days=30))


def test_the_probability_has_a_bound_too(ledger: Ledger) -> None:
    with pytest.raises(Refused):
        NoiseBudget(ledger, BOUNDS).spend("order-1", Loss(0.1, 1e-6), project="loans", by=ALICE, today=TODAY)
