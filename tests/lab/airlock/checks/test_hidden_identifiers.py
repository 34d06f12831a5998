"""A pseudonym in groups or letters, and a number in Chinese numerals or words, are found; ordinary text is none."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.gate import Outcome
from lab.airlock.checks.hidden_identifiers import hidden_identifiers, pseudonyms
from tests.lab.airlock.gate_runs import outcome

pytestmark = pytest.mark.attack
KEYS = st.integers(0, 2**32).map(lambda seed: "".join(random.Random(seed).choices("0123456789abcdef", k=32))).filter(
    lambda key: 6 <= sum(map(str.isalpha, key)) <= 20 and len(set(key)) >= 8
)  # fmt: skip
SENTENCE = "The new version ranks small firms better than the old one"
PHONE = "13812345678"


@given(KEYS, st.sampled_from((1, 4, 8, 16)), st.sampled_from((" ", "-", ":", " - ", "\n", ", ")))
def test_a_pseudonym_in_groups_does_not_leave(key: str, size: int, between: str) -> None:
    groups = between.join(key[at : at + size] for at in range(0, 32, size))
    assert list(pseudonyms(f"{SENTENCE}: {groups}."))


@given(KEYS, st.sampled_from((1, 2, 4, 8, 16, 32)), st.integers(0, 10))
def test_a_pseudonym_in_letters_does_not_leave(key: str, size: int, first: int) -> None:
    letters = "".join(string.ascii_lowercase[first + int(digit, 16)] for digit in key)
    assert list(pseudonyms(f"({' '.join(letters[at : at + size] for at in range(0, 32, size))})"))


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE,
        "that will have been made from this data with more care than what came over time",
        "colors = ['#1f77b4', '#ff7f0e', '#2ca02c', '#d62728', '#9467bd', '#8c564b']",
        "A 12000\nB 13000\nC 14000\nD 15000\nE 16000\nF 17000\nA 18000\nB 19000",
        "A 1200 0.012 B 1300 0.013 C 1400 0.015 D 1500 0.021 E 1600 0.034",
        "1e-05 2.5e-04 3.25e-03 1.125e-02 0.50 0.75 0.875 2e-01 5e-01",
        "class HistGradientBoostingRegressors: pass",
        "在二〇二六年第一季度，一至三档、四至六档、七至九档的违约率依次上升。",
        "one, two, three: the three sizes of firms",
    ],
)
def test_ordinary_text_holds_none(text: str) -> None:
    assert not list(pseudonyms(text))
    assert not hidden_identifiers([text])


@pytest.mark.parametrize("numerals", ["〇一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖", "零幺二三四五六七八九"])
@pytest.mark.parametrize("groups", [(11,), (3, 4, 4)])
def test_a_telephone_number_in_chinese_numerals_does_not_leave(numerals: str, groups: tuple[int, ...]) -> None:
    digits, parts = iter(PHONE.translate(str.maketrans("0123456789", numerals))), []
    for size in groups:
        parts.append("".join(next(digits) for _ in range(size)))
    assert "phone" in hidden_identifiers([f"电话{' '.join(parts)}。"])
    assert outcome(f"等级,户数\n{' '.join(parts)},1200\n低,1300\n高,1400\n") is Outcome.FAIL


def test_a_number_in_words_is_an_identifier() -> None:
    assert hidden_identifiers(["call one three eight one two three four five six seven eight today"]) == {"phone": 1}
    assert "phone" in hidden_identifiers(["一百三十八亿一千二百三十四万五千六百七十八户"])


@given(KEYS, st.integers(1, 31))
def test_a_pseudonym_over_two_cells_of_a_row_does_not_leave(key: str, cut: int) -> None:
    table = f"a,b,firms\n{key[:cut]},{key[cut:]},1200\nlow,north,1300\nhigh,south,1400\n"
    assert outcome(table) is Outcome.FAIL
