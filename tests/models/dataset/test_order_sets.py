"""An order about a few subjects is refused, and so is one that a few subjects set apart from an earlier one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.errors import Broken, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from models.dataset.order_sets import ANSWERED, SETS, AnsweredOrders, OrderSets, question_of
from models.dataset.sample import Sample
from models.privacy.floors import load_floors
from tests.models import invented, invented_release

FLOORS = load_floors()
ALICE, BO = Actor("alice", Role.RESEARCHER), Actor("bo", Role.RESEARCHER)
pytestmark = pytest.mark.attack


def request(question: str = "q", release: str = "release-1", project: str = "p") -> dict[str, str]:
    return {"question": question, "release": release, "project": project}


def sample(seed: int = 3) -> Sample:
    """Subjects with pseudonyms that differ in their first digits, as real ones do."""
    made = invented.sample(300, seed)
    return replace(made, subjects=[f"{int(name, 16) * 2654435761 % 2**64:016x}{name[:16]}" for name in made.subjects])


def without(whole: Sample, count: int) -> Sample:
    """The sample without some subjects."""
    removed = set(sorted(set(whole.subjects))[:count])
    keep = np.array([subject not in removed for subject in whole.subjects])
    return Sample(
        [subject for subject, kept in zip(whole.subjects, keep, strict=True) if kept],
        whole.as_of[keep], whole.labels[keep], whole.features[keep], whole.names, whole.fold[keep],
        whole.out_of_time[keep],
    )  # fmt: skip


def relabelled(whole: Sample, count: int) -> Sample:
    """The sample in which so many subjects that had not defaulted in time have."""
    labels, bad = whole.labels.copy(), {s for s, y in zip(whole.subjects, whole.labels, strict=True) if y}
    chosen = sorted(set(whole.subjects) - bad)[:count]
    labels[[subject in chosen for subject in whole.subjects]] = 1
    return replace(whole, labels=labels)


@pytest.fixture
def orders(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> AnsweredOrders:
    return AnsweredOrders(tmp_path / "orders", Ledger(tmp_path / "ledger.jsonl", keys["compute"], ring))


def answer(orders: AnsweredOrders, whole: Sample, by: Actor = ALICE, **details: str) -> None:
    sets, values = OrderSets.of(whole), request(**details)
    orders.require_apart(sets, FLOORS, values, by.name)
    orders.ledger.append(ANSWERED, "version-1", by=by, details={SETS: orders.keep(sets), **values})


@pytest.mark.parametrize("count", [1, 3, 9])
def test_a_few_subjects_more_or_less_are_refused(orders: AnsweredOrders, count: int) -> None:
    answer(orders, sample())
    for number, near in enumerate((without(sample(), count), relabelled(sample(), count))):
        with pytest.raises(Refused, match="differs in a few subjects"):
            answer(orders, near, question="another label")
        with pytest.raises(Refused, match="differs in a few subjects"):
            answer(orders, near, BO, question="another label")  # of the same project
        another = Actor(f"bo-{number}", Role.RESEARCHER)  # who has had no order, in a project that has had none
        answer(orders, near, another, question="another label", project=f"other-{number}")


def test_the_same_subjects_and_many_others_pass(orders: AnsweredOrders) -> None:
    answer(orders, sample())
    answer(orders, sample())
    answer(orders, without(sample(), 40), question="another population")


def test_the_same_question_on_a_newer_release_passes_and_another_one_does_not(orders: AnsweredOrders) -> None:
    answer(orders, sample())
    answer(orders, without(sample(), 2), release="release-2")
    with pytest.raises(Refused):
        answer(orders, without(sample(), 4), release="release-2", question="another")


def test_missing_or_changed_sets_are_an_error(orders: AnsweredOrders) -> None:
    answer(orders, sample())
    (file,) = orders.folder.iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(Broken, match="missing or changed"):
        answer(orders, sample())
    file.unlink()
    with pytest.raises(Broken, match="missing or changed"):
        answer(orders, sample())


def test_an_order_about_a_few_is_refused() -> None:
    whole = sample()
    OrderSets.of(whole).require_floor(FLOORS)
    few = replace(whole, labels=np.isin(whole.subjects, sorted(set(whole.subjects))[:3]).astype(np.int8))
    for labels in (few.labels, 1 - few.labels):
        with pytest.raises(Refused, match="too few subjects"):
            OrderSets.of(replace(few, labels=labels.astype(np.int8))).require_floor(FLOORS)
    with pytest.raises(Refused, match="observes too few"):
        OrderSets.of(without(whole, 250)).require_floor(FLOORS)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_sets_are_read_as_they_were_written(seed: int) -> None:
    sets = OrderSets.of(sample(seed))
    again = OrderSets.read(sets.as_bytes())
    assert sets.difference(again) == 0
    assert again.as_bytes() == sets.as_bytes()


def test_a_question_is_the_same_for_other_features() -> None:
    plain = invented_release.declaration()
    assert question_of(plain) == question_of({**plain, "sql": "x", "features": []})
    assert question_of(plain) != question_of({**plain, "label": {**plain["label"], "when": "overdue_days >= 91"}})
