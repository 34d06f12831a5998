"""For any bytes in a file the gate gives a verdict in bounded time and does not raise."""

from __future__ import annotations

import io
import json
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.gate import Outcome
from tests.lab.airlock.files.test_pictures import drawing, jpeg, png
from tests.lab.airlock.gate_runs import judge, outcome
from tests.lab.airlock.kinds.models.sealed_versions import features, version_files
from tests.lab.airlock.kinds.texts.text_seeds import CODE, NOTEBOOK, QUERY

pytestmark = pytest.mark.attack

MODEL = version_files(*features())["model.txt"].decode()


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"industry": ["retail", "food"], "n": [120, 85]}), sink)
    return sink.getvalue()


SEEDS = {
    "t.csv": b"industry,n,share\nretail,120,0.3\nfood,85,*\ntotal,205,0.5\n",
    "t.json": json.dumps([{"industry": "retail", "n": 120}, {"industry": "food", "n": [85]}]).encode(),
    "t.parquet": parquet(),
    "f.png": png(),
    "f.jpg": jpeg(),
    "f.svg": drawing("<circle r='1'/><path d='M 1 2 L 3 4'/>").encode(),
    "n.ipynb": NOTEBOOK,
    "c.py": CODE.encode(),
    "q.sql": QUERY.encode(),
    "m.txt": MODEL.encode(),
    "m.json": b'{"version": "version-' + b"0" * 64 + b'"}',
    "r.md": b"# A\n\n| a | n |\n|---|---|\n| x | 50 |\n| y | 60 |\n| z | 70 |\n| w | 80 |\n",
}
cells = st.one_of(
    st.sampled_from(
        ["", "*", "<10", "total", "1e400", "-1e400", "nan", "inf", "1,000", "%", ".", "-", "3/0", "(3)", "1e-400"]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.text(max_size=6),
)


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_gets_a_verdict(name: str, data: st.DataObject) -> None:
    content = bytearray(SEEDS[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.integers(0, 2)):
            case 0:
                content[place] = data.draw(st.integers(0, 255))
            case 1:
                del content[place : place + data.draw(st.integers(1, 40))]
            case 2:
                content[place:place] = data.draw(st.binary(max_size=20))
        content = content or bytearray(b"x")
    judgement = judge({name: bytes(content)})
    json.dumps(judgement.verdict.as_json(), default=dict, allow_nan=False)


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300), name=st.sampled_from(list(SEEDS)))
def test_any_bytes_get_a_verdict(content: bytes, name: str) -> None:
    assert judge({name: content}).verdict.findings


tables = st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1))
plain = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5)
nested = st.recursive(plain, lambda x: st.lists(x, max_size=4) | st.dictionaries(st.text(max_size=5), x, max_size=4))


@settings(max_examples=150, deadline=None)
@given(tables)
def test_any_table_gets_a_verdict_also_next_to_any_other(table: list[list[str]]) -> None:
    text = "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table)
    judge({"a.csv": text, "b.csv": "industry,n\nretail,120\n" + text, "c.json": json.dumps(table)})


@settings(max_examples=100, deadline=None)
@given(nested)
def test_any_json_gets_a_verdict(value: object) -> None:
    judge({"a.json": json.dumps(value), "b.json": json.dumps({"x": [value, value]})})


@settings(max_examples=100, deadline=None)
@given(number=st.from_regex(r"-?\d{1,3}(\.\d{1,3})?[eE][+-]?\d{1,25}", fullmatch=True))
def test_any_exponent_gets_a_verdict(number: str) -> None:
    judge({"a.json": f'[{{"g": "a", "n": {number}}}]', "b.csv": f"g,n\na,{number}\n"})


LARGE = {
    "many columns": ("t.csv", ",".join(f"c{n}" for n in range(40_000)) + "\n" + ",".join(["*"] * 40_000)),
    "many hidden cells": ("t.csv", "a,b,c,total\n" + "*,*,*,50\n" * 2000),
    "many lines": ("t.csv", "a,n\n" + "x,50\n" * 1_000_000),
    "one long line": ("t.csv", "a,n\n" + "x" * 5_000_000 + ",50\n"),
    "quotes": ("t.csv", '"' * 3_000_000),
    "nested": ("t.json", "[" * 200_000 + "]" * 200_000),
    "nested in rows": ("t.json", '[{"a":' * 15 + "1" + "}]" * 15),
    "a text of digits": ("t.md", "1 " * 2_000_000),
    "a text of hexadecimal": ("t.md", "ab " * 1_500_000),
    "quoted strings": ("t.py", "'a" * 500_000),
    "a text of blanks": ("t.md", " " * 3_000_000),
    "a text of bars": ("t.md", "|" * 1_000_000 + "\n" + "- | " * 200_000),
    "a model of one line": ("m.txt", "tree\nversion=v4\nfeature_names=" + "a " * 2_000_000),
    "a drawing of one path": ("f.svg", drawing("<path d='" + "M 1.5 2.5 " * 300_000 + "'/>")),
    "a drawing of attributes": ("f.svg", drawing("<g " + " ".join(f"a{n}='1'" for n in range(100_000)) + "/>")),
}


@pytest.mark.parametrize("large", LARGE)
def test_a_file_made_to_take_long_gets_a_verdict_in_bounded_time(large: str) -> None:
    name, text = LARGE[large]
    began = time.process_time()
    assert outcome(text, name) is not Outcome.PASS or large == "nested in rows"
    assert time.process_time() - began < 20
