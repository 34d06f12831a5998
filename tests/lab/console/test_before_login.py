"""Without a login nothing of the lab is visible, and no request changes anything."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from hypothesis import given
from hypothesis import strategies as st

from credit.errors import Malformed
from lab.console.access_rules import access_of
from lab.console.cookies import LOGIN, SESSION, CookieJar
from lab.console.login import safe_path
from lab.console.rendering.headers import SECURITY_HEADERS
from lab.console.request_session import authorize_request
from lab.console.settings import HubSettings, ListenAddress
from tests.lab.console.conftest import console_of
from tests.lab.console.servers import PREFIX, routes_of, served
from tests.lab.console.zone import Zone

FILLED = {"id": "petition-0", "name": "x", "zone": "research", "number": "1", "language": "en", "act": "confirm"}
FILLED |= {"model": "enterprise"}


def test_every_route_declares_its_roles(app: FastAPI) -> None:
    """Every route in the app's own table declares its roles, and only a few are open."""
    routes = routes_of(app)
    assert len(routes) > 25
    assert all(access_of(route.endpoint) is not None for route in routes)
    opened = {route.path.removeprefix(PREFIX) for route in routes if access_of(route.endpoint).open}  # type: ignore[union-attr]
    assert opened == {"oauth_callback", "language/{language}", "live", "static/{name}"}


def test_without_a_login_pages_redirect_to_the_hub_and_forms_are_refused(app: FastAPI, anonymous: httpx.Client) -> None:
    """A page redirects to the login with state and PKCE, a form is answered with 401, and nothing is recorded."""
    before = app.state.app_state.ledger.head()
    for route in routes_of(app):
        if access_of(route.endpoint).open:  # type: ignore[union-attr]
            continue
        path = route.path.format(**FILLED)
        for method in route.methods:
            answer = anonymous.request(method, path, data={"form_token": "0" * 64} if method == "POST" else None)
            if method == "POST":
                assert answer.status_code == 401, path
                continue
            assert answer.status_code == 302, path
            parameters = parse_qs(urlsplit(answer.headers["location"]).query)
            assert parameters["code_challenge_method"] == ["S256"]
            assert len(parameters["state"][0]) >= 32
            assert "httponly" in answer.headers["set-cookie"].lower()
    assert app.state.app_state.ledger.head() == before


def test_a_route_without_roles_is_refused(bare: Zone, tmp_path: Path) -> None:
    """A page that is added without access rules is refused."""

    app = console_of(bare)

    async def forgotten() -> dict[str, str]:
        return {"secret": "shown"}

    router = APIRouter(dependencies=[Depends(authorize_request)])
    router.add_api_route(f"{PREFIX}forgotten", forgotten)
    app.include_router(router)
    with served(app, tmp_path / "s") as client:
        answer = client.get(f"{PREFIX}forgotten")
    assert answer.status_code == 403
    assert "shown" not in answer.text


@pytest.mark.parametrize("path", ["live", "static/keys.js", "static/nothing", "nowhere", "projects", "oauth_callback"])
def test_every_response_has_the_security_headers(anonymous: httpx.Client, path: str) -> None:
    """Headers against framing, sniffing and foreign scripts are on pages, errors, redirects and files alike."""
    answer = anonymous.get(PREFIX + path)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value or name == "cache-control", (path, name)
    assert "'unsafe" not in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["..%2f..%2fsettings.py", "%2e%2e/app.py", "console.css%00", ""])
def test_only_the_named_static_files_are_served(anonymous: httpx.Client, path: str) -> None:
    """No path leads out of the folder of static files."""
    assert anonymous.get(f"{PREFIX}static/{path}").status_code == 404


@pytest.mark.parametrize(
    "requested",
    [
        "https://evil.example/",
        "//evil.example/services/console/",
        f"{PREFIX}/evil.example",
        f"{PREFIX}../../user/mallory/",
        f"{PREFIX}\\evil.example",
        "/\\evil.example",
        f"{PREFIX}x\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "/hub/logout",
        "",
        f"https:{PREFIX}",
    ],
)
def test_no_redirect_leads_outside(anonymous: httpx.Client, requested: str) -> None:
    """``next`` leads only to pages of the console."""
    answer = anonymous.get(f"{PREFIX}language/en", params={"next": requested})
    assert answer.status_code == 303
    assert answer.headers["location"] == PREFIX


@given(st.text(max_size=80))
def test_the_next_page_always_lies_under_the_prefix(requested: str) -> None:
    """As a law: the result is a path under the prefix without a host."""

    class State:
        class hub:
            settings = HubSettings("t", "http://x/hub/api", "http://127.0.0.1:1", PREFIX)

    for text in (requested, PREFIX + requested, f"{PREFIX}{requested}/..{requested}"):
        given_back = safe_path(text, State)  # type: ignore[arg-type]
        assert given_back.startswith(PREFIX)
        assert not urlsplit(given_back).netloc
        assert ".." not in urlsplit(given_back).path


def test_a_callback_without_its_login_is_refused(anonymous: httpx.Client, app: FastAPI) -> None:
    """A code without a state, with another state or with an old one starts no session (login CSRF)."""
    jar: CookieJar = app.state.app_state.cookie_jar
    kept = jar.seal(LOGIN, {"state": "right", "verifier": "v", "next": PREFIX})
    for cookie, state in (("", "right"), (kept, "wrong"), (kept, ""), ("junk", "right"), (kept[:-2], "right")):
        answer = anonymous.get(f"{PREFIX}oauth_callback?code=c&state={state}", headers={"Cookie": f"{LOGIN}={cookie}"})
        assert answer.status_code == 401
        assert SESSION not in answer.headers.get("set-cookie", "")


@given(st.text(max_size=50), st.integers(0, 300))
def test_a_cookie_opens_only_for_its_use_and_unchanged(token: str, at: int) -> None:
    """A cookie sealed for a session opens as a session, and not for another use, under another key, or changed."""
    jar = CookieJar("secret")
    sealed = jar.seal(SESSION, {"token": token})
    assert jar.open(SESSION, sealed, seconds=10) == {"token": token}
    assert jar.open(LOGIN, sealed, seconds=10) is None
    assert CookieJar("other").open(SESSION, sealed, seconds=10) is None
    at = min(at, len(sealed) - 1)
    changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
    opened = jar.open(SESSION, changed, seconds=10)
    assert opened is None or at >= len(sealed) - 3  # the last letters of base64 hold unused bits
    assert token == "" or token not in sealed or len(token) < 5


def test_a_cookie_of_another_browser_is_no_login(anonymous: httpx.Client, app: FastAPI) -> None:
    """A session that the hub cannot confirm is refused; here the hub does not answer."""
    sealed = app.state.app_state.cookie_jar.seal(SESSION, {"token": "made up"})
    answer = anonymous.get(f"{PREFIX}projects", headers={"Cookie": f"{SESSION}={sealed}"})
    assert answer.status_code == 502


@pytest.mark.parametrize("url", ["", "http://0.0.0.0:80", "https://127.0.0.1:8000", "http://127.0.0.1", "http+unix://"])
def test_it_listens_only_on_this_machine(url: str) -> None:
    """The console is reachable only through the hub's proxy."""
    with pytest.raises(Malformed):
        ListenAddress.parse(url)


def listened_at(path: Path) -> bool:
    """True when a process listens at the socket; the file exists a moment earlier."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def test_it_answers_on_a_unix_socket_that_only_its_owner_may_open(bare: Zone, tmp_path: Path) -> None:
    """Started as by the hub: settings from the environment, a socket of mode 0600, a clean end at SIGTERM."""
    path = tmp_path / "c.sock"
    env = {
        **os.environ,
        **bare.environment(),
        "JUPYTERHUB_API_TOKEN": "t",
        "JUPYTERHUB_API_URL": "http+unix://%2Fnowhere%2Fhub.sock/hub/api",
        "JUPYTERHUB_SERVICE_URL": f"http+unix://{str(path).replace('/', '%2F')}",
        "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
    }
    process = subprocess.Popen([sys.executable, "-m", "lab.console"], env=env)
    try:
        until = time.monotonic() + 30
        while not listened_at(path) and time.monotonic() < until:
            time.sleep(0.05)
        assert path.stat().st_mode & 0o777 == 0o600
        transport = httpx.HTTPTransport(uds=str(path), verify=False)
        with httpx.Client(transport=transport, base_url="http://console") as client:
            assert client.get(f"{PREFIX}live").status_code == 204
    finally:
        process.terminate()
        assert process.wait(15) in (0, -15)
    with socket.socket(socket.AF_UNIX) as late, pytest.raises(OSError):
        late.connect(str(path))
