"""Attacks on signing in: codes, links and cookies used again, guessed, or of another person."""

from __future__ import annotations

import time

import httpx
import pytest

from infra.hub.credentials.store import CODE_TRIES
from infra.hub.credentials.totp import SECONDS, code_at
from lab.accounts.account import digest_of
from tests.infra.hub.sign_in_hub import PASSWORD, PAVEL, PETRA, Person, SignInHub

pytestmark = [pytest.mark.servers, pytest.mark.attack]


def test_a_code_signs_in_once(hub: SignInHub) -> None:
    """Neither it nor an earlier one is taken after it, in any browser."""
    nora = hub.person("nora", "reviewer")
    used = nora.code()
    nora.sign_in(code=used)
    assert nora.is_signed_in()
    earlier = code_at(nora.secret, (nora.step - 1) * SECONDS)
    for code in (used, earlier):
        thief = Person(hub, "nora")
        assert thief.sign_in(code=code).status_code == 403
        assert not thief.is_signed_in()


def test_a_link_works_once(hub: SignInHub) -> None:
    """A thief who has it after its person, and the code too, sets up nothing."""
    token, code = hub.link("otto", "reviewer")
    otto = Person(hub, "otto")
    assert otto.enrol(token, code).status_code == 200
    thief = Person(hub, "otto")
    assert thief.enrol(token, code, "a thief's password").status_code == 403
    assert thief.give_password("a thief's password").status_code == 403
    otto.sign_in()
    assert otto.is_signed_in()


def test_two_browsers_with_one_link_set_up_one_account(hub: SignInHub) -> None:
    """The second to finish is refused, and its password is not the account's."""
    token, code = hub.link("paul", "reviewer")
    first, second = Person(hub, "paul"), Person(hub, "paul")
    pages = []
    for person, password in ((first, "the first password"), (second, "the second password")):
        page = person.browser.get("/hub/enrol", params={"key": token})
        fields = {"link": token, "code": code, "password": password, "again": password}
        pages.append(person.post(page, "/hub/enrol", **fields))
    for person, page, wanted in ((first, pages[0], 200), (second, pages[1], 403)):
        secret = page.text.partition('id="totp_secret">')[2].partition("<")[0].replace(" ", "")
        done = person.post(page, "/hub/enrol/factor", code=code_at(secret, time.time()))
        assert done.status_code == wanted
    assert hub.store.password_matches(hub.accounts.get("paul"), "the first password")
    assert not hub.store.password_matches(hub.accounts.get("paul"), "the second password")


def test_the_requester_of_a_reviewer_cannot_set_it_up(hub: SignInHub) -> None:
    """The link alone is not enough, before the confirmation and after it; wrong codes end the link."""
    requested = hub.changes.request_account("quin", ("reviewer",), by=PETRA)
    thief = Person(hub, "quin")
    assert thief.browser.get("/hub/enrol", params={"key": requested.token}).status_code == 403
    code = hub.changes.confirm(requested.change, by=PAVEL).code
    page = thief.browser.get("/hub/enrol", params={"key": requested.token})
    assert page.status_code == 200
    statuses = []
    for number in range(CODE_TRIES + 2):
        fields = {"link": requested.token, "code": f"AAAAA-{number:05}", "password": PASSWORD, "again": PASSWORD}
        statuses.append(thief.post(page, "/hub/enrol", **fields).status_code)
    assert set(statuses) <= {403, 429}
    assert 429 in statuses, "guessing was not slowed down"
    account = hub.accounts.get("quin")
    for _ in range(CODE_TRIES):
        hub.store.count_code_try(account)
    assert Person(hub, "quin").enrol(requested.token, code).status_code == 403, "after too many tries the link is dead"
    assert not hub.store.is_enrolled(account)


def test_guessing_a_second_factor_is_slowed_down(hub: SignInHub) -> None:
    """After five wrong codes the sign-in begins again with the password, and the right code has to wait as well."""
    person = hub.person("ruth", "reviewer")
    page = person.give_password()
    for number in range(5):
        page = person.post(page, "/hub/second-factor", code=f"{number:06}") if "_xsrf" in page.text else page
    ended = person.post(person.browser.get("/hub/login"), "/hub/second-factor", code=person.code())
    assert ended.status_code in (200, 403)
    assert not person.is_signed_in()
    page, failed, wait = person.give_password(), 0, 0.0
    while wait < 8:  # until the wait is longer than a busy machine takes for one more try
        answer = person.post(page, "/hub/second-factor", code=f"1{failed:05}")
        assert answer.status_code in (403, 429)
        failed += answer.status_code == 403
        wait = 2.0**failed
    last = time.monotonic()
    right = person.post(page, "/hub/second-factor", code=code_at(person.secret, time.time() + SECONDS))
    assert right.status_code == 429 or time.monotonic() - last > wait
    assert right.status_code != 429 or not person.is_signed_in()


def test_a_second_factor_of_another_person_is_refused(hub: SignInHub) -> None:
    """Their TOTP code and their recovery code."""
    sam, tina = hub.person("sam", "reviewer"), hub.person("tina", "reviewer")
    for code in (tina.code(), tina.recovery_codes[0]):
        page = sam.give_password()
        assert sam.post(page, code=code).status_code == 403
        assert not sam.is_signed_in()


def test_a_form_is_no_proof_of_a_second_factor(hub: SignInHub) -> None:
    """Whatever a form says of factors, roles or names, the second step comes after the first."""
    uwe = hub.person("uwe", "reviewer")
    page = uwe.browser.get("/hub/login")
    fields = {
        "username": "uwe",
        "password": PASSWORD,
        "factor": "totp",
        "otp": uwe.code(),
        "account": "uwe",
        "groups": "platform",
    }
    assert "/hub/second-factor" in str(uwe.post(page, "/hub/login", **fields).url)
    assert not uwe.is_signed_in()
    other = Person(hub, "uwe")
    page = other.browser.get("/hub/login")
    assert "/hub/login" in str(other.post(page, "/hub/second-factor", code=uwe.code()).url)
    assert not other.is_signed_in()


@pytest.mark.parametrize(
    "path",
    [
        "/hub/enrol",
        "/hub/enrol/factor",
        "/hub/enrol/passkey",
        "/hub/second-factor",
        "/hub/second-factor/passkey",
        "/hub/login",
    ],
)
def test_a_post_from_another_site_is_refused(hub: SignInHub, path: str) -> None:
    """No passkey is registered and no code is taken without the token of the page (CSRF)."""
    name = "vera" + digest_of(path)[:6]
    vera = hub.person(name, "reviewer")
    token, code = hub.link(name + "x", "reviewer")
    page = vera.browser.get("/hub/enrol", params={"key": token})
    vera.post(page, "/hub/enrol", link=token, code=code, password=PASSWORD, again=PASSWORD)
    for headers, content in (
        ({"Content-Type": "application/json"}, b'{"id": "x", "rawId": "x", "type": "public-key", "response": {}}'),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"code=123456&without=yes&username=vera"),
    ):
        foreign = {
            **headers,
            "Origin": "http://evil.example",
            "Referer": "http://evil.example/",
            "Sec-Fetch-Mode": "cors",
        }
        assert vera.browser.post(path, content=content, headers=foreign).status_code == 403
    assert not hub.store.is_enrolled(hub.accounts.get(name + "x"))


def test_a_removed_account_with_a_live_cookie_and_token_is_signed_out(hub: SignInHub) -> None:
    """Within seconds; the same for a token that the hub issued."""
    wim = hub.person("wim", "researcher")
    wim.sign_in()
    page = wim.browser.get("/hub/token")
    xsrf = page.text.partition('xsrf_token: "')[2].partition('"')[0]
    answer = wim.browser.post(
        "/hub/api/users/wim/tokens", json={"note": "x"}, headers={"X-XSRFToken": xsrf, "Referer": str(page.url)}
    )
    token = answer.json().get("token", "") if answer.status_code < 300 else ""
    hub.changes.request_removal("wim", by=PETRA)
    until = time.monotonic() + 10
    while wim.is_signed_in():
        assert time.monotonic() < until
    assert wim.give_password().status_code == 403
    if token:
        known = httpx.get(f"{hub.url}/hub/api/user", headers={"Authorization": f"token {token}"})
        assert known.status_code == 403


def test_neither_file_nor_log_holds_a_secret_in_clear(hub: SignInHub) -> None:
    """The credentials are for the hub's user alone; the ledger and the log know no password, token or code."""
    xena = hub.person("xena", "reviewer")
    xena.sign_in()
    path = hub.store.path
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    texts = [path.read_bytes(), (hub.home.root / "ledgers" / "desk.jsonl").read_bytes(), hub.log.read_bytes()]
    for secret in (PASSWORD, *xena.recovery_codes):
        assert not any(secret.encode() in text for text in texts)
    assert xena.secret.encode() not in texts[1] + texts[2]
