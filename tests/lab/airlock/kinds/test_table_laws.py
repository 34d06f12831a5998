"""A table leaves as its model alone: reading what was written gives the model, and no other change of bytes leaves."""

from __future__ import annotations

import csv
import io
import json
import random
import struct
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from credit.gate import Outcome
from lab.airlock.issue import Issue
from lab.airlock.kinds.file_format import ReadFile
from lab.airlock.kinds.tables.delimited import read_delimited
from lab.airlock.kinds.tables.json_reading import read_json
from lab.airlock.kinds.tables.parquet_reading import read_parquet
from lab.airlock.kinds.tables.table_format import TableFormat
from lab.airlock.kinds.tables.table_model import TableModel
from lab.airlock.thresholds import load
from tests.lab.airlock.gate_runs import judge, open_findings

pytestmark = pytest.mark.attack

LIMITS = load()
FORMATS = {
    "csv": TableFormat(read_delimited),
    "json": TableFormat(read_json),
    "parquet": TableFormat(read_parquet),
}
BANDS = b"band,firms,share\nA,120,0.5\nB,85,0.25\ntotal,205,\n"
cells = st.one_of(
    st.sampled_from(
        ["", "*", "***", "<10", "< 10", "-", "--", "nan", "N/A", "0", "-0.0", "+5", "1,200", "1e2", "01", "007", "10%",
         "1.50 %", "12 (3.40%)", "3/120", "n = 12", "-3%", "a,b", 'a"b', "a;b|c", "x\ty", "合计", "１２０", " a  b "]
    ),
    st.integers(-(10**6), 10**6).map(str),
    st.decimals(-1000, 1000, places=3).map(str),
    st.text("ab零=-+@'\"|;,. \t\u200b１", max_size=4),
)  # fmt: skip
names = st.sampled_from(["band", "n", "份额", "a b", 'a"b', "2023", "x;y", "x|y", ""])


def grids_of(width: int) -> st.SearchStrategy[list[list[str]]]:
    header = st.lists(names, min_size=width, max_size=width, unique=True)
    body = st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=5)
    return st.builds(lambda first, rows: [first, *rows], header, body)


grids = st.integers(1, 4).flatmap(grids_of)


def as_submitted(rows: list[list[str]], *, quoting: int = csv.QUOTE_MINIMAL, delimiter: str = ",") -> bytes:
    stream = io.StringIO()
    csv.writer(stream, quoting=quoting, delimiter=delimiter).writerows(rows)
    return stream.getvalue().encode("utf-8", "surrogatepass")


def model_of(content: bytes, form: str = "csv") -> TableModel:
    read = FORMATS[form].read(content, LIMITS)
    assert isinstance(read, ReadFile), read.why.render()
    return read.model


def read_or_skip(content: bytes, form: str = "csv") -> TableModel:
    read = FORMATS[form].read(content, LIMITS)
    assume(not isinstance(read, Issue))
    assert isinstance(read, ReadFile)
    return read.model


def parquet(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


@given(grids)
def test_what_is_written_reads_back_as_the_same_table_in_both_forms(rows: list[list[str]]) -> None:
    model = read_or_skip(as_submitted(rows))
    written = FORMATS["csv"].write("t.json", model)
    assert list(written) == ["t.csv", "t.parquet"]
    assert model_of(written["t.csv"]) == model
    assert model_of(written["t.parquet"], "parquet") == model
    assert FORMATS["csv"].write("t.csv", model_of(written["t.csv"])) == written


@given(grids, st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]), st.sampled_from(",;|\t"))
def test_quotes_delimiters_line_ends_and_blanks_change_nothing(rows: list[list[str]], quoting: int, by: str) -> None:
    model = read_or_skip(as_submitted(rows))
    padded = [[f"  {cell} " for cell in row] for row in rows]
    other = read_or_skip(as_submitted(padded, quoting=quoting, delimiter=by))
    assume(len(other.columns) == len(model.columns))  # a cell that holds the delimiter may be split by it
    assert FORMATS["csv"].write("t.csv", other) == FORMATS["csv"].write("t.csv", model)


@given(grids, grids)
def test_unequal_tables_are_shown_and_written_unequally(one: list[list[str]], other: list[list[str]]) -> None:
    first, second = read_or_skip(as_submitted(one)), read_or_skip(as_submitted(other))
    form = FORMATS["csv"]
    assert (first == second) == (form.show(first) == form.show(second))
    assert (first == second) == (form.write("t.csv", first)["t.csv"] == form.write("t.csv", second)["t.csv"])
    assert form.show(first).unseen_bytes == 0


@given(st.data())
def test_a_mutated_file_leaves_as_its_model_or_not_at_all(data: st.DataObject) -> None:
    """Real files with bytes changed, put in or taken out: what leaves is what its model says, whatever else it held."""
    frame = {"band": ["A", "B"], "firms": [120, 85], "share": [0.5, None]}
    real = {
        "csv": BANDS,
        "json": json.dumps([dict(zip(frame, row, strict=True)) for row in zip(*frame.values(), strict=True)]).encode(),
        "parquet": parquet(pa.table(frame)),
    }
    form = data.draw(st.sampled_from(sorted(real)))
    content = bytearray(real[form])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content)))
        match data.draw(st.integers(0, 2)):
            case 0:
                content[place : place + 1] = data.draw(st.binary(min_size=1, max_size=1))
            case 1:
                del content[place : place + data.draw(st.integers(1, 8))]
            case 2:
                content[place:place] = data.draw(st.sampled_from([b" ", b"\t", b"\n", b"\r\n", b"\xe2\x80\x8b", b"0"]))
    model = read_or_skip(bytes(content), form)
    written = FORMATS[form].write("t.csv", model)
    assert model_of(written["t.csv"]) == model
    if model == model_of(real[form], form):
        assert written == FORMATS[form].write("t.csv", model_of(real[form], form))


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + BANDS,
        BANDS.replace(b"\n", b"\r\n"),
        BANDS.replace(b",", b"\t"),
        BANDS.replace(b"0.5", b"0.500").replace(b"0.25", b"2.5e-1"),
        BANDS.replace(b"120", b"+120.0"),
        BANDS.replace(b"A,", "Ａ,".encode()),
        BANDS.replace(b"205,", b"205,NaN"),
        BANDS + b"\n\n\n",
        b'"band",firms  ,share\n A,120,.5\n"B",85,0.25\n  total\t,205,  \n',
    ],
)
def test_other_spellings_of_a_table_are_the_same_table(content: bytes) -> None:
    assert model_of(content) == model_of(BANDS)


def test_numbers_have_one_precision_a_column_and_labels_stay_labels() -> None:
    model = model_of(b"code,x,y,z\n01,1,-0.0,3\n02,0.25,0,*\n10,,1,5\n")
    assert [column.type for column in model.columns] == ["label", "number .2", "integer", "label"]
    written = FORMATS["csv"].write("t.csv", model)["t.csv"]
    assert written == b'"code","x","y","z"\n"01",1.00,0,"3"\n"02",0.25,0,"*"\n"10",,1,"5"\n'
    assert model.columns[1].cells == (Decimal(1), Decimal("0.25"), None)


@pytest.mark.parametrize(
    "label", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "＝1+1", " =1", "\t=1", "-a", "+", "﹢1+1", "﹫x"]
)
@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_no_label_and_no_column_leaves_as_a_formula(label: str, form: str) -> None:
    def content(name: str, cell: str) -> bytes:
        frame = {name: ["x", cell], "n": [50, 60]}
        if form == "csv":
            return as_submitted([list(frame), *map(list, zip(frame[name], ["50", "60"], strict=True))])
        return json.dumps(frame).encode() if form == "json" else parquet(pa.table(frame))

    for name, cell in (("band", label), (label, "x")):
        assert isinstance(FORMATS[form].read(content(name, cell), LIMITS), Issue)


def nested(kind: pa.DataType, value: object) -> bytes:
    return parquet(pa.table({"a": pa.array([value], kind), "n": [50]}))


REFUSED = {
    "a member twice": ("json", b'[{"a": "x", "n": 50, "n": 60}]'),
    "a list in a cell": ("json", b'[{"a": ["x"], "n": 50}]'),
    "a record in a cell": ("json", b'[{"a": {}, "n": 50}]'),
    "an unknown member": ("json", b'{"columns": ["n"], "data": [[50]], "note": "x"}'),
    "values after the end": ("json", b'[{"n": 50}] 1'),
    "a number without end": ("json", b'[{"n": 1e999}]'),
    "an infinity": ("json", b'[{"n": Infinity}]'),
    "a list": ("parquet", nested(pa.list_(pa.int64()), [1])),
    "a null struct with a name": ("parquet", nested(pa.struct([("secret", pa.int8())]), None)),
    "a map": ("parquet", nested(pa.map_(pa.string(), pa.int8()), [("x", 1)])),
    "bytes": ("parquet", nested(pa.binary(), b"x")),
    "notes": ("parquet", parquet(pa.table({"n": [50]}).replace_schema_metadata({"note": "x"}))),
    "notes of a column": (
        "parquet", parquet(pa.table([[50]], schema=pa.schema([pa.field("n", pa.int64(), metadata={"k": "v"})]))),
    ),
    "a number of a column": (
        "parquet",
        parquet(pa.table([[50]], schema=pa.schema([pa.field("n", pa.int64(), metadata={"PARQUET:field_id": "7"})]))),
    ),
    "columns of one name": ("parquet", parquet(pa.table([[50], [60]], names=["n", "n "]))),
    "two header rows": ("csv", b",firms,firms\n,count,mean\nretail,120,0.3\n"),
    "no header": ("csv", b"3\n120\n"),
    "a zero before a number": ("csv", b"a,n\nx,050\ny,60\nz,7\n"),
    "a zero-width blank": ("csv", "a,n\nre\u200btail,50\n".encode()),
    "a letter of another script": ("csv", "a,n\nr\u0435tail,50\n".encode()),
    "another encoding": ("csv", "a,n\n企业,50\n".encode("gb18030")),
    "a number of forty digits": ("csv", b"a,n\nx,1234567890123456789012345678901234567890\n"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_table_has_no_place_for_is_refused_by_name(what: str) -> None:
    form, content = REFUSED[what]
    judgement = judge({f"t.{form}": content})
    findings = [each for each in judgement.verdict.findings if each.outcome is Outcome.FAIL]
    assert findings
    assert all(each.evidence["fix"] for each in findings)


@given(st.integers(1, 2**52 - 1), st.booleans())
def test_the_payload_of_a_nan_does_not_leave(payload: int, negative: bool) -> None:
    bits = struct.pack("<Qd", payload | 0x7FF << 52 | negative << 63, 2.0)
    values = pa.Array.from_buffers(pa.float64(), 2, [None, pa.py_buffer(bits)])
    plain = pa.table({"a": ["x", "y"], "m": pa.array([None, 2.0])})
    hidden = pa.table({"a": ["x", "y"], "m": values})
    written = [FORMATS["parquet"].write("t", read_or_skip(parquet(each), "parquet")) for each in (plain, hidden)]
    assert written[0] == written[1]


@pytest.mark.parametrize("alphabet", ["abcdefghijklmnop", "0123456789abcdefghijklmnopqrstuvwxyz"])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=5)
def test_labels_of_random_letters_are_for_reviewers_and_many_are_refused(alphabet: str, seed: int) -> None:
    def verdict(rows: int) -> Outcome:
        draw = random.Random(seed)
        labels = ["".join(draw.choices(alphabet, k=16)) for _ in range(rows)]
        content = "\n".join(["band,n", *(f"{label},{50 + number}" for number, label in enumerate(labels))])
        findings = judge({"t.csv": content.encode()}).verdict.findings
        return max((each.outcome for each in findings if each.check == "words"), key=list(Outcome).index)

    assert verdict(20) is Outcome.REVIEW
    assert verdict(150) is Outcome.FAIL


def test_two_files_that_would_leave_under_one_name_are_refused() -> None:
    judgement = judge({"t.csv": b"a,n\nx,50\n", "t.json": b'[{"a": "x", "n": 50}]'})
    assert [each.outcome for each in open_findings(judgement, "name")] == [Outcome.FAIL]
