"""The length of the code of a sequence of choices: even ones are cheap, and a message costs what it carries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.airlock.words.adaptive_code import form_bits


@given(st.lists(st.booleans(), max_size=300))
def test_two_forms_cost_more_than_one(bits: list[bool]) -> None:
    ones = sum(bits)
    cost = form_bits(["item" if bit else "paragraph" for bit in bits])
    assert cost >= 0
    if len(bits) > 1 and 0 < ones < len(bits):
        assert cost > 2 * 4, "two forms were new"


@given(st.integers(1, 12))
def test_the_codes_of_all_messages_fit_into_one_tree(length: int) -> None:
    """Kraft's inequality over every message of a length: no message set is charged less than its number's logarithm."""
    total = sum(
        2.0 ** -form_bits(["ab"[number >> place & 1] for place in range(length)]) for number in range(2**length)
    )
    assert total <= 1.0 + 1e-9


def test_an_even_text_is_cheap() -> None:
    assert form_bits(["item"] * 500) < 20
    assert form_bits(["heading", "paragraph"] * 100) < 40
