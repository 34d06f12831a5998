"""What a file does not show goes to the reviewers with words: exact values beside exact values, in any form."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.airlock.differencing import tried
from credit.gate import Outcome
from lab.airlock.checks.number_words import numbers_in_words
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.gate import judge_parcel
from lab.airlock.grid import Grid
from lab.airlock.kinds.texts.counts_in_words import number_in_words
from lab.airlock.parcel_context import FileDescription, ParcelContext
from tests.lab.airlock.gate_runs import earlier, judge, open_findings

pytestmark = pytest.mark.attack
OLD = "industry,n\nretail,1213\nfood,847\nlogistics,2406\nbuilding,930\n"
ONE_LESS = {  # one firm of `food` removed, at another scale, among words, or beside other statistics
    "times seven and three.csv": "industry,index\nretail,8494\nfood,5925\nlogistics,16845\nbuilding,6513\n",
    "per mille.csv": "x,p\na,224.7128\nb,156.7247\nc,445.7207\nd,172.2860\n",
    "in prose.md": "# Firms\n\nIn retail there were 1,213 and in food 846.\n",
    "spelled out.md": "# Firms\n\nIn food there were eight hundred and forty-six.\n",
    "in Chinese.md": "# 企业\n\n餐饮业共有八百四十六户，比去年多。\n",
    "in a name of a column.csv": "kind,food 846\nyes,high\nno,low\n",
    "in a label.csv": "group,level\nfood of 846,high\nretail of 1213,low\n",
    "as a key.csv": "level\n846\n",
    "a mean.csv": "industry,mean_turnover\nretail,12.3456\nfood,23.4567\n",
    "in a notebook.ipynb": json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": "The group of food has 846."}]}),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_LESS)
def test_no_form_of_an_exact_value_passes_in_silence(name: str) -> None:
    judgement = judge({name: ONE_LESS[name]}, earlier=earlier(OLD))
    assert judgement.leaving, judgement.verdict.findings
    findings = open_findings(judgement, "differencing")
    assert findings
    assert all("old.csv of petition-0" in each.evidence["against"] for each in findings)


def test_a_scaled_count_that_isolates_a_few_fails() -> None:
    """The line through the other rows gives the number of firms that the odd one differs in."""
    rows = [("retail", 1213), ("food", 847), ("logistics", 2406), ("building", 930), ("farming", 411), ("shops", 1777)]
    old = "industry,n\n" + "".join(f"{key},{n}\n" for key, n in rows)
    scaled = "industry,index\n" + "".join(f"{key},{7 * (n - (key == 'food')) + 3}\n" for key, n in rows)
    for other in (scaled, scaled.replace("industry", "x").replace("food", "b").replace("retail", "a")):
        findings = open_findings(judge({"new.csv": other}, earlier=earlier(old)), "differencing")
        assert Outcome.FAIL in {each.outcome for each in findings}
    many = scaled.replace(f"food,{7 * 846 + 3}", f"food,{7 * 700 + 3}")
    findings = open_findings(judge({"new.csv": many}, earlier=earlier(old)), "differencing")
    assert {each.outcome for each in findings} == {Outcome.REVIEW}


def test_the_same_facts_again_are_nothing_new() -> None:
    for again in (OLD, OLD.replace("retail,1213\n", ""), "n,industry\n847,food\n930,Building\n"):
        assert open_findings(judge({"again.csv": again}, earlier=earlier(OLD)), "differencing") == []
    other = open_findings(
        judge({"again.csv": OLD.replace("food", "food and drink")}, earlier=earlier(OLD)), "differencing"
    )
    assert other, "under another label it is another fact"


def test_tables_of_compute_pass() -> None:
    """A table of ``lab.table`` that is submitted as a file, or a part of it; not one number more."""
    table = "district,firms,mean_turnover\nheping,1215,23.4\nhexi,840,19.1\n"
    grid = Grid.of(["district", "firms", "mean_turnover"], [["heping", "1215", "23.4"], ["hexi", "840", "19.1"]])
    cases, about = [TableCase(grid, FileDescription("a table"))], FileDescription("firms", subjects=5000)

    def outcomes(content: str) -> set[Outcome]:
        context = ParcelContext("t", "p", {"t.csv": about}, ("table-1",))
        judgement = judge_parcel({"t.csv": content.encode()}, context=context, earlier=earlier(OLD), by_units=cases)
        return {each.outcome for each in judgement.verdict.findings if each.check == "differencing"}

    assert outcomes(table) == outcomes("district,mean_turnover\nhexi,19.1\n") == {Outcome.PASS}
    assert outcomes(table.replace("19.1", "19.2")) == {Outcome.REVIEW}


def test_near_sums_are_named_with_rounded_counts() -> None:
    old = "industry,n,turnover_sum\nretail,1215,120000\nfood,840,84000\n"
    near = old.replace("84000", "83100")
    (finding,) = open_findings(judge({"t.csv": near}, earlier=earlier(old)), "differencing")
    assert "the difference may be one subject's" in finding.why
    assert finding.evidence["cells"] == ["row 2, turnover_sum"]


@given(st.integers(20, 9_999_999))
def test_numbers_are_read_however_they_are_spelled(number: int) -> None:
    """English and Chinese numerals of any number are read as that number, as the check of small counts reads them."""
    chinese = in_chinese(number)
    assert number_in_words(chinese) == number
    if len(chinese) > 1:
        assert list(numbers_in_words(f"共{chinese}户")) == [number]
    words = in_english(number)
    if " " in words or "-" in words:
        assert list(numbers_in_words(f"there were {words} of them")) == [number]


@settings(deadline=None)
@given(st.integers(0, 10**9))
def test_one_unit_follows_from_no_pair_that_passes(seed: int) -> None:
    """Pairs of the bench's generator: tricks, statistics, scales, roundings and forms over invented units."""
    for pair in tried(3, seed):
        assert not (pair.outcome is Outcome.PASS and pair.computed), pair.trick


def in_chinese(number: int) -> str:
    """A number as Chinese writes it, below a hundred million."""
    digits = "零一二三四五六七八九"
    if number >= 10_000:
        high, low = divmod(number, 10_000)
        return in_chinese(high) + "万" + ("" if not low else ("零" if low < 1000 else "") + in_chinese(low))
    text, open_zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            text, open_zero = text + ("零" if open_zero and text else "") + digits[digit] + name, False
        else:
            open_zero = True
    return text


def in_english(number: int) -> str:
    """A number as English writes it, below a thousand million."""
    small = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ]
    tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    for unit, name in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= unit:
            rest = number % unit
            return f"{in_english(number // unit)} {name}" + (f" and {in_english(rest)}" if rest else "")
    if number < 20:
        return small[number]
    return tens[number // 10 - 2] + (f"-{small[number % 10]}" if number % 10 else "")
