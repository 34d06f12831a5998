"""A real browser of one person in the lab: it signs in, runs cells in a notebook, and records what it requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, sync_playwright

from infra.home import Home
from tests.lab.workspace.workspace_client import second_factor

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def password(user: str) -> str:
    """The password that tests give to a user."""
    return f"correct horse {user}"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A started Chromium."""
    assert Path(CHROMIUM).exists(), "install Chromium (apt-get install chromium)"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


class BrowserPage:
    """The browser of one user, which records every address that it requests."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        home: Home,
        user: str,
        start: str,
        secret: str = "",
        *,
        language: str = "en-US",
    ) -> None:
        self.requests: list[Request] = []
        self.page: Page = browser.new_context(viewport={"width": 1280, "height": 900}, locale=language).new_page()
        self.page.set_default_timeout(120_000)
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.goto(f"{url}{start}")
        self.page.fill("#username_input", user)
        self.page.fill("#password_input", secret or password(user))
        self.page.click("#login_submit")
        self.page.wait_for_url(lambda url: "/hub/login" not in url)
        if "second-factor" in self.page.url:
            self.page.fill("#code_input", second_factor(home, user))
            self.page.click("#code_submit")

    def hosts_requested(self, *, blocked: bool = False) -> set[str]:
        """The hosts of all requests, or of those that the policy of the page blocked."""
        sent = [each for each in self.requests if each.url.startswith("http")]
        return {str(urlsplit(each.url).hostname) for each in sent if ("csp" in (each.failure or "")) is blocked}


def wait_until_idle(page: Page) -> None:
    """Wait until the open notebook's kernel is idle, as its status bar says."""
    page.locator(".jp-StatusBar-Widget", has_text="| Idle").wait_for(timeout=120_000)


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
