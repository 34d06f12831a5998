"""An order about a few subjects is refused; one that a few set apart from an order or a table before it is answered for
the earlier order's label where nothing else differs, and refused otherwise."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.canonical import digest
from credit.errors import Broken, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.order_requests import TABLE
from models.dataset.order_sets import AnsweredOrders, PlacedOrder, question_of, with_label
from models.dataset.order_units import order_contents, require_floor
from models.dataset.sample import Sample
from models.order.order import Order
from models.privacy.floors import load_floors
from models.tables.cells.contents import CellContents
from models.tables.cells.unit_numbers import unit_number
from models.tables.differencing.isolation import EarlierUnits, isolations
from models.tables.given_units import CONTENTS, GivenUnits
from tests.models import invented, invented_release
from tests.models.tables.made_contents import contents_of

FLOORS = load_floors()
ALICE, BO = Actor("alice", Role.RESEARCHER), Actor("bo", Role.RESEARCHER)
ORDER = Order.parse(invented_release.declaration())
ANOTHER_LABEL = with_label(ORDER, ORDER.as_json()["label"] | {"when": "overdue_days >= 91"})
ANOTHER_POPULATION = replace(ORDER, population=None)
pytestmark = pytest.mark.attack


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
    ledger = Ledger(tmp_path / "ledger.jsonl", keys["compute"], ring)
    return AnsweredOrders(GivenUnits(tmp_path / "tables", ledger, tmp_path / "orders"))


def answer(
    orders: AnsweredOrders,
    whole: Sample,
    order: Order = ORDER,
    *,
    by: Actor = ALICE,
    release: str = "release-1",
    project: str = "p",
    id: str = "order-1",
) -> Mapping[str, Any] | None:
    return orders.count(order, whole, PlacedOrder(id, release, by, project))


def give_table(orders: AnsweredOrders, contents: CellContents, by: Actor = ALICE, project: str = "p") -> None:
    with orders.given.alone():
        details = {CONTENTS: orders.given.keep(contents), "project": project}
        orders.given.ledger.append(TABLE.made, f"table-{digest(contents.as_bytes())}", by=by, details=details)


def counting(orders: AnsweredOrders, subjects: set[str]) -> CellContents:
    """A table that counts these subjects."""
    key = orders.given.key()
    return contents_of(dict.fromkeys([unit_number(subject, key) for subject in subjects], 0))


@pytest.mark.parametrize("count", [1, 3, 9])
def test_a_few_subjects_more_or_less_are_refused(orders: AnsweredOrders, count: int) -> None:
    assert answer(orders, sample()) is None
    for number, near in enumerate((without(sample(), count), relabelled(sample(), count))):
        with pytest.raises(Refused, match="differs in a few subjects"):
            answer(orders, near, ANOTHER_POPULATION)
        with pytest.raises(Refused, match="differs in a few subjects"):
            answer(orders, near, ANOTHER_POPULATION, by=BO)  # of the same project
        another = Actor(f"bo-{number}", Role.RESEARCHER)  # who has had no order, in a project that has had none
        assert answer(orders, near, ANOTHER_POPULATION, by=another, project=f"other-{number}") is None


@pytest.mark.parametrize("count", [1, 9])
def test_another_label_with_few_different_subjects_is_answered_for_the_earlier_one(
    orders: AnsweredOrders, count: int
) -> None:
    answer(orders, sample(), id="order-first")
    near = answer(orders, relabelled(sample(), count), ANOTHER_LABEL, id="order-second")
    assert near == {"order": "order-first", "label": ORDER.as_json()["label"]}
    assert question_of(with_label(ANOTHER_LABEL, near["label"])) == question_of(ORDER)
    counted = [entry.object for entry in orders.given.ledger.entries() if entry.verb == "training.counted"]
    assert counted == ["order-first"], "what was not answered is not in the history"
    assert answer(orders, relabelled(sample(), 40), ANOTHER_LABEL, id="order-third") is None


def test_the_same_subjects_and_many_others_pass(orders: AnsweredOrders) -> None:
    answer(orders, sample())
    answer(orders, sample())
    answer(orders, without(sample(), 40), ANOTHER_POPULATION)


def test_the_same_question_on_a_newer_release_passes_and_another_one_does_not(orders: AnsweredOrders) -> None:
    answer(orders, sample())
    answer(orders, without(sample(), 2), release="release-2")
    with pytest.raises(Refused):
        answer(orders, without(sample(), 4), ANOTHER_POPULATION, release="release-2")


@pytest.mark.parametrize("fewer", [1, 9])
def test_an_order_is_compared_with_the_tables_that_were_given(orders: AnsweredOrders, fewer: int) -> None:
    everyone = set(sample().subjects)
    give_table(orders, counting(orders, set(sorted(everyone)[fewer:])))
    with pytest.raises(Refused, match="differs in a few subjects"):
        answer(orders, sample())
    with pytest.raises(Refused, match="differs in a few subjects"):
        answer(orders, sample(), ANOTHER_LABEL)  # no earlier order that it could be answered for
    assert answer(orders, sample(), by=BO, project="other") is None


@pytest.mark.parametrize("fewer", [1, 9])
def test_a_table_is_compared_with_the_orders_that_were_answered(orders: AnsweredOrders, fewer: int) -> None:
    """One cell that is the order's subjects less a few, and cells that are so only together."""
    answer(orders, sample())
    subjects = sorted(set(sample().subjects))[fewer:]
    key = orders.given.key()
    given_before = [each.contents for each in orders.given.of("alice", "p", np.array(subjects, dtype=np.object_))]
    for cells in (1, 3):
        new = contents_of({unit_number(subject, key): place % cells for place, subject in enumerate(subjects)})
        isolated = list(isolations(new, EarlierUnits(given_before, new), FLOORS.order_difference))
        assert any(each.with_earlier and each.units <= fewer for each in isolated)
    assert not [*orders.given.of("carol", "other", np.array([]))]


def test_missing_or_changed_units_are_an_error(orders: AnsweredOrders) -> None:
    answer(orders, sample())
    (file,) = orders.given.folder.glob("*.npz")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(Broken, match="changed"):
        answer(orders, sample())
    file.unlink()
    with pytest.raises(Broken, match="are gone"):
        answer(orders, sample())


def keep_in_the_old_form(orders: AnsweredOrders, whole: Sample) -> None:
    """What an installation of an earlier edition has kept of an order."""
    units = np.array([int(subject[:16], 16) for subject in whole.subjects], dtype=np.uint64)
    late, bad = np.asarray(whole.out_of_time, dtype=np.bool_), np.asarray(whole.labels) == 1
    parts = {"in_time": ~late, "late": late, "all": np.ones(len(units), dtype=np.bool_)}
    sets = {f"{name}_observed": np.unique(units[part]) for name, part in parts.items()}
    sets |= {f"{name}_defaulted": np.unique(units[part & bad]) for name, part in parts.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **sets)  # type: ignore[arg-type]
    name = digest(buffer.getvalue())
    assert orders.given.old_orders is not None
    orders.given.old_orders.mkdir()
    (orders.given.old_orders / f"{name}.npz").write_bytes(buffer.getvalue())
    details = {"sets": name, "question": "q", "release": "release-1", "project": "p"}
    orders.given.ledger.append("version.made", "version-1", by=ALICE, details=details)


def test_sets_of_the_old_form_still_count(orders: AnsweredOrders) -> None:
    keep_in_the_old_form(orders, sample())
    answer(orders, sample())
    for near in (without(sample(), 3), relabelled(sample(), 3)):
        with pytest.raises(Refused, match="differs in a few subjects"):
            answer(orders, near, ANOTHER_POPULATION)
    subjects = sorted(set(sample().subjects))[2:]
    new = counting(orders, set(subjects))
    before = [each.contents for each in orders.given.of("alice", "p", np.array(subjects, dtype=np.object_))]
    assert any(isolations(new, EarlierUnits(before[:1], new), FLOORS.order_difference))


def test_an_order_about_a_few_is_refused() -> None:
    whole = sample()

    def required(made: Sample) -> None:
        require_floor(order_contents(made, b"k" * 32), FLOORS)

    required(whole)
    few = replace(whole, labels=np.isin(whole.subjects, sorted(set(whole.subjects))[:3]).astype(np.int8))
    for labels in (few.labels, 1 - few.labels):
        with pytest.raises(Refused, match="too few subjects"):
            required(replace(few, labels=labels.astype(np.int8)))
    with pytest.raises(Refused, match="observes too few"):
        required(without(whole, 250))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_contents_of_an_order_are_read_as_they_were_written(seed: int) -> None:
    contents = order_contents(sample(seed), b"k" * 32)
    again = CellContents.read(contents.as_bytes())
    assert again.as_bytes() == contents.as_bytes()
    assert contents.contributions["count"].values.sum() == len(sample(seed))


def test_a_question_is_the_same_for_other_features() -> None:
    assert question_of(ORDER) == question_of(replace(ORDER, sql="x", features=()))
    assert question_of(ORDER) != question_of(ANOTHER_LABEL)
