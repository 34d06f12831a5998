"""Attackers on texts and notebooks get at most a limited number of bits out, whatever they choose."""

from __future__ import annotations

import pytest

from tests.lab.airlock.kinds.texts.alphabet_attacks import alphabets
from tests.lab.airlock.kinds.texts.notebook_attacks import in_notebooks
from tests.lab.airlock.kinds.texts.spelling_attacks import code_layouts, spellings
from tests.lab.airlock.smuggling import Smuggling, smuggled

pytestmark = pytest.mark.attack
MOST = 256  # bits of a whole file, of which the gate says nothing
NOTICED = 400  # with a reviewer's consent, of what is neither a number nor a name; 770 with these
CLOSED = [*spellings(), *code_layouts()]
# choices of form that a page shows as such and that are charged
OPEN = {
    "capitals of words",
    "paragraph or item",
    "quote or paragraph",
    "levels of items",
    "indentation of items",
    "numbers of items",
    "accents",
}


@pytest.mark.parametrize("attack", CLOSED, ids=lambda each: each.name)
def test_a_spelling_carries_nothing(attack: Smuggling) -> None:
    assert smuggled(attack, (24, 96)) <= (MOST if attack.name in OPEN else 0)


@pytest.mark.parametrize("attack", list(alphabets()), ids=lambda each: each.name)
def test_an_alphabet_carries_little_in_a_whole_file(attack: Smuggling) -> None:
    assert smuggled(attack, (160, 288, 1024)) <= MOST
    most = 770 if "digit" in attack.name else NOTICED
    assert smuggled(attack, (288, 384, 640, 1024), noticed=True) <= most


@pytest.mark.parametrize(
    "attack", [each for n, each in enumerate(in_notebooks()) if n % 6 == 0], ids=lambda each: each.name
)
def test_a_notebook_carries_no_more_than_a_text(attack: Smuggling) -> None:
    assert smuggled(attack, (96, 288, 1024)) <= MOST
