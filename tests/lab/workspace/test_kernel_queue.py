"""A kernel beyond as many as may run waits for one to end, with words in the page, and a page that leaves wants none."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.lab.workspace.browser_page import BrowserPage
from tests.lab.workspace.conftest import SMALL, Lab
from tests.lab.workspace.workspace_client import Kernel, WorkspaceClient

pytestmark = pytest.mark.servers
MOST = int(SMALL["HAIHE_HUB_KERNELS"])
SECONDS = 60.0
CALL = """async ([method, path]) => {
  const data = JSON.parse(document.getElementById('jupyter-config-data').textContent);
  const token = document.cookie.split('; ').filter(each => each.startsWith('_xsrf=')).map(each => each.slice(6))[0];
  const options = { method, headers: { 'X-XSRFToken': token }, body: method === 'POST' ? '{"name": "python3"}' : undefined };
  const answer = await fetch(data.baseUrl + path, options);
  return [answer.status, await answer.text()];
}"""


def notices(client: WorkspaceClient) -> list[str]:
    """The kinds of notices about places that hold; other tests of the workspace leave others."""
    kinds = [each["id"].split("-")[0] for each in client.call("GET", "/api/workspace-notices").json()["notices"]]
    return [kind for kind in kinds if kind in ("kernels", "waiting")]


def wait_until(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < limit, "it does not come to hold"
        time.sleep(0.05)


@pytest.fixture
def full(alice: WorkspaceClient) -> Iterator[list[Kernel]]:
    """As many new kernels as may run beside those that others share."""
    started = [alice.kernel() for _ in range(MOST - len(alice.kernels()))]
    assert started
    yield started
    for each in started:
        each.shut()


def test_one_more_kernel_waits_until_one_ends(alice: WorkspaceClient, full: list[Kernel]) -> None:
    assert notices(alice) == ["kernels"], "there are words before anyone waits"
    with ThreadPoolExecutor() as threads:
        waits = threads.submit(alice.kernel)
        wait_until(lambda: notices(alice) == ["waiting"])
        assert not waits.done()
        assert full[0].run("1 + 1") == "2", "the others run on"
        full[0].shut()
        started = waits.result(timeout=SECONDS)
    assert started.run("2 + 2") == "4"
    started.shut()
    wait_until(lambda: notices(alice) == [])


def test_a_restarted_kernel_goes_before_who_waits(alice: WorkspaceClient, full: list[Kernel]) -> None:
    with ThreadPoolExecutor() as threads:
        waits = threads.submit(alice.kernel)
        wait_until(lambda: notices(alice) == ["waiting"])
        assert alice.call("POST", f"/api/kernels/{full[0].id}/restart").status_code == 200
        assert full[0].run("3 + 3") == "6"
        assert not waits.done()
        full[0].shut()
        waits.result(timeout=SECONDS).shut()


def test_a_page_that_leaves_while_it_waits_is_given_no_kernel(alice: WorkspaceClient, full: list[Kernel]) -> None:
    before = alice.kernels()
    with pytest.raises(httpx.ReadTimeout):
        alice.call("POST", "/api/kernels", json={"name": "python3"}, timeout=httpx.Timeout(30, read=2))
    wait_until(lambda: notices(alice) == ["kernels"])
    assert alice.kernels() == before
    full[0].shut()
    wait_until(lambda: notices(alice) == [])
    assert alice.kernels() == before - {full[0].id}


def call(page: Page, method: str, path: str) -> Any:
    return page.evaluate(CALL, [method, path])


def test_the_page_has_notices_in_the_persons_language_and_leads_back_to_the_console(lab: Lab, browser: Browser) -> None:
    lab.client_of("bobby").stop()  # so that it starts in the language of this browser
    page = BrowserPage(browser, lab.url, lab.home, "bobby", "/hub/user-redirect/lab?reset", language="zh-CN").page
    page.locator(".jp-LauncherCard").first.wait_for()
    started = [call(page, "POST", "api/kernels") for _ in range(MOST)]
    assert [status for status, _ in started] == [201] * MOST
    page.locator(".jp-toast-message", has_text="内核都在运行").wait_for()
    page.locator(".jp-LauncherCard").first.click()
    waiting = page.locator(".jp-toast-message", has_text="有笔记本在等待内核")
    waiting.wait_for()
    page.locator(".jp-toast-button", has_text="查看内核").first.click()
    page.locator("#jp-running-sessions").wait_for()
    assert call(page, "DELETE", f"api/kernels/{json.loads(started[0][1])['id']}")[0] == 204
    page.locator(".jp-StatusBar-Widget", has_text="空闲").wait_for()
    waiting.wait_for(state="detached")
    page.locator("#jp-top-bar [data-command='haihe:console']", has_text="控制台").click()
    page.wait_for_url("**/services/console/**")
    page.context.close()
