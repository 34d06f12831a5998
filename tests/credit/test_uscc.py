"""A code is valid only when both of its check characters are right, and its prefix determines the kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.errors import Malformed
from credit.subjects import SubjectKind
from credit.uscc import (
    ALPHABET,
    ORG_ALPHABET,
    ORG_WEIGHTS,
    USCC_WEIGHTS,
    Uscc,
    compose,
    org_check,
    uscc_check,
)

# Published codes of institutions and large companies, and codes made for tests; every one passes both checks.
GOOD = (
    "91100000100003962T",
    "911100001000044477",
    "911100001000054748",
    "911000001000013428",
    "914403001922038216",
    "9144030071526726XG",
    "91440300708461136T",
    "9111000071093123XX",
    "91110000710925462X",
    "91110000710926094P",
    "91440300192317458F",
    "91440300100012316L",
    "9144030010001686XA",
    "91310000132260250X",
    "91110108551385082Q",
    "911200007109339563",
    "911200001030702984",
    "911200001034137808",
    "91120116681888972M",
    "91350200776049653A",
    "9135021359498494XQ",
    "123502001549897397",
    "11230500001755309F",
    "91350200MA2YJ1XR9G",
    "91310115MA1K3CUM7M",
    "91440101MA5CJQ4N59",
    "91230500MA1B3N1N2M",
    "92120104MA05TE5T7R",
    "92120103MA07ABCD0K",
    "91120116MA06XY128A",
    "93120113MA0512WX62",
)
CHARACTERS = st.sampled_from(ALPHABET)
CODES = st.builds(
    lambda prefix, division, serial: compose(prefix, f"{division:06d}", serial),
    st.sampled_from(["91", "92", "93", "11", "51", "N1", "Y1"]),
    st.integers(0, 999999),
    st.text(CHARACTERS, min_size=8, max_size=8),
)


@pytest.mark.parametrize("code", GOOD)
def test_published_codes_parse(code: str) -> None:
    assert str(Uscc.parse(code)) == code


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("91350203M0001QAY9B", "last check"),  # accepted by exception elsewhere; its check is wrong
        ("91120116681888972N", "last check"),
        ("911201166818889820", "organisation"),
        ("9112011668188897", "16 characters"),
        ("9112011668188897 2M", "19 characters"),
        ("91120116681888972I", "no place"),
        ("91A20116681888972M", "no place"),
        ("９１120116681888972M", "no place"),
        ("", "0 characters"),
    ],
)
def test_wrong_codes_do_not_exist(code: str, why: str) -> None:
    with pytest.raises(Malformed, match=why) as caught:
        Uscc.parse(code)
    assert not code or code not in str(caught.value), "a message never repeats what may be a subject's code"


def test_lower_case_and_blanks_are_forgiven() -> None:
    assert Uscc.parse(" 91120116681888972m\n").code == "91120116681888972M"


def test_the_prefix_determines_the_kind() -> None:
    assert Uscc.parse("92120104MA05TE5T7R").kind is SubjectKind.INDIVIDUAL_BUSINESS
    assert Uscc.parse("91120116681888972M").kind is SubjectKind.ENTERPRISE
    assert Uscc.parse("91120116681888972M").division == "120116"


@given(CODES)
def test_what_is_composed_parses(uscc: Uscc) -> None:
    assert Uscc.parse(uscc.code) == uscc


@given(CODES, st.integers(0, 17), CHARACTERS)
def test_any_one_changed_character_is_caught(uscc: Uscc, place: int, char: str) -> None:
    changed = uscc.code[:place] + char + uscc.code[place + 1 :]
    if changed != uscc.code:
        with pytest.raises(Malformed):
            Uscc.parse(changed)


@pytest.mark.parametrize(
    "parts", [("9", "120116", "MA05TE5T"), ("91", "12011X", "MA05TE5T"), ("91", "120116", "MA05TE5I")]
)
def test_parts_out_of_form_compose_nothing(parts: tuple[str, str, str]) -> None:
    with pytest.raises(Malformed):
        compose(*parts)


@given(st.text(CHARACTERS, min_size=17, max_size=17))
def test_check_characters_are_those_of_the_weighted_sums_in_the_standards(body: str) -> None:
    total = sum(ALPHABET.index(char) * weight for char, weight in zip(body, USCC_WEIGHTS, strict=True))
    assert uscc_check(body) == ALPHABET[(31 - total % 31) % 31]
    serial = body[:8]
    rest = 11 - sum(ORG_ALPHABET.index(char) * weight for char, weight in zip(serial, ORG_WEIGHTS, strict=True)) % 11
    assert org_check(serial) == {10: "X", 11: "0"}.get(rest, str(rest))
