"""The command line signs in at a real hub: by a code with PKCE, confirmed each time; nothing else gives a token."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from infra.hub.cli_service import CLIENT, redirect_uri
from tests.infra.running_hub import RunningHub, challenge, follow, xsrf_of

pytestmark = pytest.mark.servers


def test_a_code_and_its_verifier_give_a_token_for_an_hour_that_can_do_nothing_at_the_hub(
    running_hub: RunningHub,
) -> None:
    """The token names its user, and starts no server, reads no other user and makes no token."""
    answer = running_hub.exchange(running_hub.code(running_hub.sign_in("alice"))).json()
    assert answer["expires_in"] == 3600
    assert "refresh_token" not in answer
    token = answer["access_token"]
    sign_in = running_hub.call("sign-in", token).json()
    assert (sign_in["account"], sign_in["client"], sign_in["factor"]) == ("alice", CLIENT, "password")
    for method, path in (("GET", "users"), ("POST", "users/alice/server"), ("POST", "users/alice/tokens")):
        assert running_hub.call(path, token, method).status_code in (403, 404)


def test_a_code_works_once_and_with_its_verifier_alone(running_hub: RunningHub) -> None:
    """A replayed code, another verifier, none, and another client are refused."""
    browser = running_hub.sign_in("alice")
    for wrong in ({"verifier": "w" * 64}, {"verifier": ""}, {"client_id": "service-console"}, {"client_id": "x"}):
        refused = running_hub.exchange(running_hub.code(browser), **wrong)
        assert refused.status_code >= 400
        assert "access_token" not in refused.text
    code = running_hub.code(browser)
    assert running_hub.exchange(code).status_code == 200
    assert running_hub.exchange(code).status_code == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "http://127.0.0.1:9999/signed-in"},
        {"redirect_uri": "http://localhost:8765/signed-in"},
        {"redirect_uri": "http://evil.example/signed-in"},
        {"client_id": "service-unknown"},
    ],
)
def test_no_code_goes_to_another_address(running_hub: RunningHub, changed: dict[str, str]) -> None:
    """The one redirect address is compared as a whole."""
    browser = running_hub.sign_in("alice")
    answer = browser.get(f"{running_hub.address}{running_hub.authorize_path(**changed)}")
    location = answer.headers.get("location", "")
    assert answer.status_code == 400 or "error=" in location
    assert "code=" not in location


@pytest.mark.parametrize("client", [CLIENT, "service-console"])
@pytest.mark.parametrize("challenge_sent", ["", "x" * 43])
@pytest.mark.parametrize("method", ["", "plain"])
def test_a_login_without_a_challenge_by_sha256_is_refused(
    running_hub: RunningHub, client: str, challenge_sent: str, method: str
) -> None:
    """An empty or plain challenge proves nothing about who began the login, so no client may use one."""
    sent = {"client_id": client, "code_challenge": challenge_sent, "code_challenge_method": method}
    browser = running_hub.sign_in("alice")
    url = f"{running_hub.address}{running_hub.authorize_path(**sent)}"
    assert browser.get(url).status_code == 400
    posted = browser.post(url, data={"_xsrf": xsrf_of(browser), "scopes": "identify"})
    assert posted.status_code >= 400
    assert "location" not in posted.headers


def test_the_user_confirms_every_login(running_hub: RunningHub) -> None:
    """Another program on the machine cannot log in silently in a browser that has done so before."""
    browser = running_hub.sign_in("alice")
    assert running_hub.exchange(running_hub.code(browser)).status_code == 200
    url = f"{running_hub.address}{running_hub.authorize_path()}"
    for language, words in (("en", "Confirm only if you typed"), ("zh-CN", "只有刚才是您本人输入了")):
        page = browser.get(url, headers={"Accept-Language": language})
        assert page.status_code == 200
        assert words in page.text
    form = browser.post(url, data={"scopes": "identify"})
    assert form.status_code == 403  # without the page's own token no form is accepted


def test_logging_in_again_shows_the_form_also_to_a_browser_that_is_signed_in(running_hub: RunningHub) -> None:
    """A new sign-in in the same session makes its tokens recent, and the code returns with the state that was sent."""
    browser = running_hub.sign_in("petra")
    token = running_hub.exchange(running_hub.code(browser)).json()["access_token"]
    before = running_hub.call("sign-in", token).json()["signed_in_at"]
    path = f"/hub/login-again?next={running_hub.authorize_path().replace('?', '%3F').replace('&', '%26')}"
    running_hub.sign_in("petra", browser, path)
    assert running_hub.call("sign-in", token).json()["signed_in_at"] > before
    assert urlsplit(browser.headers["X-Next"]).path == "/hub/api/oauth2/authorize"
    assert parse_qs(urlsplit(browser.headers["X-Next"]).query)["state"] == ["s" * 32]


def test_login_again_leads_to_no_other_site(running_hub: RunningHub) -> None:
    """The address after the login is one of the hub's own."""
    browser = running_hub.sign_in("petra", path="/hub/login-again?next=http://evil.example/")
    assert "evil" not in urlsplit(browser.headers["X-Next"]).netloc


def test_a_revoked_token_and_a_logged_out_session_are_nothing(running_hub: RunningHub) -> None:
    """The command line revokes its own token; logging out in the browser ends the tokens of that session."""
    browser = running_hub.sign_in("alice")
    first, second = (running_hub.exchange(running_hub.code(browser)).json()["access_token"] for _ in range(2))
    assert running_hub.call("sign-in", first, "DELETE").status_code == 204
    assert running_hub.call("sign-in", first).status_code == 403
    assert running_hub.call("sign-in", second).status_code == 200
    browser.get(f"{running_hub.address}/hub/logout")
    assert running_hub.call("sign-in", second).status_code == 403


def test_signing_out_everywhere_ends_every_session_of_the_user_and_of_no_other(running_hub: RunningHub) -> None:
    """Two browsers and their tokens end; another user's go on."""
    browsers = [running_hub.sign_in("petra") for _ in range(2)]
    tokens = [running_hub.exchange(running_hub.code(browser)).json()["access_token"] for browser in browsers]
    other = running_hub.token("alice")
    listed = running_hub.call("sign-ins", tokens[0]).json()["sign_ins"]
    assert [each["this"] for each in listed].count(True) == 1
    assert len(listed) >= 2
    assert running_hub.call("sign-ins", tokens[0], "DELETE").status_code == 204
    assert [running_hub.call("sign-in", token).status_code for token in (*tokens, other)] == [403, 403, 200]
    for browser in browsers:
        page = follow(browser, browser.get(f"{running_hub.address}/hub/token"))
        assert "/hub/login" in str(page.url)


@pytest.mark.attack
def test_signing_out_everywhere_ends_a_token_that_calls_itself_a_servers(running_hub: RunningHub) -> None:
    """A person gives a token of their own any note: one who had their browser for a minute keeps nothing by it."""
    browser = running_hub.sign_in("alice")
    headers = {"X-XSRFToken": xsrf_of(browser), "Referer": f"{running_hub.address}/hub/token"}
    made = browser.post(
        f"{running_hub.api}/users/alice/tokens", json={"note": "Server at /user/alice/"}, headers=headers
    )
    assert made.status_code == 201, made.text
    token = made.json()["token"]
    assert running_hub.call("user", token).status_code == 200
    assert running_hub.call("sign-ins", running_hub.token("alice"), "DELETE").status_code == 204
    assert running_hub.call("user", token).status_code == 403


def test_the_redirect_address_is_a_loopback_literal() -> None:
    """RFC 8252: an address of this machine that no resolver decides."""
    assert redirect_uri() == "http://127.0.0.1:8765/signed-in"
    assert challenge("a") != challenge("b")
