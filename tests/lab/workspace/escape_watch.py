"""What happens in a browser when everything in an output is clicked: each request, page, download and navigation away."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Download, Frame, Page, Request

from infra.home import Home
from tests.lab.workspace.browser_page import BrowserPage, run, wait_until_idle
from tests.lab.workspace.output_escapes import Escape, notebook, sending_cell
from tests.lab.workspace.workspace_client import WorkspaceClient

BATCH = 40  # outputs of one cell: JupyterLab shows the first 50
PLACES = ".jp-OutputArea-output, .jp-OutputArea-output *, .jp-RenderedMarkdown, .jp-RenderedMarkdown *"
_CLICK_ALL = """async (places) => {
  const scroller = document.querySelector('.jp-WindowedPanel-outer');
  const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
  const clicked = new Set();
  for (let at = 0; ; at += 300) {
    if (scroller) scroller.scrollTop = at;
    await frame();
    for (const element of document.querySelectorAll(places)) {
      if (clicked.has(element)) continue;
      clicked.add(element);
      try {
        if (element.tagName === 'FORM') element.requestSubmit();
        else element.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, view: window}));
      } catch (error) { /* the element takes no click */ }
    }
    if (!scroller || at > scroller.scrollHeight) break;
  }
  await frame();
  return clicked.size;
}"""


@dataclass
class EscapeWatch:
    """Watches one page that may stay at addresses which contain ``own``."""

    page: Page
    own: str
    requests: list[Request] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.context.on("request", lambda request: self.requests.append(request))
        self.page.context.on("page", lambda page: self.others.append(f"opened {page.url[:100]}"))
        self.page.on("download", self._download)
        self.page.on("framenavigated", self._navigated)
        self.page.on("dialog", lambda dialog: dialog.accept())  # also that of leaving an unsaved notebook

    @property
    def seen(self) -> list[str]:
        """A line for each escape; what the page's policy blocked is none, as nothing was sent."""
        sent = [each for each in self.requests if "csp" not in (each.failure or "") and self._leaves(each.url)]
        return self.others + [f"requested {each.url[:100]}" for each in sent]

    def click_all(self, places: str = PLACES) -> int:
        """Click every element of the outputs, from the top to the end; returns how many there were."""
        return int(self.page.evaluate(_CLICK_ALL, places))

    def _download(self, download: Download) -> None:
        self.others.append(f"downloaded {download.url[:100]}")
        download.cancel()

    def _navigated(self, frame: Frame) -> None:
        if frame == self.page.main_frame and self.own not in frame.url:
            self.others.append(f"navigated to {frame.url[:100]}")
        elif frame != self.page.main_frame and not frame.url.startswith("about:"):
            self.others.append(f"framed {frame.url[:100]}")

    def _leaves(self, url: str) -> bool:
        """True for another host, and for what is not of this workspace: the hub signs out at one of its addresses."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https", "ftp"):
            return False
        return parts.hostname not in ("localhost", None) or not parts.path.startswith(self.own)


class EscapeTrial:
    """One person's browser in a workspace in which a hostile kernel tries escapes."""

    def __init__(self, browser: Browser, url: str, home: Home, client: WorkspaceClient, secret: str = "") -> None:
        self.client, self.url = client, url
        self._put("trial.ipynb", notebook([]))
        start = "/hub/user-redirect/lab/tree/trial.ipynb?reset"
        self.page = BrowserPage(browser, url, home, client.user, start, secret).page
        self.watch = EscapeWatch(self.page, f"/user/{client.user}/")
        wait_until_idle(self.page)

    def try_outputs(self, tried: list[Escape]) -> int:
        """Send each as an output of a cell of the open notebook; returns how many elements were clicked."""
        clicked = 0
        for at in range(0, len(tried), BATCH):
            code = sending_cell(tried[at : at + BATCH])
            self.client.call("PUT", "/api/contents/send.py", json={"type": "file", "format": "text", "content": code})
            output = run(self.page, "exec(open('send.py').read())")
            assert "sent" in output, output[-300:]
            clicked += self.watch.click_all()
        return clicked

    def try_notebook(self, tried: list[Escape]) -> int:
        """Open a notebook that holds each, as a kernel can write one; returns how many elements were clicked."""
        write = f"open('escapes.ipynb', 'w').write({notebook(tried)!r}); print('written')"
        assert "written" in run(self.page, write)
        self.page.goto(f"{self.url}/user/{self.client.user}/lab/tree/escapes.ipynb?reset")
        self.page.locator(".jp-RenderedMarkdown").first.wait_for(timeout=120_000)
        wait_until_idle(self.page)
        return self.watch.click_all()

    def close(self) -> None:
        """End the browser's page and the kernels of its notebooks."""
        self.page.context.close()
        for session in self.client.call("GET", "/api/sessions").json():
            self.client.call("DELETE", f"/api/sessions/{session['id']}")

    def _put(self, name: str, content: str) -> None:
        model = {"type": "notebook", "format": "json", "content": json.loads(content)}
        answer = self.client.call("PUT", f"/api/contents/{name}", json=model)
        assert answer.status_code in (200, 201), answer.text
