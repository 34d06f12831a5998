"""A hostile report in a real browser: nothing runs, nothing is loaded, and the words are on the page as words."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from serving.endpoints.reports import report_html
from serving.endpoints.reports.report_form import Report, ReportEntry, ReportItem, ReportSection, clean

pytestmark = [pytest.mark.servers, pytest.mark.attack]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
HOSTILE = (
    "<script>document.title='run'</script><img src='http://127.0.0.1:9/x' onerror=\"document.title='run'\">"
    "<style>@import 'http://127.0.0.1:9/y'</style><base href='http://127.0.0.1:9/'>{{7*7}}<svg onload=document.title=1>"
)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is on this machine")
def test_nothing_runs_and_nothing_is_loaded(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    words, day = clean(HOSTILE), date(2026, 11, 1)
    part = ReportSection(
        "penalties", words, "Penalties", 1, (ReportItem(words, words, (ReportEntry(words, words),)),), words
    )
    report = Report("n", words, "c", words, day, day, day, True, True, words, "s", "r", "k", ((words, False),),
                    (ReportEntry(words, words),), (part,), {"zh": words, "en": words})  # fmt: skip
    (tmp_path / "report.html").write_bytes(report_html.draw(report))
    requested: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: requested.append(request.url))
        answer: list[Any] = []
        page.on("console", lambda line: answer.append(line.text))
        page.goto((tmp_path / "report.html").as_uri())
        page.wait_for_timeout(500)
        assert page.title() == "公共信用报告 n"
        assert page.locator("h2.name").inner_text() == words
        assert page.locator("script, img, iframe, base, svg").count() == 0
        assert page.locator("main").evaluate("e => getComputedStyle(e).maxWidth") == "960px"  # our own style holds
        browser.close()
    assert requested == [(tmp_path / "report.html").as_uri()]
    assert answer == []
