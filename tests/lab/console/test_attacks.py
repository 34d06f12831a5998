"""Attacks on signed-in users: by displayed content, by forged requests, and by foreign cookies."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx
import pytest

from credit.actor import Actor, Role
from lab.console.cookies import SESSION, CookieJar
from tests.lab.accounts.made_accounts import remove_account
from tests.lab.console import parcel_files
from tests.lab.console.servers import PREFIX, Servers, form_token
from tests.lab.console.zone import FIRST, SECOND

pytestmark = [pytest.mark.servers, pytest.mark.attack]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg onload=alert(3)>{{7*7}}"


class Tags(HTMLParser):
    """The tags and attributes of a page, as a browser parses them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def harmless(page: str) -> None:
    """The page has one script, no handlers, styles or outside links, and no template expression was evaluated."""
    tags = Tags(page)
    assert tags.tags.count("script") == 1
    assert not {"iframe", "object", "embed", "svg", "style", "base"} & set(tags.tags)
    for name, value in tags.attributes:
        assert not name.startswith("on"), name
        assert name not in ("style", "srcdoc"), name
        if name in ("href", "src", "action", "formaction"):
            own = re.fullmatch(
                r"(http://(127\.0\.0\.1|localhost):\d+)?/hub/factors", value
            )  # the hub's page of factors
            assert own or value.startswith((PREFIX, "#")), value
    assert "49}" not in page
    assert ">49" not in page


def test_markup_of_researchers_is_shown_as_text(servers: Servers) -> None:
    """Markup in table cells, headings, titles, descriptions, notebook sources and file names is displayed as text."""
    cell = EVIL.replace(",", " ").replace('"', '""')
    table = f'行业,户数\n"{cell}",400\n制造业,435\n'.encode()
    notebook = parcel_files.notebook().replace("从公共信用记录".encode(), EVIL.replace('"', "'").encode())
    parcel = {"a (1) b.csv": table, "n.ipynb": notebook, "t.md": f"# {EVIL}\n".encode()}
    name = servers.zone.submit(parcel, f"标题 {EVIL}"[:200])
    client = servers.login("li")
    for file in parcel:
        page = client.get(f"{servers.console}parcels/{name}", params={"file": file})
        assert page.status_code == 200
        harmless(page.text)
        assert "&lt;script&gt;alert(1)" in page.text
    harmless(client.get(f"{servers.console}parcels").text)
    harmless(client.get(f"{servers.console}ledger", params={"text": EVIL, "by": EVIL, "verb": EVIL}).text)
    entry = servers.zone.ledger.head()[0]
    harmless(client.get(f"{servers.console}ledger/research/{entry}").text)
    harmless(client.get(f"{servers.console}nowhere/{EVIL}").text)


def test_a_picture_is_redrawn(servers: Servers) -> None:
    """A browser receives a new PNG of the pixels."""
    client, name = servers.login("li"), servers.zone.parcels["fresh"]
    answer = client.get(f"{servers.console}parcels/{name}/picture", params={"file": "importance.png"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.content.startswith(b"\x89PNG")
    refused = client.get(f"{servers.console}parcels/{name}/picture", params={"file": "notes.md"})
    assert refused.status_code == 404


def test_an_author_who_becomes_a_reviewer_cannot_vote(servers: Servers) -> None:
    """An author can neither vote on nor see the files of their own parcel, by the page or by a forged form."""
    zone = servers.zone
    zone.add_account("yan", Role.RESEARCHER)
    zone.projects.set_members("geti", ("bo", "yan"), by=FIRST)
    name = zone.submit({"own.csv": parcel_files.rounded("类", 5)}, "自己的申请", user="yan", project="geti")
    change = zone.account_changes.request_roles("yan", ("reviewer",), by=FIRST).change
    zone.account_changes.confirm(change, by=SECOND)
    client = servers.login("yan")
    page = client.get(f"{servers.console}parcels/{name}")
    assert page.status_code == 200
    assert "/vote" not in page.text
    assert "/download" not in page.text
    token = {"form_token": form_token(page.text)}
    voted = client.post(
        f"{servers.console}parcels/{name}/vote", data={**token, "decision": "approve", "reason": "fine"}
    )
    assert voted.status_code == 403
    question = client.post(f"{servers.console}parcels/{name}/ask", data={**token, "question": "why?"})
    assert question.status_code == 403
    assert "<td" not in page.text.split("<aside")[0]
    assert zone.airlock.get(name).ballot is None


def test_the_first_vote_is_secret_before_the_second(servers: Servers) -> None:
    """The other reviewer's pages do not depend on the first vote; the author's pages do not show that it exists."""
    zone = servers.zone
    pages: dict[str, list[str]] = {"chen": [], "alice": []}
    for approve, key in ((True, "甲"), (False, "乙")):
        rows = "".join(f"{key}{n},{405 + 35 * n}\n" for n in range(4))  # nothing in it needs words about others
        name = zone.submit({"blind.csv": f"区,户数\n{rows}".encode()}, "背靠背")
        zone.vote(name, approve, "the reason nobody may read yet", by=Actor("li", Role.REVIEWER))
        for reader, texts in pages.items():
            client = servers.login(reader)
            text = client.get(f"{servers.console}parcels/{name}").text + client.get(f"{servers.console}").text
            assert "nobody may read" not in text
            plain = re.sub(r"[0-9a-f]{16,64}|[0-9a-f]{12}|\d\d:\d\d|[甲乙]|class=\"state", "", text)
            texts.append(re.sub(r"\s+", " ", plain.split('<section class="beneath"')[0]))
    assert pages["chen"][0] == pages["chen"][1]
    assert pages["alice"][0] == pages["alice"][1]
    assert "one vote cast" not in pages["alice"][0]


def test_a_session_planted_before_the_login_is_replaced(servers: Servers) -> None:
    """Session fixation: an earlier session cookie is replaced and is refused afterwards."""
    planted = CookieJar(servers.token).seal(SESSION, {"token": "planted"})
    client = servers.client()
    answer = client.get(servers.console, headers={"Cookie": f"{SESSION}={planted}"})
    assert answer.status_code == 302
    assert f'{SESSION}=""' in " ".join(answer.headers.get_list("set-cookie"))
    honest = servers.login("li")
    cookie = next(each for each in honest.cookies.jar if each.name == SESSION)
    assert cookie.value != planted
    assert cookie.path == PREFIX
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "lax"
    assert client.get(servers.console, headers={"Cookie": f"{SESSION}={planted}"}).status_code == 302


def test_a_token_that_the_hub_did_not_issue_for_the_console_is_refused(servers: Servers) -> None:
    """The service's own token and an invented token are refused, even when sealed with the right key."""
    for token in (servers.token, "f" * 32):
        sealed = CookieJar(servers.token).seal(SESSION, {"token": token})
        answer = httpx.get(servers.console, headers={"Cookie": f"{SESSION}={sealed}"})
        assert answer.status_code == 302


def test_a_removed_account_s_session_ends_at_once(servers: Servers) -> None:
    """The next request is refused although the hub knows the name and the cookie is valid."""
    zone = servers.zone
    zone.add_account("gone1", Role.PLATFORM)
    client = servers.login("gone1")
    page = client.get(f"{servers.console}accounts")
    assert page.status_code == 200
    remove_account(zone.account_changes, "gone1", by=FIRST, second=SECOND)
    assert client.get(f"{servers.console}accounts").status_code == 403
    token = form_token(page.text)
    form = {"form_token": token, "name": "mallory", "roles": "platform"}
    assert client.post(f"{servers.console}accounts", data=form).status_code == 403
    assert "mallory" not in zone.accounts.all()


def test_a_removed_role_ends_at_once(servers: Servers) -> None:
    """Roles are read from the accounts at every request, not from the session."""
    zone = servers.zone
    zone.add_account("demoted", Role.PLATFORM)
    client = servers.login("demoted")
    assert client.get(f"{servers.console}accounts").status_code == 200
    change = zone.account_changes.request_roles("demoted", ("researcher",), by=FIRST).change
    zone.account_changes.confirm(change, by=SECOND)
    assert client.get(f"{servers.console}accounts").status_code == 403
    remove_account(zone.account_changes, "demoted", by=FIRST, second=SECOND)


def test_a_user_of_the_hub_without_an_account_sees_nothing(servers: Servers) -> None:
    """A user of the hub without an account of the lab is refused."""
    client = servers.client(follow_redirects=True)
    page = client.get(servers.console)
    form = {"username": "mallory", "password": "x", "_xsrf": client.cookies["_xsrf"]}
    answer = client.post(str(page.url), data=form)
    assert answer.status_code == 403
    assert "该账户已不存在" in answer.text


def test_logging_out_ends_the_session_in_the_hub_too(servers: Servers) -> None:
    """A copy of the cookie is refused after the log-out."""
    client = servers.login("li")
    cookie = next(each for each in client.cookies.jar if each.name == SESSION).value
    token = form_token(client.get(servers.console).text)
    client.post(f"{servers.console}logout", data={"form_token": token})
    answer = httpx.get(servers.console, headers={"Cookie": f"{SESSION}={cookie}"})
    assert answer.status_code == 302
