"""A value that clearly says something is brought into one form, and one that does not comes back as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.catalogue import Catalogue
from privacy.intake import values

DAYS = {
    "2023/5/6 0:00": "2023-05-06",
    "2023.05.06": "2023-05-06",
    "２０２３年５月６日": "2023-05-06",
    "20230506": "2023-05-06",
    "45052": "2023-05-06",
    "二〇二三年五月六日": "2023-05-06",
    "2023-05-05T18:00:00Z": "2023-05-06",
    "2023111": "2023111",
    "202356": "202356",
    "5/6/2023": "5/6/2023",
    "2023-02-30": "2023-02-30",
}
AMOUNTS = {"1,000": "1000", "3000元": "0.3", "5万": "5", "￥１２．５": "12.5", "50万美元": "50万美元", "abc": "abc"}
NUMBERS = {
    "虚罚[2025]1号": "虚罚〔2025〕1号",
    "虚罚（2025）1号": "虚罚〔2025〕1号",
    "虚罚〔2025〕1号": "虚罚〔2025〕1号",
}


@pytest.mark.parametrize(("given_day", "expected"), DAYS.items())
def test_days(given_day: str, expected: str) -> None:
    assert values.day(given_day) == expected


@pytest.mark.parametrize(("given_amount", "expected"), AMOUNTS.items())
def test_amounts_in_ten_thousand_yuan(given_amount: str, expected: str) -> None:
    assert values.number(given_amount, "万元") == expected


@pytest.mark.parametrize(("given_number", "expected"), NUMBERS.items())
def test_the_brackets_of_document_numbers(given_number: str, expected: str) -> None:
    assert values.document_number(given_number) == expected


def test_no_end() -> None:
    assert all(map(values.is_endless, ("长期", "9999-12-31", "99991231")))
    assert not values.is_endless("2099-12-31")


def test_terms_of_the_city() -> None:
    city = Catalogue.load("city")
    kind = city.table("administrative_penalty").field("CF_CFLB")
    assert values.first_term("罚款；没收违法所得", kind.enum, kind.synonyms) == "罚款"
    assert values.first_term("罚款、不知道", kind.enum, kind.synonyms) == "罚款、不知道"
    assert values.first_term("其他-责令改正", kind.enum, kind.synonyms) == "其他"
    papers = city.table("registration").field("CERTYPE")
    assert values.term("护照号", papers.enum, papers.synonyms) == "护照"
    grade = city.table("tax_credit_rating").field("纳税信用级别")
    assert [values.term(each, grade.enum, grade.synonyms) for each in ("a级", "Ｂ")] == ["A", "B"]
    assert [values.integer(each, None) for each in ("2023年度", "2023.0")] == ["2023", "2023"]


@given(text=st.text(max_size=30))
def test_a_form_is_the_form_of_itself(text: str) -> None:
    for form in (values.day, values.document_number, lambda each: values.number(each, "万元")):
        assert form(form(text)) == form(text)
