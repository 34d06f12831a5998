"""A user sees how they signed in, signs out everywhere, and is led through the login again where it matters."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.requests import Request

from credit.errors import Unauthenticated
from lab.console.error_pages import needs_recent_sign_in
from tests.lab.console.servers import PREFIX, Servers, form_token


@pytest.mark.servers
def test_a_user_sees_their_own_sign_ins_in_both_languages(servers: Servers) -> None:
    """The page names the account, the factor and the current session, and no session's id."""
    browser = servers.login("wang")
    page = browser.get(f"{servers.console}sessions")
    assert page.status_code == 200
    for words in ("You are signed in as wang", "You signed in with a password", "this session"):
        assert words in page.text
    assert browser.cookies["jupyterhub-session-id"] not in page.text
    assert "您已登录为 wang" in browser.get(f"{servers.console}sessions", headers={"Accept-Language": "zh"}).text


@pytest.mark.servers
def test_signing_out_everywhere_ends_every_browser_of_the_user_and_of_no_other(servers: Servers) -> None:
    """The other browser has to log in at its next page; another user's goes on."""
    first, second, other = servers.login("wang"), servers.login("wang"), servers.login("li")
    token = form_token(first.get(f"{servers.console}sessions").text)
    ended = first.post(f"{servers.console}sessions/end", data={"form_token": token})
    assert "/hub/login" in str(ended.url)
    assert "/hub/login" in str(first.get(servers.console).url)
    assert "/hub/login" in str(second.get(f"{servers.console}sessions").url)
    assert str(other.get(servers.console).url) == servers.console


@pytest.mark.servers
def test_signing_in_again_leads_back_to_the_page(servers: Servers) -> None:
    """The login form is shown to a browser that is signed in, and the sign-in is a new one."""
    browser = servers.login("wang")
    before = browser.get(f"{servers.console}sessions").text
    page = browser.get(f"{servers.hub}/hub/login-again", params={"next": f"{PREFIX}sessions"})
    assert "/hub/login" in str(page.url)
    xsrf = next(value for key, value in browser.cookies.items() if key == "_xsrf")
    form = {"username": "wang", "password": "any", "_xsrf": xsrf}
    assert browser.post(str(page.url), data=form, follow_redirects=False).headers["location"] == f"{PREFIX}sessions"
    assert browser.get(f"{servers.console}sessions").text != before


def test_a_refusal_for_an_old_sign_in_is_a_page_with_the_way_back(app: FastAPI) -> None:
    """It is no redirect, which would lose what the user was doing, and it links to the login and back."""
    handler = app.exception_handlers[Unauthenticated.__mro__[2]]
    error = Unauthenticated("recent-sign-in.too-long-ago", minutes=5)
    assert needs_recent_sign_in(error)
    assert not needs_recent_sign_in(Unauthenticated("request-session.nobody-logged-in"))
    path = f"{PREFIX}accounts/li/changes/confirm"
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [],
        "app": app,
        "state": {},
    }
    answer = handler(Request(scope), error)
    assert answer.status_code == 401
    assert f'login-again?next={PREFIX.replace("/", "%2F")}accounts"'.encode() in answer.body
