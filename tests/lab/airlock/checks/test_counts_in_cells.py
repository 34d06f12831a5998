"""A cell that counts a few subjects in words is a small cell, and labels that are words of numbers are none."""

from __future__ import annotations

import pytest

from credit.gate import Outcome
from tests.lab.airlock.gate_runs import outcome, worst_outcome

CHECK = "counts in words"


@pytest.mark.parametrize(
    "table",
    [
        "band,firms\nlow,three\nmid,five\nhigh,two\n",
        "等级,户数\n低,三\n中,五\n高,两\n",
        "等级,户数\n低,三户\n中,五户\n高,两户\n",
        "等级,说明\n低,三户\n中,5户企业\n高,仅两家\n",
        "band,note,firms\nlow,three firms,1200\nmid,stable,1300\nhigh,stable,1500\n",
        "band,three firms\nlow,1200\nmid,1300\nhigh,1500\n",
    ],
)
def test_a_few_subjects_in_words_are_a_small_cell(table: str) -> None:
    assert worst_outcome(table, CHECK) is Outcome.FAIL
    assert outcome(table) is Outcome.FAIL


def test_number_words_under_another_name_need_a_review() -> None:
    assert worst_outcome("band,value\nlow,three\nmid,nine\nhigh,two\n", CHECK) is Outcome.REVIEW
    assert worst_outcome("band,value\nlow,three\nmid,nine\nhigh,two\n", CHECK, counts=("value",)) is Outcome.FAIL


@pytest.mark.parametrize(
    "table",
    [
        "类别,户数\n一,1200\n二,1300\n三,1400\n",
        "class,firms\none,1200\ntwo,1300\nthree,1400\n",
        "size,firms\nat least 10 firms,1200\nmore than 20 firms,1300\nothers,1400\n",
        "部门,户数\n第一产业,1200\n第二产业,1300\n第三产业,1400\n",
    ],
)
def test_labels_are_no_counts(table: str) -> None:
    assert worst_outcome(table, CHECK) is Outcome.PASS
