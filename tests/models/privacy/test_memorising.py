"""A model that memorises fails at the gate, whichever way it does it, and an honest one passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.models.privacy.gate_of_memorising import failed_checks
from tests.models.privacy.memorising import KINDS, honest_case, memorising_case

NAMED = {
    "shuffled": "discrimination",  # nothing is learnt but who was there
    "tiny": "leaf_size",
    "forged": "leaf_size",
    "payload": "reproducible",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [11, 12])
def test_a_model_that_memorises_fails_by_the_right_check(kind: str, seed: int) -> None:
    assert NAMED[kind] in failed_checks(memorising_case(kind, seed))


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_an_honest_model_passes(seed: int) -> None:
    assert failed_checks(honest_case(seed)) == []


def test_digits_beyond_the_declared_ones_are_named() -> None:
    honest = honest_case(31)
    place = honest.text.index("leaf_value=") + len("leaf_value=")
    word = honest.text[place : honest.text.index(" ", place)]
    longer = f"{word if '.' in word else word + '.'}{'0' * 6}1"
    assert "as_written" in failed_checks(replace(honest, text=_sized(honest.text, word, longer, place)))


def _sized(text: str, word: str, longer: str, place: int) -> str:
    """The text with one value written longer, and the size of its tree with it."""
    head, gap, rest = text.partition("tree_sizes=")
    sizes, end, body = rest.partition("\n")
    first, *others = sizes.split(" ")
    grown = f"{head}{gap}{' '.join([str(int(first) + len(longer) - len(word)), *others])}{end}"
    moved = len(grown) - (len(text) - len(body))
    whole = grown + body
    return whole[: place + moved] + longer + whole[place + moved + len(word) :]
