"""A researcher who works in Chinese finds the way: JupyterLab, help, refusals and plots in Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.lab.workspace.browser_page import BrowserPage, run
from tests.lab.workspace.conftest import Lab

pytestmark = pytest.mark.servers
PLOT = """import warnings
warnings.simplefilter("error")
import matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(5, 2))
axes.set_title("企业信用风险：违约率 −0.5")
axes.plot([-1, 0, 1], [1, 2, 3])
plt.show()
print("drawn")"""


@pytest.fixture
def page(lab: Lab, browser: Browser) -> Iterator[Page]:
    """The open notebook of a person whose browser prefers Chinese."""
    opened = BrowserPage(browser, lab.url, lab.home, "carol", "/hub/user-redirect/lab?reset", language="zh-CN").page
    opened.locator(".jp-LauncherCard[data-category=Notebook], .jp-LauncherCard").first.wait_for(timeout=120_000)
    yield opened
    opened.context.close()


def open_notebook(page: Page) -> None:
    page.locator(".jp-LauncherCard").first.click()
    page.locator(".jp-Notebook .cm-content").first.wait_for()


def test_a_day_in_chinese(page: Page, lab: Lab, tmp_path: Path) -> None:
    assert "文件" in page.locator(".lm-MenuBar").inner_text()
    open_notebook(page)
    page.locator(".jp-StatusBar-Widget", has_text="空闲").wait_for()
    assert "授权的表" in run(page, "import lab\nlab.help()")
    assert "不能使用这个 n" in run(page, "lab.sample('五')")
    assert "工作区不能安装软件包" in run(page, "%pip install nothing-of-this-name")
    assert "工作区不能安装软件包" in run(page, "!pip install nothing-of-this-name")
    assert "请联系平台" in run(page, "import nothing_of_this_name")
    drawn = run(page, PLOT)
    assert drawn.strip() == "drawn", "no warning and nothing else"
    page.screenshot(path=str(tmp_path / "notebook.png"))
