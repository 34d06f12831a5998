"""SQL that leaves parses, in one case of its words; a text has words; what only IPython reads leaves as a comment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.gate import Outcome
from lab.airlock.issue import Issue
from lab.airlock.kinds.texts.notebook_code import cell_lines
from lab.airlock.kinds.texts.sql_code import sql_lines
from tests.lab.airlock.gate_runs import outcome
from tests.lab.airlock.kinds.texts.text_seeds import QUERY

pytestmark = pytest.mark.attack
SIGNS = st.text(st.sampled_from("()[]{}+-*/%=<>.,;:?!@^&~|' "), min_size=1, max_size=60)


@given(SIGNS.filter(lambda signs: set(signs) - set(" ;")))
def test_signs_alone_are_no_sql(signs: str) -> None:
    assert isinstance(sql_lines(signs), Issue) or "'" in signs or "--" in signs or "/*" in signs


NO_SQL = ["(" * 39_000, "a b c d", "SHOW anything at all", "1; 2; 3", "(" * 300 + "1" + ")" * 300]


@pytest.mark.parametrize("text", NO_SQL)
def test_what_does_not_parse_stays(text: str) -> None:
    assert outcome(text, "q.sql") is Outcome.FAIL


@given(st.lists(st.booleans(), min_size=len(QUERY), max_size=len(QUERY)))
def test_capitals_of_keywords_carry_nothing(capitals: list[bool]) -> None:
    head, query = QUERY.split("\n", 1)
    words = [
        word.lower() if lower and word in ("SELECT", "AS", "FROM", "WHERE", "BY", "WITH", "LEFT", "JOIN") else word
        for word, lower in zip(query.split(" "), capitals, strict=False)
    ]
    assert sql_lines(head + "\n" + " ".join(words)) == sql_lines(QUERY)


@given(st.text(st.characters(exclude_categories=["L", "N", "Cc", "Cs"]), min_size=1))
def test_a_text_without_words_stays(text: str) -> None:
    assert outcome(text, "notes.md") is Outcome.FAIL


def test_a_cell_of_features_leaves_as_its_sql_and_help_as_a_comment() -> None:
    cell = "%%features late  --as-of 2026-10-01\nselect subject, count(*) as n from registration group by subject"
    lines = cell_lines(cell)
    assert not isinstance(lines, Issue)
    assert lines[0] == "%%features late --as-of 2026-10-01"
    assert cell_lines("\n".join(lines)) == lines
    assert cell_lines("lab.sql?\n?lab.train\nx = 1") == ("# lab.sql?", "# ?lab.train", "x = 1")
    assert isinstance(cell_lines("%%features late\nnot a query at all"), Issue)
