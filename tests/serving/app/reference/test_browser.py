"""A developer's first minute in a real browser: the reference is drawn, nothing foreign is loaded, a score is tried."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from serving_credit_files import shelve
from serving_service_process import free_port, serving
from serving_world import PURPOSE, codes

from credit.keys import create_secret

pytestmark = pytest.mark.servers
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PICTURES = os.environ.get("HAIHE_PICTURES", "")  # a folder to keep pictures of the pages in


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is on this machine")
def test_a_score_is_tried_in_the_reference(world: Any, template: Any, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    secret = world.root / "keys" / "pseudonym-inquiry.key"
    if not secret.exists():
        create_secret(secret)
    shelve(world)
    code = codes("enterprise", 1)[0]
    body = {"uscc": code, "purpose": PURPOSE, "mandate": world.grant("bohai", code).id}
    with serving(world, free_port()) as (url, _, _), sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(locale="en", viewport={"width": 1280, "height": 900})
        loaded, complaints = [], []
        page.on("request", lambda request: loaded.append(request.url))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.goto(f"{url}/docs")
        page.locator("#operations-score-scores").wait_for()
        keep(page, "reference-en")
        page.get_by_role("button", name="Authorize").first.click()
        page.locator("#client_id_bank_oauth2_clientCredentials, [id^=client_id]").first.fill("bohai")
        page.locator("[id^=client_secret]").first.fill(template[1]["bohai"])
        page.locator("label[for^=score-]").first.click()
        keep(page, "reference-authorize")
        page.locator(".auth-btn-wrapper button.authorize").click()
        page.get_by_text("Logout").wait_for()
        page.locator(".auth-btn-wrapper .btn-done").click()
        page.locator("#operations-score-scores .opblock-summary-control").click()
        page.get_by_role("button", name="Try it out").click()
        page.locator("#operations-score-scores textarea.body-param__text").fill(json.dumps(body))
        page.locator("#operations-score-scores button.execute").click()
        answer = page.locator("#operations-score-scores .live-responses-table .response-col_status").nth(1)
        answer.wait_for()
        keep(page, "reference-tried")
        assert answer.inner_text().startswith("200"), page.locator(".live-responses-table").inner_text()
        assert code in page.locator("#operations-score-scores .live-responses-table").inner_text()
        for width in (1280, 390):
            narrow = browser.new_page(locale="zh-CN", viewport={"width": width, "height": 900})
            narrow.goto(f"{url}/docs")
            narrow.locator("#operations-score-scores").wait_for()
            assert "按统一社会信用代码评分" in narrow.locator("#operations-score-scores").inner_text()
            assert narrow.evaluate("document.documentElement.scrollWidth") <= width
            keep(narrow, f"reference-zh-{width}")
        browser.close()
    assert {address.split("/")[2] for address in loaded if not address.startswith("data:")} == {url.split("/")[2]}
    assert complaints == []


def keep(page: Any, name: str) -> None:
    """Keep a picture of the page where a person asked for one."""
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))
