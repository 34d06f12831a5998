"""A report holds every record that may be shown, no record's text becomes markup or code, and a changed byte
is noticed.
"""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from serving_credit_files import FIRM, RECORDS, SHOP, UNKNOWN, headers, penalty, register, shelve
from serving_evaluations import sheet_of
from serving_world import PURPOSE

from credit.canonical import digest
from credit.errors import Broken
from serving.audit.signatures import verify
from serving.endpoints.reports import report_html, report_pdf
from serving.endpoints.reports.report_form import (
    MAX_RECORDS,
    MAX_VALUE_LENGTH,
    Report,
    ReportEntry,
    ReportItem,
    ReportSection,
    clean,
)

PAYLOADS = {
    "template": "{{7*7}}{% for x in range(99) %}A{% endfor %}{{ ''.__class__.__mro__ }}",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" \'',
    "markup of the PDF": '<img src="/etc/hostname"/><a href="http://127.0.0.1:1/">x</a><para>',
    "unclosed": "</b></para><font color=red",
    "path": "../../../../etc/passwd",
    "lines": "甲\r\nX-Injected: 1\r\n\r\n乙\x00丙\x1b[31m",
    "bidi": "abc\u202egnp.exe\u2066\u2069\u200f\ufeff",
    "long": "很长的名称" * 4000,
    "entity": "&lt;script&gt;&amp;&#60;",
    "outside the font": "𠮷野家😀\U0010ffff",
}


@pytest.fixture
def reporting(world: Any, serve: Any) -> Any:
    """The service with dossiers in which one firm's every word is a payload."""
    attacks = [penalty(f"罚{n}号{text}", facts=text) for n, text in enumerate(PAYLOADS.values())]
    hostile = register("".join(PAYLOADS.values())) | {"administrative_penalty": attacks}
    shelve(world, RECORDS | {UNKNOWN: hostile})
    with serve() as running:
        yield running


def get(running: Any, code: str = FIRM, **more: str) -> Any:
    return running.http.get(f"/v1/reports/{code}", params=more, headers=headers(running))


def test_a_report_in_three_forms_is_signed_numbered_and_in_the_ledger(reporting: Any, tmp_path: Path) -> None:
    world = reporting.world
    for form, media, start in (("html", "text/html", b"<!DOCTYPE"), ("pdf", "application/pdf", b"%PDF-"),
                               ("json", "application/json", b"{")):  # fmt: skip
        response = get(reporting, format=form)
        assert (response.status_code, response.headers["content-type"].partition(";")[0]) == (200, media)
        assert response.content.startswith(start)
        verify(response.content, response.headers["x-jws-signature"], world.ring)
        (entry,) = world.ledger.about(response.headers["x-report-number"])
        assert (entry.verb, entry.details["digest"]) == ("report.answered", digest(response.content))
        changed = bytearray(response.content)
        changed[len(changed) // 2] ^= 1
        with pytest.raises(Broken):
            verify(bytes(changed), response.headers["x-jws-signature"], world.ring)
        accepted = {"Accept": f"{media};q=0.9, */*"}
        negotiated = reporting.http.get(f"/v1/reports/{FIRM}", headers=headers(reporting, **accepted))
        assert negotiated.headers["content-type"].partition(";")[0] == media
    answer = get(reporting, format="json").json()
    assert answer["check"] not in (world.root / "ledger.jsonl").read_text()
    assert {part["name"]: part["total"] for part in answer["parts"]} == {
        "registration": 1, "licences": 25, "penalties": 2, "black-list": 0, "contracts": 0,
    }  # fmt: skip
    assert answer["evaluation"] == []


def test_the_mandate_opens_the_rest_and_the_evaluation(reporting: Any) -> None:
    own = {"purpose": PURPOSE, "mandate": reporting.world.grant("bohai", FIRM).id, "format": "json"}
    answer = get(reporting, **own).json()
    assert {part["name"]: part["total"] for part in answer["parts"]}["contracts"] == 1
    grade = sheet_of("enterprise", 0)["grade"]
    assert {"title": "评价等级", "value": grade} in answer["evaluation"]
    assert get(reporting, SHOP).status_code == 403
    assert get(reporting, SHOP, **own).status_code == 403


@pytest.mark.attack
def test_who_draws_may_fall_and_nothing_of_the_service_falls_with_it(reporting: Any) -> None:
    assert get(reporting, format="pdf").status_code == 200
    drawer = reporting.http.app.app.state.drawer
    drawer._process.kill()
    drawer._process.wait()
    assert get(reporting, format="pdf").status_code == 200  # another draws
    drawer.seconds = 0.0
    response = get(reporting, format="pdf")
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert reporting.world.ledger.about(response.json()["score_id"])[0].details["status"] == 503
    drawer.seconds = 30
    assert get(reporting, format="pdf").status_code == 200


@pytest.mark.attack
def test_no_words_of_a_record_become_markup_or_code(reporting: Any) -> None:
    page = get(reporting, UNKNOWN, format="html")
    text = page.text
    assert "{{7*7}}" in text
    assert "49AAA" not in text
    assert not re.search(r"<(script|img|a|iframe|font|para|object|link)\b", text)
    assert "&lt;script&gt;alert(1)" in text
    assert not set(text) & set("\u202e\u2066\u2069\u200f\ufeff\x00\x1b")
    assert "x-injected" not in page.headers
    assert max(map(len, re.findall(r"<bdi>(.*?)</bdi>", text))) < MAX_VALUE_LENGTH * 6
    csp = page.headers["content-security-policy"]
    assert "default-src 'none'" in csp
    assert "sandbox" in csp
    assert "unsafe" not in csp
    document = get(reporting, UNKNOWN, format="pdf")
    assert document.status_code == 200
    assert document.content.startswith(b"%PDF-")
    for word in (b"/URI", b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/XObject /"):
        assert word not in document.content


@pytest.mark.attack
@pytest.mark.parametrize(
    "path",
    ["..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "{{7*7}}", "%00", "<script>", FIRM + "%0d%0aX-A:1",
     FIRM + "/../" + SHOP, "..", "．．／", FIRM.lower() + ".html", "a" * 5000],
)  # fmt: skip
def test_a_path_that_is_no_code_leads_nowhere(reporting: Any, path: str) -> None:
    response = reporting.http.get(f"/v1/reports/{path}", headers=headers(reporting))
    assert response.status_code in (404, 422, 403), path
    assert response.headers["content-type"] == "application/problem+json"
    assert "passwd" not in response.text
    assert "x-a" not in response.headers


@pytest.mark.attack
def test_parameters_are_known_once_and_short(reporting: Any) -> None:
    auth = headers(reporting)
    for query in ("format=docx", "format=../html", "format=html&format=pdf", "x=1", f"mandate={'m' * 300}"):
        response = reporting.http.get(f"/v1/reports/{FIRM}?{query}", headers=auth)
        assert response.status_code == 422, query
        assert FIRM not in response.text
    assert reporting.http.get(f"/v1/reports/{FIRM}").status_code == 401


@given(st.text())
@example("0 \x1f 0")
@example("e\u200d\u0301")
def test_cleaned_words_are_one_line_of_what_is_seen(text: str) -> None:
    answer = clean(text)
    assert len(answer) <= MAX_VALUE_LENGTH
    assert answer == clean(answer)
    assert answer.isprintable()


def invented(words: str, items: int = 3) -> Report:
    entries = (
        ReportEntry("甲", clean(words)),
        ReportEntry("乙", "短"),
        ReportEntry("丙", clean(words)),
        ReportEntry("丁", "2026-01-01"),
    )
    part = ReportSection(
        "penalties", "行政处罚", "Penalties", items, (ReportItem("行政处罚", "罚1号", entries),) * items, ""
    )
    day = date(2026, 11, 1)
    return Report("n", clean(words) or "无名", FIRM, "企业", day, day, day, True, True, "标准", "snapshot-1",
                  "release-1", "CHECK", (("失信惩戒对象", False),), entries, (part,),
                  {"zh": "注", "en": "note"})  # fmt: skip


@settings(max_examples=30)
@given(st.text(max_size=400))
def test_any_words_are_drawn_in_both_forms(words: str) -> None:
    report = invented(words)
    assert report_pdf.draw(report).startswith(b"%PDF-")
    assert report_html.draw(report).count(b"<article>") == 4


def test_the_same_report_is_the_same_bytes_and_a_long_one_is_whole() -> None:
    report = invented("海河" * 300, MAX_RECORDS)
    drawn = report_pdf.draw(report)
    assert drawn == report_pdf.draw(replace(report))
    assert report_html.draw(report) == report_html.draw(replace(report))
    code = (
        "import sys; from serving.endpoints.reports import pdf_process; "
        "sys.stdout.buffer.write(pdf_process._work(sys.stdin.buffer.read()))"
    )
    other = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(report), capture_output=True, check=True)
    assert other.stdout == drawn, "also in another process"


@pytest.mark.attack
def test_the_command_verifies_a_report_offline_and_refuses_another(reporting: Any, tmp_path: Path) -> None:
    response = get(reporting, format="pdf")
    (tmp_path / "report.pdf").write_bytes(response.content)
    (tmp_path / "headers.txt").write_text("".join(f"{name}: {value}\n" for name, value in response.headers.items()))
    command = [sys.executable, "-m", "infra.haihe", "verify-report", str(tmp_path / "report.pdf"),
               str(tmp_path / "headers.txt"), "--ring", str(reporting.world.root / "ring")]  # fmt: skip
    assert subprocess.run(command, capture_output=True, text=True).returncode == 0
    (tmp_path / "report.pdf").write_bytes(response.content + b"\n")
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (Broken.exit_code, False)
