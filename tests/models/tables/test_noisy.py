"""Tables with noise: what one subject gives is bounded, the budget is kept, and a question is drawn once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.errors import Malformed, Refused
from credit.keys import KeyRing, SigningKey
from credit.order_requests import TABLE
from models.noise.budget import SPENT
from models.tables.cells.contents import CellContents, Contribution
from models.tables.cells.of_rows import Cells
from models.tables.noisy.drawing import _bounded_entries
from models.tables.request import TableRequest
from tests.models.tables.table_world import ALICE, BORIS, CAROL, DAY, TableWorld

SQL = "SELECT year(registered_on), count(DISTINCT subject) FROM registration GROUP BY ALL"
FINES = "SELECT count(*), sum(fine), avg(fine) FROM administrative_penalty"


@pytest.fixture
def world(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> TableWorld:
    world = TableWorld(tmp_path, keys, ring)
    world.maker = world.with_policy(noise=True, noise_epsilon=2.0, noise_groups_of_subject=1, noise_epsilon_each=6.0)
    return world


def test_counts_are_near_and_differ_from_the_exact_ones(world: TableWorld) -> None:
    seal = world.make("SELECT count(DISTINCT subject) FROM registration", order="order-1")
    assert seal.terms["noise"] == {"epsilon": 2.0, "delta": 1e-7, "groups_of_subject": 1, "rows_of_subject": 20}
    assert seal.terms["suppressed"] == 0
    assert abs(world.columns(seal)["subjects"][0] - 500) < 60
    checks = {each["check"]: each for each in seal.terms["verdict"]["findings"]}
    assert set(checks) == {"size", "budget", "labels"}
    assert checks["budget"]["evidence"]["left_author"] == 4.0


def test_sums_and_means_are_made_of_noisy_totals_of_bounded_subjects(world: TableWorld) -> None:
    seal = world.make(FINES, at_most={"fine": 2.0})
    columns = world.columns(seal)
    assert set(columns) == {"count", "sum_fine", "avg_fine"}
    assert columns["avg_fine"][0] == pytest.approx(columns["sum_fine"][0] / max(1, columns["count"][0]), rel=0.5)


def test_the_same_question_is_drawn_once(world: TableWorld) -> None:
    first = world.make(SQL, order="order-1")
    again = world.make(SQL.lower().replace("all", "ALL"), order="order-2")
    assert again.id == first.id
    assert world.given.of_order("order-2") == first.id
    spent = [entry for entry in world.ledger.entries() if entry.verb == SPENT]
    assert [entry.object for entry in spent] == ["order-1"]


@pytest.mark.attack
def test_other_questions_do_not_let_a_project_or_an_author_spend_more(world: TableWorld) -> None:
    def made(number: int, by: object, project: str) -> bool:
        sql = f"SELECT count(DISTINCT subject) FROM registration WHERE year(registered_on) > {1900 + number}"
        try:
            world.make(sql, by=by, project=project, order=f"order-{number}")  # type: ignore[arg-type]
        except Refused:
            return False
        return True

    assert [made(n, ALICE, "loans") for n in range(4)] == [True, True, True, False]
    assert not made(5, BORIS, "loans")  # the project's
    assert not made(6, ALICE, "other")  # the author's
    assert made(7, CAROL, "third")
    assert sum(entry.verb == TABLE.made for entry in world.ledger.entries()) == 4


def test_a_kill_after_the_entry_of_the_loss_is_paid_for_once(
    world: TableWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("models.tables.noisy.making.noisy_table", None)
        with pytest.raises(TypeError):
            world.make(SQL, order="order-1")
    world.make(SQL, order="order-1")
    assert sum(entry.verb == SPENT for entry in world.ledger.entries()) == 1


@pytest.mark.parametrize(
    ("sql", "at_most", "reason"),
    [
        ("SELECT median(fine) FROM administrative_penalty", {}, "not offered"),
        ("SELECT sum(fine) FROM administrative_penalty", {}, "largest total"),
        ("SELECT avg(fine), sum(fine) FROM administrative_penalty", {"paid": 1}, "largest total"),
        ("SELECT count(*) FROM administrative_penalty", {"fine": 5}, "does not have"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words_and_costs_nothing(
    world: TableWorld, sql: str, at_most: dict[str, float], reason: str
) -> None:
    with pytest.raises(Malformed) as refused:
        world.make(sql, at_most=at_most)
    assert reason in str(refused.value.problem("en"))
    assert not [entry for entry in world.ledger.entries() if entry.verb == SPENT]


@pytest.mark.parametrize("at_most", [*({"fine": bad} for bad in (0, -1, True, 1e300, "9")), {"Fine;--": 2}, ["fine"]])
def test_bounds_are_names_and_positive_numbers(at_most: object) -> None:
    with pytest.raises(Malformed):
        TableRequest.parse({"kind": "enterprise", "sql": FINES, "as_of": DAY.isoformat(), "at_most": at_most})


def test_an_empty_table_is_refused_after_it_was_paid_for(world: TableWorld) -> None:
    sql = "SELECT count(DISTINCT subject) FROM registration WHERE year(registered_on) = 1700"
    with pytest.raises(Refused) as refused:
        world.make(sql, order="order-1")
    assert "size" in str(refused.value.problem("en"))
    assert sum(entry.verb == SPENT for entry in world.ledger.entries()) == 1


@given(
    entries=st.sets(st.tuples(st.integers(0, 8), st.integers(0, 12)), min_size=1, max_size=60),
    groups=st.integers(1, 4),
    leaving=st.integers(0, 12),
)
def test_a_subject_counts_in_few_groups_and_does_not_move_those_of_others(
    entries: set[tuple[int, int]], groups: int, leaving: int
) -> None:
    counted = _counted(entries, groups)
    others = {each for each in entries if each[1] != leaving}
    for member in {member for _, member in entries}:
        assert len({each for each in counted if each[1] == member}) == min(
            groups, len([each for each in entries if each[1] == member])
        )
    if others:
        assert _counted(others, groups) == {each for each in counted if each[1] != leaving}


def _counted(entries: set[tuple[int, int]], groups: int) -> set[tuple[int, int]]:
    """The (cell, unit) pairs that count."""
    units = sorted({unit for _, unit in entries})
    pairs = sorted(entries)
    contents = CellContents(
        np.array([unit * 7919 + 3 for unit in units], dtype=np.uint64),
        np.array([cell for cell, _ in pairs], dtype=np.int64),
        np.array([units.index(unit) for _, unit in pairs], dtype=np.int64),
        {"subjects": Contribution(np.ones(len(pairs)))},
        max(cell for cell, _ in pairs) + 1,
    )
    labels: list[tuple[str | None, ...]] = [(str(cell),) for cell in range(contents.count)]
    cells = Cells(None, labels, contents, None, np.zeros(0, dtype=np.int64))  # type: ignore[arg-type]
    kept = _bounded_entries(cells, groups, b"k" * 32)
    return {pair for pair, counts in zip(pairs, kept, strict=True) if counts}
