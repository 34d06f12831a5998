"""A table leaves only as a summary: without a row per subject and without small cells, in any notation."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.gate import Outcome
from credit.uscc import compose
from tests.lab.airlock.gate_runs import PSEUDONYM, judge, open_findings, outcome, worst_outcome

pytestmark = pytest.mark.attack

PASS, REVIEW, FAIL = Outcome.PASS, Outcome.REVIEW, Outcome.FAIL
CODE = compose("91", "120116", "MA05JKLM").code


@pytest.mark.parametrize(
    ("check", "table", "wanted"),
    [
        # counts
        ("small counts", "industry,n\nretail,120\nfood,9\n", FAIL),
        ("small counts", "industry,n\nretail,120\nfood,10\n", PASS),
        ("small counts", "行业,户数\n零售,120\n餐饮,3\n", FAIL),
        ("small counts", "行业\t企业数\n零售\t1,200\n餐饮\t3\n", FAIL),
        ("small counts", "industry;n_defaulted;rate_band\nretail;3;low\nfood;20;high\n", FAIL),
        ("small counts", "industry,how\nretail,120\nfood,3\n", REVIEW),
        ("small counts", "industry,n\nretail,120\nfood,0\n", REVIEW),
        ("small counts", "industry,n\nretail,120\nfood,*\n", PASS),
        ("small counts", "industry,n\nretail,120\nfood,<10\n", PASS),
        ("rounding", "industry,n\nretail,121\nfood,85\n", REVIEW),
        ("rounding", "industry,n\nretail,120\nfood,85\n", PASS),
        # shares
        ("small counts by share", "industry,n,default_rate\nretail,100,0.03\nfood,200,0.1\n", FAIL),
        ("small counts by share", "industry,n,default_rate\nretail,100,0.97\nfood,200,0.1\n", FAIL),
        ("small counts by share", "industry,n,违约占比\nretail,100,3%\nfood,200,10%\n", FAIL),
        ("small counts by share", "industry,n,default_rate\nretail,1000,0.03\nfood,200,0.1\n", PASS),
        # differences inside
        ("small counts by difference", "industry,total,defaulted\nretail,100,95\nfood,200,150\n", FAIL),
        ("small counts by difference", "industry,n,defaulted\nretail,100,20\nfood,200,195\n", FAIL),
        ("small counts by difference", "industry,n,defaulted\nretail,100,20\nfood,200,50\n", PASS),
        ("small counts by difference", "industry,old,new\nretail,100,95\nfood,200,150\n", REVIEW),
        # margins
        ("hidden cells", "industry,n\nretail,121\nfood,*\ntotal,126\n", FAIL),
        ("hidden cells", "行业,户数\n零售,121\n餐饮,<10\n合计,126\n", FAIL),
        ("hidden cells", "industry,n\nretail,120\nfood,*\ntotal,125\n", REVIEW),
        ("hidden cells", "industry,n\nretail,121\nfood,*\nlogistics,*\ntotal,140\n", PASS),
        ("hidden cells", "industry,n\nretail,121\nfood,*\nlogistics,*\ntotal,122\n", FAIL),
        ("hidden cells", "industry,small,large,total\nretail,41,*,60\nfood,33,60,93\n", FAIL),
        ("hidden cells", "industry,a,b,total\nretail,*,*,61\nfood,*,*,72\nall,60,73,133\n", PASS),
        ("hidden cells", "industry,a,b,total\nretail,*,*,61\nfood,*,33,72\nall,60,73,133\n", FAIL),
        ("hidden cells", "industry,size,n\nretail,s,31\nretail,m,*\nretail,total,36\nfood,s,41\nfood,m,52\n", FAIL),
        # dominance
        ("dominance", "industry,n,turnover_sum,turnover_max\nretail,50,1000,700\n", FAIL),
        ("dominance", "industry,n,turnover_sum,turnover_max\nretail,50,1000,70\n", PASS),
        ("dominance", "industry,n,sales_sum,sales_top1,sales_top2\nretail,50,1000,490,480\n", FAIL),
        ("dominance", "industry,n,top1_share\nretail,50,0.8\n", FAIL),
        ("dominance", "行业,n,销售额合计,销售额最大\n零售,50,1000,700\n", FAIL),
        ("extremes", "industry,n,turnover_max\nretail,50,70\n", REVIEW),
        ("counts beside sums", "industry,turnover_sum\nretail,1000\n", REVIEW),
        # form
        ("precision", "industry,n,mean_age\nretail,50,3.14159\n", FAIL),
        ("precision", "industry,n,mean_age\nretail,50,3.1416\n", PASS),
        ("precision", "industry,n,amount\nretail,50,12345678901\n", FAIL),
        ("reading", "industry,n\n=HYPERLINK(A1),50\n", FAIL),
        ("formulas", "change,n\n-0.5,50\n", PASS),
        ("named subjects", f"who,n\n{PSEUDONYM},50\n", FAIL),
        ("named subjects", f"who,n\nx{CODE}y,50\n", FAIL),
        ("named subjects", f"{PSEUDONYM},n\nretail,50\n", FAIL),
        ("named subjects", "who,n\n138 1234 5678,50\n", FAIL),
        ("reading", "who,n\nre\u200btail,50\n", FAIL),
    ],
)  # fmt: skip
def test_each_check_detects_its_problem(check: str, table: str, wanted: Outcome) -> None:
    assert worst_outcome(table, check) is wanted
    assert (outcome(table) is FAIL) >= (wanted is FAIL)


def rows(count: int, columns: str = "who,age,turnover") -> str:
    body = (f"{PSEUDONYM[:27]}{n:04x},{n % 40},{n * 7.25:.2f}" for n in range(count))
    return "\n".join([columns, *body]) + "\n"


def test_row_level_data_is_refused_in_every_form() -> None:
    assert worst_outcome(rows(40), "keys of subjects") is FAIL
    plain = "age,turnover\n" + "".join(f"{n % 40},{n * 7.25:.2f}\n" for n in range(300))
    assert worst_outcome(plain, "row-level data") is FAIL, "many different rows and no counts"
    short = "age,turnover\n" + "".join(f"{n % 40},{n * 7.25:.2f}\n" for n in range(60))
    assert worst_outcome(short, "row-level data") is REVIEW
    assert worst_outcome(short, "row-level data", subjects=60) is FAIL, "as many rows as subjects"
    one = "score\n" + "".join(f"{n / 1000:.3f}\n" for n in range(400))
    assert worst_outcome(one, "row-level data") is FAIL, "a column of scores alone"
    numbered = "firm_no,n\n" + "".join(f"{900000 + n * 37},50\n" for n in range(40))
    assert worst_outcome(numbered, "keys of subjects") is FAIL
    assert worst_outcome("industry,n\nretail,50\n", "row-level data", subjects=4) is FAIL
    assert worst_outcome("industry,n\nretail,50\n", "row-level data", subjects=0) is REVIEW
    assert worst_outcome("a,n\n" + "x,50\n" * 2500, "row-level data") is FAIL
    assert (
        worst_outcome(",".join(f"c{n}" for n in range(200)) + "\n" + ",".join(["50"] * 200), "row-level data") is FAIL
    )


@pytest.mark.parametrize("form", ["records", "columns", "split", "index", "numbers"])
def test_tables_in_json_are_read_in_every_flat_form(form: str) -> None:
    small = {
        "records": [{"industry": "retail", "n": 120}, {"industry": "food", "n": 3}],
        "columns": {"industry": ["retail", "food"], "n": [120, 3]},
        "split": {"columns": ["industry", "n"], "index": [0, 1], "data": [["retail", 120], ["food", 3]]},
        "index": {"n": {"retail": 120, "food": 3}, "m": {"retail": 120, "food": 30}},
        "numbers": {"n": [120, 3]},
    }[form]
    assert worst_outcome(json.dumps(small), "small counts", "table.json") is FAIL


def test_a_parquet_file_leaves_as_a_table_that_the_airlock_wrote() -> None:
    def written(counts: list[int], **notes: str) -> bytes:
        table = pa.table({"industry": ["retail", "food"], "n": counts}).replace_schema_metadata(notes)
        sink = io.BytesIO()
        pq.write_table(table, sink)
        return sink.getvalue()

    assert worst_outcome(written([120, 3]), "small counts", "t.parquet") is FAIL
    assert worst_outcome(written([120, 85], note="x" * 100), "reading", "t.parquet") is FAIL
    judgement = judge({"t.parquet": written([120, 85])})
    assert judgement.verdict.outcome is PASS
    assert judgement.files["t.parquet"].outgoing == b'"industry","n"\n"retail",120\n"food",85\n'
    assert list(judgement.leaving) == ["t.csv", "t.parquet"]
    outgoing = pq.read_table(io.BytesIO(judgement.leaving["t.parquet"]))
    assert outgoing.to_pydict() == {"industry": ["retail", "food"], "n": [120, 85]}
    assert outcome(written([120, 85])[:-9], "t.parquet") is FAIL
    many = io.BytesIO()
    pq.write_table(pa.table({"n": pa.array([50]).take([0] * 3_000_000)}), many, compression="zstd")
    assert outcome(many.getvalue(), "t.parquet") is FAIL, "millions of rows in few bytes"


def test_evidence_names_places_and_never_values() -> None:
    judgement = judge({"t.csv": f"who,n\n{PSEUDONYM},3\n{CODE},4\n13812345678,5\n"})
    verdict_text = json.dumps(judgement.verdict.as_json(), ensure_ascii=False, default=dict)
    for value in (PSEUDONYM, CODE, "13812345678"):
        assert value not in verdict_text
    assert open_findings(judgement, "small counts")[0].evidence["cells"] == ["row 1, n", "row 2, n", "row 3, n"]
    assert "Merge groups" in open_findings(judgement, "small counts")[0].evidence["fix"]
    assert judgement.verdict.thresholds["count_at_least"] == 10
    headed = judge({"t.csv": f"{PSEUDONYM},n\n4,5\n"})
    assert PSEUDONYM not in json.dumps(headed.verdict.as_json(), default=dict)


counts = st.lists(st.integers(2, 4000).map(lambda n: 5 * n), min_size=2, max_size=12)
names = st.sampled_from(["n", "count", "户数", "firms", "n_firms", "数量"])


@given(counts=counts, name=names)
def test_a_table_of_large_rounded_counts_passes(counts: list[int], name: str) -> None:
    table = f"industry,{name}\n" + "".join(f"group {n},{count}\n" for n, count in enumerate(counts))
    judgement = judge({"t.csv": table})
    assert judgement.verdict.passed, [str(each) for each in judgement.verdict.findings if each.outcome is not PASS]


@given(counts=counts, name=names, small=st.integers(1, 9), where=st.integers(0, 12))
def test_one_small_cell_fails_a_table(counts: list[int], name: str, small: int, where: int) -> None:
    counts.insert(where, small)
    table = f"industry,{name}\n" + "".join(f"group {n},{count}\n" for n, count in enumerate(counts))
    judgement = judge({"t.csv": table})
    place = counts.index(small) + 1
    assert open_findings(judgement, "small counts")[0].outcome is FAIL
    assert f"row {place}, {name}" in open_findings(judgement, "small counts")[0].evidence["cells"]


@given(counts=counts, hidden=st.integers(0, 11))
def test_a_total_reveals_a_single_hidden_cell(counts: list[int], hidden: int) -> None:
    counts = [count + 1 for count in counts]  # exact
    hidden %= len(counts)
    cells = ["*" if n == hidden else str(count) for n, count in enumerate(counts)]
    table = "industry,n\n" + "".join(f"group {n},{cell}\n" for n, cell in enumerate(cells)) + f"total,{sum(counts)}\n"
    assert open_findings(judge({"t.csv": table}), "hidden cells")[0].evidence["cells"] == [f"row {hidden + 1}, n"]


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        ("what,retail,food\nn,120,3\nmean,0.3,0.2\n", FAIL),  # on its side
        ("variable,value\nauc,0.74\nn_defaulted,3\n", FAIL),  # long
        ("industry,variable,value\nretail,n,120\nretail,mean,0.3\nfood,n,3\nfood,mean,0.2\n", FAIL),
        ("industry,firms\nretail,120 (97.6%)\nfood,3 (2.4%)\n", FAIL),  # two numbers in a cell
        ("industry,defaulted\nretail,30/120\nfood,3/120\n", FAIL),
        ("行业,户数\n零售,120户\n餐饮,3户\n", FAIL),  # with its unit
        ("industry,count\nretail,n=120\nfood,n=3\n", FAIL),
        ("industry,n\nretail,１２０\nfood,３\n", FAIL),  # full width
        ("industry,n\nretail,1.2e2\nfood,3.0\n", FAIL),
        ("industry,n\nretail,120\nfood,3\nlogistics,see note\n", FAIL),  # a word among counts
        ("industry,n_thousands\nretail,0.12\nfood,0.003\n", FAIL),  # in another unit
        ("industry,level\nretail,120\nfood,3\n", REVIEW),  # named as a key
        ("industry,x\nretail,3\nfood,4\nlogistics,5\n", REVIEW),  # that runs
        ("n\n3\n", FAIL),
        ("decile,n\n1,50\n2,60\n3,70\n", PASS),
        ("year,decile,n\n2021,1,50\n2021,2,60\n2022,1,70\n2022,2,80\n", PASS),
    ],
)
def test_a_small_count_is_detected_in_every_form(table: str, wanted: Outcome) -> None:
    assert worst_outcome(table, "small counts") is wanted


def test_rows_of_subjects_with_an_invented_count_need_review() -> None:
    rows = "firm,n,turnover\n" + "".join(f"the {n}th,50,{n * 7}\n" for n in range(63))
    assert worst_outcome(rows, "counts that add up") is REVIEW
    assert worst_outcome(rows.replace(",50,", ",60,", 1), "counts that add up", subjects=300) is REVIEW
    assert worst_outcome("a,n\nx," + "word " * 60 + "\n", "long cells") is FAIL
    wide = "what," + ",".join(f"f{n}" for n in range(60)) + "\nturnover," + ",".join(str(n * 7) for n in range(60))
    assert worst_outcome(wide, "row-level data") is REVIEW, "a row a subject, on its side"


def test_rows_of_all_tables_of_a_parcel_are_added_up() -> None:
    files = {f"t{n}.csv": "a,n\n" + "x,50\n" * 400 for n in range(6)}
    (finding,) = [
        each for each in open_findings(judge(files), "row-level data") if each.evidence["file"] == "this parcel"
    ]
    assert finding.evidence["rows"] == 2400
