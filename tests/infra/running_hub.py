"""A real hub with its proxy and console over a home with people, and clients that sign in as a browser does."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from credit.actor import Actor, Role
from infra import lab_services
from infra.first_people import FirstPerson, set_up
from infra.home import Home
from infra.hub.authenticator import credential_store
from infra.hub.cli_service import CLIENT, redirect_uri
from infra.hub.credentials.totp import SECONDS, code_at
from infra.run_folder import run_folder
from tests.lab.accounts.made_accounts import make_accounts

VERIFIER = "v" * 64
PETRA, PAUL = Actor.parse("platform:petra"), Actor.parse("platform:paul")
PEOPLE = {"alice": Role.RESEARCHER, "lin": Role.RESEARCHER, "rita": Role.REVIEWER}  # besides the two of installation


def challenge(verifier: str = VERIFIER) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class RunningHub:
    """The hub's address, its home, and what everyone signs in with."""

    address: str
    home: Home
    people: dict[str, FirstPerson]
    opened: list[httpx.Client] = field(default_factory=list, repr=False)
    steps: dict[str, int] = field(default_factory=dict)
    recovery_codes: dict[str, list[str]] = field(default_factory=dict, repr=False)

    @property
    def api(self) -> str:
        return f"{self.address}/hub/api"

    @property
    def socket_api(self) -> str:
        """The hub's own socket, which the front desk uses on the same machine."""
        path = str(run_folder(self.home.root) / "hub" / "hub.sock")
        return f"http+unix://{path.replace('/', '%2F')}/hub/api"

    def client(self) -> httpx.Client:
        self.opened.append(httpx.Client(timeout=30, follow_redirects=False))
        return self.opened[-1]

    def sign_in(self, name: str, browser: httpx.Client | None = None, path: str = "/hub/login") -> httpx.Client:
        """A browser that has filled in the login form."""
        browser = browser or self.client()
        page = follow(browser, browser.get(f"{self.address}{path}"))
        assert "/hub/login" in str(page.url), page.url
        form = {"username": name, "password": self.people[name].password, "_xsrf": xsrf_of(browser)}
        done = browser.post(str(page.url), data=form, headers=NAVIGATES)
        if "second-factor" in done.headers.get("location", ""):
            page = follow(browser, done)
            form = {"code": self.second_factor(name), "_xsrf": xsrf_of(browser)}
            done = browser.post(str(page.url), data=form, headers=NAVIGATES)
        assert done.status_code == 302, done.text[:500]
        browser.headers["X-Next"] = done.headers["location"]
        return browser

    def second_factor(self, name: str) -> str:
        """A code that was not used: of TOTP while there is one near this moment, else a recovery code."""
        person, now = self.people[name], int(time.time()) // SECONDS
        step = max(self.steps.get(name, 0) + 1, now - 1)
        if step > now + 1:
            return self.recovery_codes.setdefault(name, list(person.recovery_codes)).pop()
        self.steps[name] = step
        return code_at(person.totp_secret, step * SECONDS)

    def authorize_path(self, **changed: str) -> str:
        parameters = {
            "client_id": CLIENT,
            "redirect_uri": redirect_uri(),
            "response_type": "code",
            "state": "s" * 32,
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        } | changed
        return f"/hub/api/oauth2/authorize?{urlencode(parameters)}"

    def code(self, browser: httpx.Client) -> str:
        """The code for the command line, after the user pressed the button."""
        url = f"{self.address}{self.authorize_path()}"
        page = browser.get(url)
        assert page.status_code == 200, (page.status_code, page.text[:300])
        data = {"_xsrf": xsrf_of(browser), "scopes": re.findall(r'name="scopes"[^>]*value="([^"]+)"', page.text)}
        done = browser.post(url, data=data, headers=NAVIGATES)
        assert done.status_code == 302, done.text[:500]
        location = done.headers["location"]
        assert location.startswith(redirect_uri() + "?")
        return parse_qs(urlsplit(location).query)["code"][0]

    def exchange(self, code: str, verifier: str = VERIFIER, **changed: str) -> httpx.Response:
        data = {
            "client_id": CLIENT,
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri(),
        } | changed
        return httpx.post(f"{self.api}/oauth2/token", data=data, timeout=30)

    def token(self, name: str) -> str:
        """A token of the command line, by the whole way."""
        answer = self.exchange(self.code(self.sign_in(name)))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def call(self, path: str, token: str, method: str = "GET") -> httpx.Response:
        return httpx.request(method, f"{self.api}/{path}", headers={"Authorization": f"token {token}"}, timeout=30)


NAVIGATES = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"}


def xsrf_of(browser: httpx.Client) -> str:
    return [each.value for each in browser.cookies.jar if each.name == "_xsrf" and each.path == "/hub/"][-1] or ""


def follow(browser: httpx.Client, answer: httpx.Response) -> httpx.Response:
    while answer.status_code in (301, 302, 303):
        answer = browser.get(str(answer.url.join(answer.headers["location"])), headers=NAVIGATES)
    return answer


class hub_of:
    """A hub over a fresh home, as a context manager."""

    def __init__(self, home: Home, **env: str) -> None:
        self._home, self._env = home, env

    def __enter__(self) -> RunningHub:
        home = self._home
        home.ensure_keys()
        accounts = make_accounts(home.ledger("desk", writing=True), PEOPLE, by=PETRA, second=PAUL)
        store = credential_store(home.root)
        people = {name: set_up(store, account) for name, account in accounts.all().items()}
        self._services = lab_services.gateway(home), lab_services.hub(home, env=self._env)
        self._services[0].__enter__()
        try:
            address = self._services[1].__enter__()
        except BaseException:
            self._services[0].__exit__(None, None, None)
            raise
        self._started = RunningHub(address, home, people)
        return self._started

    def __exit__(self, *_: Any) -> None:
        for client in self._started.opened:
            client.close()
        for service in reversed(self._services):
            service.__exit__(None, None, None)
