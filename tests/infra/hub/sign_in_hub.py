"""A real hub with our authenticator over a home of its own, and a client that signs in as a browser does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx

from credit.actor import Actor, Role
from infra.desk import running
from infra.home import Home
from infra.hub.authenticator import credential_store
from infra.hub.config import PAGES
from infra.hub.credentials.store import CredentialStore
from infra.hub.credentials.totp import SECONDS, code_at
from lab.accounts.account_changes import AccountChanges
from lab.accounts.accounts import Accounts
from tests.lab.console.servers import free_port

PETRA, PAVEL = Actor("petra", Role.PLATFORM), Actor("pavel", Role.PLATFORM)
PASSWORD = "correct horse battery"
ROOT = Path(__file__).parents[3]
NO_PROXY = (ROOT / "tests/lab/console/hub_config.py").read_text().partition("env, c =")[0]
CONFIG = """
import sys
sys.path.insert(0, {root!r})
from infra.hub import page_texts
from infra.hub.authenticator import LabAuthenticator
page_texts.install()
{no_proxy}
from infra.hub.config import first_page
c = get_config()
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.authenticator_class = LabAuthenticator
c.JupyterHub.default_url = first_page
c.LabAuthenticator.home = {home!r}
c.LabAuthenticator.sign_ins = "sign-ins.sqlite"
c.LabAuthenticator.public_url = "http://localhost:{port}"
c.LabAuthenticator.auth_refresh_age = 1
c.LabAuthenticator.auth_refresh_strict = True
c.JupyterHub.template_paths = [{pages!r}]
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.log_level = 30
"""


@dataclass(frozen=True)
class SignInHub:
    """A running hub, its home, and what changes accounts there."""

    url: str
    home: Home
    log: Path

    @property
    def changes(self) -> AccountChanges:
        return AccountChanges(self.home.ledger("desk", writing=True))

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.home.ledger("desk"))

    @property
    def store(self) -> CredentialStore:
        return credential_store(self.home.root)

    def link(self, name: str, *roles: str) -> tuple[str, str]:
        """A new account's link and the code that is needed with it."""
        requested = self.changes.request_account(name, roles, by=PETRA)
        code = self.changes.confirm(requested.change, by=PAVEL).code if requested.waits else ""
        return requested.token, code

    def person(self, name: str, *roles: str) -> Person:
        """A new account, set up through the pages with a password and TOTP."""
        person = Person(self, name)
        token, code = self.link(name, *roles)
        person.enrol(token, code)
        return person


class Person:
    """Someone with a browser, an authenticator app and a sheet of recovery codes."""

    browsers: ClassVar[list[httpx.Client]] = []

    def __init__(self, hub: SignInHub, name: str, language: str = "en") -> None:
        self.hub, self.name, self.secret = hub, name, ""
        self.recovery_codes: list[str] = []
        self.step = 0
        self.language = language
        self.browser = self.new_browser()

    def new_browser(self) -> httpx.Client:
        """A browser without cookies."""
        headers = {"Accept-Language": self.language}
        self.browser = httpx.Client(base_url=self.hub.url, follow_redirects=True, timeout=30, headers=headers)
        self.browsers.append(self.browser)
        return self.browser

    def code(self) -> str:
        """A code that was not used: of this step, or of the one before or after it."""
        now = int(time.time()) // SECONDS
        self.step = max(self.step + 1, now - 1)
        assert self.step <= now + 1, "three codes were used within half a minute"
        return code_at(self.secret, self.step * SECONDS)

    def post(self, page: httpx.Response, path: str = "", **fields: str) -> httpx.Response:
        """Send the form of a page."""
        match = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
        assert match, page.text[:800]
        address = path or str(page.url)
        return self.browser.post(address, data=fields | {"_xsrf": match[1]}, headers={"Referer": str(page.url)})

    def enrol(self, token: str, code: str = "", password: str = PASSWORD) -> httpx.Response:
        """Set up the account with TOTP; returns the page with the recovery codes."""
        page = self.browser.get("/hub/enrol", params={"key": token})
        if page.status_code != 200:
            return page
        page = self.post(page, "/hub/enrol", link=token, code=code, password=password, again=password)
        match = re.search(r'id="totp_secret">([A-Z2-7 ]+)<', page.text)
        if match is None:
            return page
        self.secret, self.step = match[1].replace(" ", ""), 0
        page = self.post(page, "/hub/enrol/factor", code=self.code())
        self.recovery_codes = re.findall(r"<code>([A-Z0-9]{4}(?:-[A-Z0-9]{4}){3})</code>", page.text)
        return page

    def give_password(self, password: str = PASSWORD) -> httpx.Response:
        """The first step."""
        page = self.browser.get("/hub/login")
        return self.post(page, "/hub/login", username=self.name, password=password)

    def sign_in(self, password: str = PASSWORD, code: str = "") -> httpx.Response:
        """Both steps."""
        page = self.give_password(password)
        return self.post(page, code=code or self.code()) if "second-factor" in str(page.url) else page

    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.browser.request(method, path, headers={"Referer": f"{self.hub.url}/hub/home"}, **more)

    def is_signed_in(self) -> bool:
        """True when the hub knows this browser as this person."""
        answer = self.api("GET", "/hub/api/user")
        return answer.status_code == 200 and answer.json()["name"] == self.name


@contextmanager
def running_sign_in_hub(folder: Path) -> Iterator[SignInHub]:
    """A hub over a new home with the two accounts of installation, which are set up by their own links."""
    home, port = Home(folder / "home"), free_port()
    home.ensure_keys()
    links = AccountChanges(home.ledger("desk", writing=True)).install((PETRA.name, PAVEL.name))
    values = {"root": str(ROOT), "home": str(home.root), "pages": str(PAGES), "no_proxy": NO_PROXY}
    (folder / "config.py").write_text(CONFIG.format(port=port, public=free_port(), **values))
    hub = SignInHub(f"http://localhost:{port}", home, folder / "log")
    with hub.log.open("wb") as log:
        command = [sys.executable, "-m", "jupyterhub", "-f", "config.py"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            _wait(hub, process)
            with running.desk(home, {"HAIHE_DESK_HUB": f"{hub.url}/hub/api"}):
                for name, link in links.items():
                    assert Person(hub, name).enrol(link.token).status_code == 200
                yield hub
        finally:
            for browser in Person.browsers:
                browser.close()
            Person.browsers.clear()
            process.terminate()
            process.wait(20)


def _wait(hub: SignInHub, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 180
    while True:
        try:
            httpx.get(f"{hub.url}/hub/api/").raise_for_status()
            return
        except httpx.HTTPError:
            assert time.monotonic() < until, hub.log.read_text()
            assert process.poll() is None, hub.log.read_text()
            time.sleep(0.1)
