"""No output, markdown or notebook of a hostile kernel navigates, downloads, opens, submits or loads in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.lab.workspace.browser_page import run
from tests.lab.workspace.conftest import Lab
from tests.lab.workspace.escape_watch import EscapeTrial, EscapeWatch
from tests.lab.workspace.output_escapes import ACTS, SINK, escapes
from tests.lab.workspace.workspace_client import WorkspaceClient

pytestmark = [pytest.mark.servers, pytest.mark.attack]
LOOKS = """import pandas as pd, matplotlib.pyplot as plt
frame = pd.DataFrame({"district": ["Heping", "Nankai"], "firms": [120, 85]})
display(frame, frame.style.highlight_max(subset=["firms"], color="gold"))
figure, axes = plt.subplots(figsize=(3, 2)); axes.plot([1, 3, 2]); plt.show()
print("drawn")"""
GOLD = "[...document.querySelectorAll('.jp-OutputArea td')].some(e => getComputedStyle(e).backgroundColor === 'rgb(255, 215, 0)')"


def test_no_output_of_a_kernel_acts(lab: Lab, alice: WorkspaceClient, browser: Browser) -> None:
    tried = list(escapes(2 * len(ACTS)))
    trial = EscapeTrial(browser, lab.url, lab.home, alice)
    try:
        assert trial.try_outputs(tried) > len(tried) / 2, "the outputs are there"
        assert trial.watch.seen == []
        assert "drawn" in run(trial.page, LOOKS)
        assert trial.page.locator(".jp-OutputArea table.dataframe").count() >= 1
        assert trial.page.evaluate(GOLD), "a styled table keeps its look"
        assert trial.page.locator(".jp-OutputArea img[src^='data:image/png']").count() >= 1, "a figure is shown"
        assert trial.try_notebook(tried[:40]) > 40, "the notebook is there"
        assert trial.watch.seen == []
    finally:
        trial.close()


def test_the_same_outputs_act_in_a_page_that_renders_them_as_they_are(browser: Browser) -> None:
    """What the watch sees where nothing is rewritten: without this, that nothing was seen would say nothing."""
    page = browser.new_page()
    page.route("**/*", lambda route: route.fulfill(body="<p>here</p>", content_type="text/html"))
    page.goto("http://localhost/user/alice/lab")
    watch = EscapeWatch(page, "/user/alice/lab")
    loading = [each for each in escapes(600) if each.mime == "text/html" and f'<img src="{SINK}' in each.text]
    assert loading
    for each in loading:
        with page.expect_request(lambda request: request.url.startswith(SINK)):
            page.evaluate("html => { document.body.innerHTML = html }", each.text)
    assert watch.seen
    page.close()
