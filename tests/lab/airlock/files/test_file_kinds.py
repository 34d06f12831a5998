"""Notebooks, text and file names: only known formats leave, with content that a person can read."""

from __future__ import annotations

import base64
import io
import json
import pickle
import zipfile

import pytest

from credit.gate import Outcome
from credit.uscc import compose
from lab.airlock.gate import judge_parcel
from tests.lab.airlock.gate_runs import PSEUDONYM, judge, open_findings, outcome, worst_outcome

pytestmark = pytest.mark.attack

PASS, REVIEW, FAIL = Outcome.PASS, Outcome.REVIEW, Outcome.FAIL
CODE = compose("92", "120116", "MA05JKLM").code
BLOB = base64.b64encode(bytes(range(256))).decode()


def zipped() -> bytes:
    """A workbook that unpacks to 50 MB; it is compressed at level 1 because it is made at collection time."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/workbook.xml", bytes(50_000_000))
    return sink.getvalue()


WORKBOOK = zipped()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.xlsx", WORKBOOK),
        ("t.csv", WORKBOOK),
        ("m.pkl", pickle.dumps({"a": 1})),
        ("m.pkl", pickle.dumps([1, 2], protocol=0)),
        ("m.joblib", b"x\x9c\x00\x01\xff"),
        ("m.onnx", b"\x08\x07\x12\x0bskl2onnx\x1a"),
        ("a.pdf", b"%PDF-1.7\n1,2\n"),
        ("a.npy", b"\x93NUMPY\x01\x00"),
        ("a.html", b"<!doctype html><script>1</script>"),
        ("a.csv", b"<html>a,b\n1,2</html>"),
        ("a.csv", b"a,b\n1,2\n\x00\x01"),
        ("a.csv", "a,b\n企业,50\n".encode("gb18030")),
        ("a.csv", "a,n\nx,50\n".encode("utf-16")),
        ("a.csv", b""),
        ("a.csv", b"a,n\nx,50\ny\n"),
        ("a.csv", b'a,n\n"x,50\n'),
        ("a.png", b"industry,n\nretail,50\n"),
        ("a.exe", b"industry,n\nretail,50\n"),
        ("a", b"industry,n\nretail,50\n"),
        ("a.csv", b"\x89PNG\r\n\x1a\n"),
        ("a.json", b'{"n": 50'),
        ("a.parquet", b"PAR1" + bytes(50) + b"PAR1"),
    ],
)
def test_unknown_formats_are_refused_with_a_fix(name: str, content: bytes) -> None:
    judgement = judge({name: content})
    assert judgement.verdict.outcome is FAIL
    assert all(each.evidence["fix"] for each in judgement.verdict.findings if each.outcome is FAIL)


@pytest.mark.parametrize(
    "name",
    [
        "../t.csv", "/etc/t.csv", "a/b.csv", "a\\b.csv", "..", ".t.csv", "t.csv ", "t\n.csv", "t\u202evsc.csv",
        "t\u200b.csv", "\uff54.csv", "t\u0301.csv", "тable.csv", "manifest.json", "MANIFEST.JSON", "t.csv\x00.png",
        "x" * 200 + ".csv",
        "a  b.csv", "龘.csv", "", f"{PSEUDONYM}.csv", f"{CODE}.csv", "13812345678.csv", "~t.csv", "$(x).csv", "-rf.csv",
    ],
)  # fmt: skip
def test_file_names_must_be_plain(name: str) -> None:
    judgement = judge({name: b"industry,n\nretail,50\n"})
    assert open_findings(judgement, "name")[0].outcome is FAIL
    verdict_text = json.dumps(judgement.verdict.as_json(), ensure_ascii=False, default=dict)
    assert not name or name not in verdict_text or name == "..", "not even told again"


def test_a_parcel_is_limited_in_number_and_size_of_files_and_describes_each() -> None:
    safe = b"industry,n\nretail,50\n"
    assert judge({"行业 户数 (2026).csv": safe}).verdict.passed
    assert open_findings(judge({}), "size")[0].outcome is FAIL
    assert open_findings(judge({f"t{n}.csv": safe for n in range(1000)}), "size")[0].outcome is FAIL
    large = bytes(17 << 20)
    assert open_findings(judge({"t.csv": large}), "size")[0].outcome is FAIL
    assert open_findings(judge({f"t{n}.csv": large for n in range(5)}), "size")[0].outcome is FAIL
    assert open_findings(judge({"a.csv": safe, "A.csv": safe}), "name")[0].outcome is FAIL
    assert judge({"t.csv": safe}, what=f"the firm {CODE}").verdict.outcome is FAIL, "the context leaves too"
    judgement = judge_parcel({"t.csv": safe})
    assert judgement.verdict.outcome is REVIEW, "nothing is told of it"


@pytest.mark.parametrize(
    ("check", "text", "wanted"),
    [
        ("identifiers", f"the firm {PSEUDONYM.upper()} is odd", FAIL),
        ("identifiers", f"the firm {CODE[:9]} {CODE[9:]} is odd", FAIL),
        ("identifiers", "call １３８１２３４５６７８", FAIL),
        ("digits", "account 622202123456789", FAIL),
        ("digits", "the score is 0.12345678901234", FAIL),
        ("digits", "the AUC is 0.7412 on 20261124", PASS),
        ("blobs", BLOB, FAIL),
        ("blobs", bytes(range(60)).hex(" "), FAIL),
        ("blobs", "".join(f"\\x{n:02x}" for n in range(60)), FAIL),
        ("blobs", "A title\n" + "=" * 100 + "\n" + "-" * 100, PASS),
        ("blobs", "a_function_whose_name_is_so_long_that_nobody_can_remember_it_at_all_really", PASS),
        ("blobs", "x = '" + "many words " * 300 + "'", REVIEW),
    ],
)  # fmt: skip
def test_deceptive_text_is_detected(check: str, text: str, wanted: Outcome) -> None:
    assert worst_outcome(text, check, "notes.md") is wanted


def test_a_table_inside_a_text_is_checked_as_a_table() -> None:
    printed = "Results\n   industry    n\n0    retail  120\n1      food    3\n2 logistics  240\n3     other   80\n"
    for name in ("notes.txt", "notes.md"):
        judgement = judge({name: printed})
        assert open_findings(judgement, "small counts")[0].evidence["cells"] == ["row 2, n"]
    scores = "\n".join(f"{n / 997:.4f}" for n in range(300))
    assert worst_outcome(f"# scores\n{scores}\n", "row-level data", "notes.md") is FAIL
    assert (
        outcome("# A report\n\nThe AUC is 0.74 and the KS is 0.35.\n\n- one\n- two\n- three\n- four\n", "r.md") is PASS
    )
