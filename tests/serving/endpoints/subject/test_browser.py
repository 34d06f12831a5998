"""The subject's page in a real browser, in two languages and two widths: nothing spills, and all of it works."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from serving_service_process import free_port, serving
from serving_world import codes

from credit.subjects import SubjectKey
from serving.app.wiring import open_applications
from serving.store.store import open_store

pytestmark = pytest.mark.servers
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PICTURES = os.environ.get("HAIHE_PICTURES", "")  # a folder to keep pictures of the pages in
FIRM = codes("enterprise", 1)[0]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is on this machine")
def test_a_subject_opens_its_page_agrees_and_withdraws(world: Any, template: Any) -> None:
    import httpx
    from playwright.sync_api import sync_playwright

    subject: SubjectKey = world.pseudonyms.key_of(FIRM)
    mandate = world.grant("bohai", FIRM).id
    store = open_store(world.settings().store_place)
    applications = open_applications(world.settings(), store)
    # Before Playwright has a loop in this thread, which must not wait for the store.
    links = {language: applications.sessions.make_link(subject.hex, FIRM) for language in ("zh", "en")}
    with serving(world, free_port(), HAIHE_SERVICE_CHORES="no") as (url, _, _), sync_playwright() as play:
        form = {"grant_type": "client_credentials"}
        token = httpx.post(f"{url}/oauth2/token", data=form, auth=("bohai", template[1]["bohai"])).json()
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        request = {"uscc": FIRM, "purpose": "credit_granting"}
        score = httpx.post(f"{url}/v1/scores", json={**request, "mandate": mandate}, headers=bearer)
        assert score.status_code == 200, score.text
        wanted = {**request, "until": "2027-01-31", "evidence": "page"}
        for _ in range(2):
            assert httpx.post(f"{url}/v1/mandates", json=wanted, headers=bearer).status_code == 200
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        complaints: list[str] = []
        for language in ("zh", "en"):
            page = browser.new_page(locale=language, viewport={"width": 1280, "height": 900})
            page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
            page.goto(f"{url}/subject?lang={language}")
            keep(page, f"subject-entrance-{language}")
            page.goto(f"{url}/subject/open/{links[language]}?lang={language}")
            page.locator("button").click()
            page.get_by_text("bohai").first.wait_for()
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                keep(page, f"subject-{language}-{width}")
            page.locator("button[value=confirm]").first.click()
            page.locator("[role=status]").wait_for()
            keep(page, f"subject-agreed-{language}")
            assert complaints == []
            page.close()
        browser.close()
    store.close()


def keep(page: Any, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
