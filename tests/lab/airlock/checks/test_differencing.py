"""Two tables that differ by a few subjects do not both leave: in two parcels, in one parcel, or in a changed form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.errors import Refused
from credit.gate import Finding, Outcome
from lab.airlock.review.states import State
from tests.lab.airlock.gate_runs import earlier, judge, open_findings
from tests.lab.airlock.review_zone import AUTHOR, FIRST, PROJECT, ReviewZone

pytestmark = pytest.mark.attack

OLD = "industry,n\nretail,1213\nfood,847\nlogistics,2406\n"
ONE_LESS = {  # one firm of `food` removed, in several variants
    "as it is": "industry,n\nretail,1213\nfood,846\nlogistics,2406\n",
    "a renamed count": "industry,how_many_there_are\nretail,1213\nfood,846\nlogistics,2406\n",
    "a renamed key": "x,n\nretail,1213\nfood,846\nlogistics,2406\n",
    "in Chinese": "行业,户数\nretail,1213\nfood,846\nlogistics,2406\n",
    "permuted rows": "industry,n\nlogistics,2406\nfood,846\nretail,1213\n",
    "permuted columns": "n,industry\n1213,retail\n846,food\n2406,logistics\n",
    "capitals": "Industry,N\nRETAIL,1213\nFood ,846\nLogistics,2406\n",
    "one row alone": "industry,n\nfood,846\n",
    "a shifted population": "industry,n\nretail,1180\nfood,846\nlogistics,2300\n",
    "a constant column": "since,industry,n\n2015年,retail,1213\n2015年,food,846\n2015年,logistics,2406\n",
    "split finer": "industry,size,n\nretail,s,613\nretail,m,600\nfood,s,446\nfood,m,400\nlogistics,s,2406\n",
    "with a total": "industry,n\nretail,1213\nfood,846\nlogistics,2406\ntotal,4465\n",
    "other names": "sector,n\nC,1213\nH,846\nG,2406\n",
    "as percentages": "industry,占比\nretail,27.17%\nfood,18.95%\nlogistics,53.89%\n",
    "as shares with n": "industry,n,share_active\nretail,2000,0.6065\nfood,2000,0.423\nlogistics,3000,0.802\n",
    "as JSON": '{"industry": ["retail", "food", "logistics"], "n": [1213, 846, 2406]}',
    "in Markdown": "# Firms\n\n| industry | n |\n|---|---|\n| retail | 1213 |\n| food | 846 |\n|a|50|\n|b|60|\n",
    "in a comment": "# industry,n\n# retail,1213\n# food,846\n# logistics,2406\n# total,4465\nx = 1\n",
}  # fmt: skip


def differencing(new: str, old: str = OLD, name: str = "new.csv", subjects: int = 100000) -> list[Finding]:
    return open_findings(judge({name: new}, earlier=earlier(old), subjects=subjects), "differencing")


@pytest.mark.parametrize("variant", ONE_LESS)
def test_a_table_that_isolates_one_firm_fails(variant: str) -> None:
    name = {"as JSON": "new.json", "in Markdown": "new.md", "in a comment": "new.py"}.get(variant, "new.csv")
    subjects = 4465 if variant == "as percentages" else 100000
    findings = differencing(ONE_LESS[variant], name=name, subjects=subjects)
    assert findings, "nothing was seen"
    evidence = next(finding for finding in findings if finding.outcome is Outcome.FAIL).evidence
    assert "petition-0" in evidence["against"]
    assert "old.csv" in evidence["against"]
    assert name.replace(".json", ".csv") in evidence["this"]  # under the name by which it would leave
    assert evidence["cells"]
    assert "round" in evidence["fix"]


@pytest.mark.parametrize(
    "new",
    [
        OLD,
        "industry,n\nretail,1313\nfood,747\nlogistics,2006\n",
        "district,n\nheping,913\nhexi,747\n",
        "year,n\n2021,1214\n2022,846\n2023,2607\n",
        "metric,value\nauc,0.7412\nks,0.35\n",
    ],
)
def test_unrelated_tables_are_left_to_reviewers_and_never_fail(new: str) -> None:
    """Exact values beside exact values: whether they differ in a few subjects is not in the file."""
    assert [finding.outcome for finding in differencing(new)] == [Outcome.REVIEW] * (new != OLD)


@pytest.mark.parametrize(
    "new",
    [
        "district,n\nheping,915\nhexi,745\nnankai,1200\nhebei,655\n",
        "employees,firms\n1-9,905\n10-49,1245\n50-499,750\n500+,125\n",
        "# Firms\n\nFines come before defaults, and minor fines tell nothing.\n",
    ],
)
def test_values_that_stand_for_ranges_pass(new: str) -> None:
    assert differencing(new, name="new.md" if new.startswith("#") else "new.csv") == []


def test_differences_within_rounding_need_review() -> None:
    old = "industry,n\nretail,1215\nfood,845\n"
    new = "industry,n\nretail,1215\nfood,840\n"
    assert [finding.outcome for finding in differencing(new, old)] == [Outcome.REVIEW]
    assert differencing("industry,n\nretail,1215\nfood,845\n", old) == []


def test_two_tables_of_one_parcel_are_compared() -> None:
    judgement = judge({"a.csv": OLD, "b.csv": ONE_LESS["permuted rows"]})
    (finding,) = open_findings(judgement, "differencing")
    assert finding.outcome is Outcome.FAIL
    assert (finding.evidence["file"], finding.evidence["against"]) == ("b.csv", "a.csv of this parcel")
    assert finding.evidence["cells"][0] == "row 2, n"


def test_a_cell_hidden_in_one_table_cannot_be_recovered_from_another() -> None:
    old = "industry,n\nretail,1213\nfood,*\nlogistics,*\ntotal,3666\n"
    new = "industry,n\nlogistics,2446\nretail,1213\n"  # food was 7
    for one, other in ((new, old), (old, new)):
        (finding,) = (each for each in differencing(one, other) if "totals give back" in each.why)
        assert finding.outcome is Outcome.FAIL
        assert finding.evidence["cells"] == ["row 2, n"]
        assert "Hide the same cells" in finding.evidence["fix"]
    assert differencing("industry,n\nretail,1213\nlogistics,*\n", old) == []


def test_sums_without_counts_need_review() -> None:
    old = "industry,turnover_sum\nretail,120000\nfood,84000\n"
    new = "industry,turnover_sum\nretail,120000\nfood,83100\n"
    assert [finding.outcome for finding in differencing(new, old)] == [Outcome.REVIEW]


def test_differencing_works_over_two_parcels_of_a_project(zone: ReviewZone) -> None:
    old = zone.submit({"firms.csv": OLD.encode()}, subjects=4466)
    less = {"others.csv": ONE_LESS["permuted rows"].encode()}
    with pytest.raises(Refused) as refused:  # while the first is pending
        zone.submit(less, subjects=4466)
    assert any(old in str(finding) and "differencing" in str(finding) for finding in refused.value.findings)
    zone.approve(old)
    zone.airlock.collect(old, by=AUTHOR)
    with pytest.raises(Refused):  # and when it is outside
        zone.submit(less, subjects=4466)
    assert zone.airlock.check(less, project=PROJECT).outcome is Outcome.FAIL


def test_refused_and_withdrawn_parcels_are_not_compared(zone: ReviewZone) -> None:
    old = zone.submit({"firms.csv": OLD.encode()}, subjects=4466)
    zone.airlock.withdraw(old, by=AUTHOR)
    less = {"others.csv": ONE_LESS["as it is"].encode()}
    second = zone.submit(less, subjects=4466)
    zone.vote(second, False, "exact counts", by=FIRST)
    assert zone.airlock.get(second).state is State.HALF_REVIEWED


exact = st.lists(st.integers(50, 4000), min_size=2, max_size=8)


@given(counts=exact, removed=st.integers(1, 9), where=st.integers(0, 7), data=st.data())
def test_removing_a_few_subjects_is_detected(counts: list[int], removed: int, where: int, data: st.DataObject) -> None:
    rows = [(f"group {n}", count) for n, count in enumerate(counts)]
    where %= len(rows)
    fewer = [(key, count - removed * (n == where)) for n, (key, count) in enumerate(rows)]
    old, new = (
        ["g,n", *(f"{key},{count}" for key, count in each)] for each in (rows, data.draw(st.permutations(fewer)))
    )
    findings = differencing("\n".join(new), "\n".join(old))
    both_rounded = all(count % 5 == 0 for _, count in rows) or all(count % 5 == 0 for _, count in fewer)
    assert max(f.outcome is Outcome.FAIL for f in findings) or both_rounded
    assert findings
