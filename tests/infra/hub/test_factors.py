"""A person changes what they sign in with, alone and after a recent sign-in; each change is an entry first."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.infra.hub.sign_in_hub import PASSWORD, PETRA, Person, SignInHub

pytestmark = pytest.mark.servers
NEW = "another horse battery"
PAGE = "/hub/factors"


def entries(hub: SignInHub, name: str) -> list[tuple[str, list[str], str]]:
    """What the ledger says about someone's factors."""
    return [
        (each.verb, list(each.details["factors"]), each.details["factor"])
        for each in hub.home.ledger("desk").about(f"user-{name}")
        if each.verb.startswith("factor.")
    ]


def signed_in(hub: SignInHub, name: str, *roles: str) -> Person:
    person = hub.person(name, *roles)
    person.sign_in()
    assert person.is_signed_in()
    return person


def change(person: Person, path: str, **fields: str) -> httpx.Response:
    return person.post(person.browser.get(PAGE), f"{PAGE}{path}", **fields)


def age_sign_ins(hub: SignInHub, name: str) -> None:
    """Make every sign-in of a person six minutes older, in the file of the hub."""
    with sqlite3.connect(Path(hub.log.parent) / "sign-ins.sqlite") as db:
        at = (datetime.now(UTC) - timedelta(minutes=6)).isoformat(timespec="microseconds")
        assert db.execute("UPDATE sign_ins SET at = ? WHERE user = ?", (at, name)).rowcount


def test_an_enrolment_is_an_entry_of_its_person(hub: SignInHub) -> None:
    """It names the kinds, by whom, and no secret."""
    person = hub.person("faye", "reviewer")
    assert entries(hub, "faye") == [("factor.enrolled", ["password", "totp", "recovery-codes"], "link")]
    (entry,) = [each for each in hub.home.ledger("desk").about("user-faye") if each.verb == "factor.enrolled"]
    assert str(entry.by) == "reviewer:faye"
    text = hub.home.ledger("desk").path.read_text()
    assert person.secret not in text
    assert not any(code in text for code in person.recovery_codes)


def test_a_new_password_ends_every_other_session(hub: SignInHub) -> None:
    gus = signed_in(hub, "gus", "reviewer")
    other = Person(hub, "gus")
    other.secret, other.step = gus.secret, gus.step
    other.sign_in()
    assert other.is_signed_in()
    page = change(gus, "/password", password=NEW, again=NEW)
    assert page.status_code == 200
    assert "The password was changed" in page.text
    assert gus.is_signed_in()
    assert not other.is_signed_in()
    assert not hub.store.password_matches(hub.accounts.get("gus"), PASSWORD)
    assert hub.store.password_matches(hub.accounts.get("gus"), NEW)
    assert entries(hub, "gus")[1:] == [("factor.replaced", ["password"], "totp")]


@pytest.mark.attack
def test_a_new_password_ends_what_the_person_has_of_tokens(hub: SignInHub) -> None:
    """Who had the browser for a minute may have made one for later, under any note."""
    kim = signed_in(hub, "kim", "reviewer")
    page = kim.browser.get("/hub/token")
    headers = {"X-XSRFToken": page.text.partition('xsrf_token: "')[2].partition('"')[0], "Referer": str(page.url)}
    notes = ("x", "Server at /user/kim/")
    made = [kim.browser.post("/hub/api/users/kim/tokens", json={"note": note}, headers=headers) for note in notes]
    assert change(kim, "/password", password=NEW, again=NEW).status_code == 200
    for each in made:
        bearer = {"Authorization": f"token {each.json()['token']}"}
        assert httpx.get(f"{hub.url}/hub/api/user", headers=bearer).status_code == 403
    assert kim.is_signed_in()


def test_a_password_that_is_too_short_or_differs_changes_nothing(hub: SignInHub) -> None:
    hal = signed_in(hub, "hal", "reviewer")
    for password, again in (("short", "short"), (NEW, PASSWORD), ("", "")):
        assert change(hal, "/password", password=password, again=again).status_code == 403
    assert hub.store.password_matches(hub.accounts.get("hal"), PASSWORD)
    assert len(entries(hub, "hal")) == 1


def test_an_app_is_replaced_when_the_new_one_has_shown_a_code(hub: SignInHub) -> None:
    """Until then the one before counts, and afterwards it does not."""
    ida = signed_in(hub, "ida", "reviewer")
    before = ida.secret
    page = ida.browser.get(f"{PAGE}/totp")
    match = re.search(r'id="totp_secret">([A-Z2-7 ]+)<', page.text)
    assert match
    assert ida.post(page, f"{PAGE}/totp", code="000000").status_code == 403
    assert hub.store.totp_secret(hub.accounts.get("ida")) == before
    ida.secret, ida.step = match[1].replace(" ", ""), 0
    assert "The app was replaced" in ida.post(page, f"{PAGE}/totp", code=ida.code()).text
    assert hub.store.totp_secret(hub.accounts.get("ida")) == ida.secret != before
    assert entries(hub, "ida")[1:] == [("factor.replaced", ["totp"], "totp")]


def test_new_recovery_codes_end_the_earlier_ones_and_are_shown_once(hub: SignInHub) -> None:
    joy = signed_in(hub, "joy", "reviewer")
    page = change(joy, "/recovery-codes")
    codes = re.findall(r"<code>([A-Z0-9]{4}(?:-[A-Z0-9]{4}){3})</code>", page.text)
    assert len(set(codes)) == 10
    assert not set(codes) & set(joy.recovery_codes)
    assert codes[0] not in joy.browser.get(f"{PAGE}/recovery-codes").text
    account = hub.accounts.get("joy")
    assert not hub.store.accepts_recovery_code(account, joy.recovery_codes[0])
    assert hub.store.accepts_recovery_code(account, codes[0])
    assert entries(hub, "joy")[1:] == [("factor.replaced", ["recovery-codes"], "totp")]


def test_who_lost_an_app_signs_in_with_a_recovery_code_and_adds_the_next(hub: SignInHub) -> None:
    kai = hub.person("kai", "reviewer")
    kai.sign_in(code=kai.recovery_codes[0])
    page = kai.browser.get(f"{PAGE}/totp")
    match = re.search(r'id="totp_secret">([A-Z2-7 ]+)<', page.text)
    assert match
    kai.secret, kai.step = match[1].replace(" ", ""), 0
    kai.post(page, f"{PAGE}/totp", code=kai.code())
    assert entries(hub, "kai")[1:] == [("factor.replaced", ["totp"], "recovery")]


def test_who_had_no_second_factor_adds_one_and_gets_recovery_codes(hub: SignInHub) -> None:
    """A researcher who went without signs in with it from then on."""
    token, _ = hub.link("lea", "researcher")
    lea = Person(hub, "lea")
    page = lea.browser.get("/hub/enrol", params={"key": token})
    page = lea.post(page, "/hub/enrol", link=token, password=PASSWORD, again=PASSWORD)
    lea.post(page, "/hub/enrol/factor", without="yes")
    lea.give_password()
    page = lea.browser.get(f"{PAGE}/totp")
    match = re.search(r'id="totp_secret">([A-Z2-7 ]+)<', page.text)
    assert match
    lea.secret, lea.step = match[1].replace(" ", ""), 0
    page = lea.post(page, f"{PAGE}/totp", code=lea.code())
    assert len(re.findall(r"<code>[A-Z0-9-]{19}</code>", page.text)) == 10
    assert entries(hub, "lea") == [
        ("factor.enrolled", ["password"], "link"),
        ("factor.added", ["totp", "recovery-codes"], "password"),
    ]
    lea.new_browser()
    lea.give_password()
    assert not lea.is_signed_in()


@pytest.mark.attack
def test_a_sign_in_of_six_minutes_ago_or_without_the_second_factor_changes_nothing(hub: SignInHub) -> None:
    """The page is shown, with the way to sign in again and without any form."""
    mia = signed_in(hub, "mia", "reviewer")
    page = mia.browser.get(PAGE)
    age_sign_ins(hub, "mia")
    for path, fields in (("/password", {"password": NEW, "again": NEW}), ("/recovery-codes", {})):
        refused = mia.post(page, f"{PAGE}{path}", **fields)
        assert refused.status_code == 403
        assert "sign in again" in refused.text
        assert "login-again" in refused.text
    assert mia.browser.get(f"{PAGE}/totp").status_code == 403
    shown = mia.browser.get(PAGE)
    assert shown.status_code == 200
    assert "<form" not in shown.text
    assert len(entries(hub, "mia")) == 1
    assert hub.store.password_matches(hub.accounts.get("mia"), PASSWORD)


@pytest.mark.attack
def test_neither_an_anonymous_client_nor_a_token_changes_factors(hub: SignInHub) -> None:
    """Without a login the page leads to it; a token is no person; a form of another site is refused."""
    with httpx.Client(base_url=hub.url) as anonymous:
        assert "/hub/login" in anonymous.get(PAGE).headers["Location"]
    ned = signed_in(hub, "ned", "reviewer")
    page = ned.browser.get("/hub/token")
    xsrf = page.text.partition('xsrf_token: "')[2].partition('"')[0]
    headers = {"X-XSRFToken": xsrf, "Referer": str(page.url)}
    token = ned.browser.post("/hub/api/users/ned/tokens", json={"note": "x"}, headers=headers).json()["token"]
    session = {each.name: each.value or "" for each in ned.browser.cookies.jar if "session" in each.name}
    for cookies in ({}, session):
        bearer = {"Authorization": f"token {token}"}
        with httpx.Client(base_url=hub.url, headers=bearer, cookies=cookies) as thief:
            assert thief.get(PAGE).status_code == 403
            assert thief.post(f"{PAGE}/password", data={"password": NEW, "again": NEW}).status_code == 403
            assert thief.get(f"{PAGE}/totp").status_code == 403
    foreign = {"Origin": "http://evil.example", "Referer": "http://evil.example/", "Sec-Fetch-Mode": "cors"}
    for path in ("/password", "/recovery-codes", "/totp", "/passkeys", "/passkeys/00/remove", "/passkeys/00/name"):
        assert (
            ned.browser.post(f"{PAGE}{path}", data={"password": NEW, "again": NEW}, headers=foreign).status_code == 403
        )
    assert hub.store.password_matches(hub.accounts.get("ned"), PASSWORD)
    assert len(entries(hub, "ned")) == 1


@pytest.mark.attack
def test_a_receipt_that_the_hub_did_not_give_writes_no_entry(hub: SignInHub) -> None:
    """A process that reaches the desk's socket makes it write nothing about anyone's factors."""
    from credit.errors import CreditError
    from credit.requests.desk_client import DeskClient
    from infra.desk.running import named_socket

    before = hub.home.ledger("desk").head()
    for receipt in ("", "x" * 43, "../sign-in", 7, {"account": "petra"}):
        with pytest.raises(CreditError):
            DeskClient(named_socket(hub.home)).call("POST", "/factors", {"receipt": receipt, "account": "petra"})
    assert httpx.get(f"{hub.url}/hub/api/factor-change", headers={"X-Receipt": "x" * 43}).status_code == 404
    assert hub.home.ledger("desk").head() == before


@pytest.mark.attack
def test_a_removed_account_with_a_live_cookie_changes_nothing(hub: SignInHub) -> None:
    ole = signed_in(hub, "ole", "researcher")
    page = ole.browser.get(PAGE)
    hub.changes.request_removal("ole", by=PETRA)
    ole.browser.follow_redirects = False
    refused = ole.post(page, f"{PAGE}/password", password=NEW, again=NEW)
    assert refused.status_code in (302, 403)
    assert len(entries(hub, "ole")) == 1


@pytest.mark.parametrize(
    ("language", "words", "others"),
    [("zh-CN,zh;q=0.9", ("登录方式", "通行密钥", "验证器应用", "更换密码"), "Sign-in methods</h1>"),
     ("en", ("Sign-in methods", "Passkey", "Change password"), "更换密码")],
)  # fmt: skip
def test_the_page_is_in_the_language_of_the_browser(
    hub: SignInHub, language: str, words: tuple[str, ...], others: str
) -> None:
    name = "pat" + language[:2]
    pat = Person(hub, name, language)
    pat.enrol(*hub.link(name, "reviewer"))
    pat.sign_in()
    page = pat.browser.get(PAGE)
    assert all(word in page.text for word in words), page.text
    assert others not in page.text
