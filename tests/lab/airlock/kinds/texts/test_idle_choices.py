"""Choices that mean the same, and the order of rows, carry a limited number of bits."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.airlock.choices.counted import choices_of
from lab.airlock.kinds.tables.row_order import order_bits, rows_in_order
from lab.airlock.kinds.tables.table_model import spelled_alike
from lab.airlock.thresholds import load
from tests.lab.airlock.kinds.texts.idle_attacks import Frame, idle_frames, in_a_notebook, shuffled_table
from tests.lab.airlock.smuggling import leaves

pytestmark = pytest.mark.attack
MOST = 400  # bits: the limit of a text, what an honest writer's habits cost, and what a code that learns misses
PLACES = (24, 48, 96, 128, 192, 256, 384, 600)
FRAMES = list(idle_frames())
TRIES = 3


def _most_places(encode: Callable[[random.Random, int], tuple[str, bytes]], places: Iterable[int]) -> int:
    """The most places that left without a word, and as different files."""
    most = 0
    for count in places:
        left = [leaves(*encode(random.Random(f"{count} {seed}"), count)) for seed in range(TRIES)]
        if not all(left) or len({tuple(each.values()) for each in left}) < TRIES:
            break
        most = count
    return most


@pytest.mark.parametrize("frame", FRAMES, ids=lambda each: each.name)
def test_forms_that_mean_the_same_carry_little(frame: Frame) -> None:
    assert frame.bits(_most_places(lambda draw, count: (frame.file, frame.text(draw, count)), PLACES)) <= MOST


@pytest.mark.parametrize("frame", FRAMES[::3], ids=lambda each: each.name)
def test_so_they_do_in_a_notebook(frame: Frame) -> None:
    if ";" in frame.between:
        return  # a cell of a feature is one statement
    assert frame.bits(_most_places(in_a_notebook(frame), PLACES)) <= MOST


@pytest.mark.parametrize("ending", ["csv", "json", "md"])
@pytest.mark.parametrize("rows", [40, 200, 480])
def test_rows_in_any_order_leave_in_one(ending: str, rows: int) -> None:
    left = [leaves(*shuffled_table(random.Random(seed), rows, ending)) for seed in range(4)]
    assert all(left)
    assert len({tuple(each.values()) for each in left}) == 1


rows_of_tables = st.lists(
    st.tuples(
        st.sampled_from(["north", "South", "band 2", "band 10", "total"]),
        st.sampled_from(["", "1", "20", "-3", "0.5", "3%"]),
        st.sampled_from(["a", "b"]),
    ),
    max_size=30,
)


@given(rows_of_tables, st.integers(0, 200), st.randoms(use_true_random=False))
def test_rows_are_put_in_order_once_and_their_own_order_is_then_no_choice(
    rows: list[tuple[str, ...]], most: int, draw: random.Random
) -> None:
    order = rows_in_order(rows, most)
    assert sorted(order) == list(range(len(rows)))
    ordered = [rows[place] for place in order]
    assert [ordered[place] for place in rows_in_order(ordered, most)] == ordered
    if order != list(range(len(rows))):
        shuffled = rows[:]
        draw.shuffle(shuffled)
        again = [shuffled[place] for place in rows_in_order(shuffled, most)]
        assert again == ordered or order_bits(shuffled) <= most


@pytest.mark.parametrize("power", range(1, 7))
def test_a_merge_of_two_ordered_halves_is_charged_as_what_it_carries(power: int) -> None:
    """Two halves in order, merged at random: few rows fall below the one before, and every row carries a bit."""
    count = 2 ** (power + 3)
    first, second = iter(range(count)), iter(range(count, 2 * count))
    places = [0] * count + [1] * count
    random.Random(power).shuffle(places)
    rows = [(f"band {next(second if half else first)}",) for half in places]
    assert order_bits(rows) >= 2 * count - log2(4 * count)


def test_orders_that_honest_tables_have_stay() -> None:
    bands = [(f"band {n}", f"{500 - n}") for n in range(300)]
    by_value = sorted(bands, key=lambda row: row[0])
    grouped = [(size, f"district {n}") for size in ("small", "large", "medium") for n in range(100)]
    for rows in (bands, bands[::-1], by_value, grouped, [*bands, ("total", "9")], bands[2:] + bands[:2]):
        assert rows_in_order(rows, load()["row_order_bits_at_most"]) == list(range(len(rows)))


@given(st.lists(st.sampled_from(["small firms", "Small Firms", "SMALL_firms", "small-firms"]), min_size=1))
def test_labels_of_one_column_that_read_alike_are_one(labels: list[str]) -> None:
    assert set(spelled_alike(labels)) == {labels[0]}
    assert spelled_alike(["1-5", "1 5", "<5", ">5"]) == ("1-5", "1 5", "<5", ">5")


@given(st.lists(st.booleans(), min_size=40, max_size=400))
def test_the_page_shows_what_ends_of_paragraphs_and_capitals_could_carry(bits: list[bool]) -> None:
    """What no limit can distinguish from ordinary writing is shown: a message costs about as many bits as it has."""
    lines = tuple(f"- {'Firms' if bit else 'firms'} rank better." for bit in bits)
    shown = choices_of([], [("words", lines)]).shown
    ones = sum(bits) / len(bits)
    assert shown >= 0.8 * len(bits) * 4 * ones * (1 - ones) - 1  # at most the bits of the message
