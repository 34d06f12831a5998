"""Attacks on one who is logged in: by what they are shown, by what they are sent, and by cookies of others."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx
import pytest

from credit.actor import Actor, Role
from lab.console.cookies import SESSION, CookieJar
from tests.lab.console import parcel_files
from tests.lab.console.servers import PREFIX, Stand, form_token
from tests.lab.console.zone import FIRST, PASSWORD

pytestmark = [pytest.mark.servers, pytest.mark.attack]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg onload=alert(3)>{{7*7}}"


class Tags(HTMLParser):
    """What tags and attributes a browser would find."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def harmless(page: str) -> None:
    """No script but ours, no handler, no style, no address outside, and nothing of the template language was run."""
    found = Tags(page)
    assert found.tags.count("script") == 1
    assert not {"iframe", "object", "embed", "svg", "style", "base"} & set(found.tags)
    for name, value in found.attributes:
        assert not name.startswith("on"), name
        assert name not in ("style", "srcdoc"), name
        if name in ("href", "src", "action", "formaction"):
            assert value.startswith((PREFIX, "#")), value
    assert "49}" not in page
    assert ">49" not in page


def test_text_of_researchers_is_text(stand: Stand) -> None:
    """Markup in table cells, headings, titles, descriptions, notebook sources and file names is shown, not obeyed."""
    cell = EVIL.replace(",", " ").replace('"', '""')
    table = f'行业,户数\n"{cell}",400\n制造业,435\n'.encode()
    notebook = parcel_files.notebook().replace("从公共信用记录".encode(), EVIL.replace('"', "'").encode())
    parcel = {"a (1) b.csv": table, "n.ipynb": notebook, "t.md": f"# {EVIL}\n".encode(), "chart.svg": parcel_files.SVG}
    name = stand.zone.submit(parcel, f"标题 {EVIL}"[:200])
    client = stand.login("li")
    for file in parcel:
        page = client.get(f"{stand.console}parcels/{name}", params={"file": file})
        assert page.status_code == 200
        harmless(page.text)
        assert "&lt;script&gt;alert(1)" in page.text
    harmless(client.get(f"{stand.console}parcels").text)
    harmless(client.get(f"{stand.console}ledger", params={"text": EVIL, "by": EVIL, "verb": EVIL}).text)
    entry = stand.zone.ledger.head()[0]
    harmless(client.get(f"{stand.console}ledger/research/{entry}").text)
    harmless(client.get(f"{stand.console}nowhere/{EVIL}").text)


def test_a_drawing_is_shown_as_a_picture_in_a_sandbox(stand: Stand) -> None:
    """An SVG has its own address, served so that even when opened by itself nothing in it may run or be fetched."""
    client, name = stand.login("li"), stand.zone.parcels["asked"]
    page = client.get(f"{stand.console}parcels/{name}").text
    assert re.search(r'<img src="[^"]+/picture\?file=chart.svg"', page)
    answer = client.get(f"{stand.console}parcels/{name}/picture", params={"file": "chart.svg"})
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "script" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_picture_is_drawn_anew(stand: Stand) -> None:
    """What a browser gets is a PNG of the pixels, byte for byte another file than the parcel's."""
    client, name = stand.login("li"), stand.zone.parcels["fresh"]
    answer = client.get(f"{stand.console}parcels/{name}/picture", params={"file": "importance.png"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.content.startswith(b"\x89PNG")
    refused = client.get(f"{stand.console}parcels/{name}/picture", params={"file": "notes.md"})
    assert refused.status_code == 404


def test_a_download_is_a_download_and_is_written_down(stand: Stand) -> None:
    """The file itself comes as an attachment of no type, for reviewers of that parcel; the ledger says who took it."""
    name = stand.zone.parcels["fresh"]
    at = f"{stand.console}parcels/{name}/download"
    before = stand.zone.ledger.head()[0]
    answer = stand.login("li").get(at, params={"file": "行业分布.csv"})
    assert answer.content == parcel_files.exact()
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E8%A1%8C")
    assert answer.headers["x-content-type-options"] == "nosniff"
    last = list(stand.zone.ledger.entries())[before:]
    assert [(entry.verb, entry.object, str(entry.by)) for entry in last] == [("file.downloaded", name, "reviewer:li")]
    for other in ("alice", "bo", "wang"):
        assert stand.login(other).get(at, params={"file": "行业分布.csv"}).status_code == 403
    assert stand.login("li").get(at, params={"file": "../../../accounts.json"}).status_code == 404


def test_an_author_who_is_a_reviewer_finds_no_vote(stand: Stand) -> None:
    """Neither the page nor a form made by hand lets an author vote on, or download, their own parcel."""
    zone = stand.zone
    zone.projects.set_members("geti", ("bo", "zhao"), by=FIRST)
    name = zone.submit({"own.csv": parcel_files.rounded("类", 5)}, "自己的申请", user="zhao", project="geti")
    client = stand.login("zhao")
    page = client.get(f"{stand.console}parcels/{name}")
    assert page.status_code == 200
    assert "/vote" not in page.text
    assert "/download" not in page.text
    token = {"form_token": form_token(page.text)}
    voted = client.post(f"{stand.console}parcels/{name}/vote", data={**token, "decision": "approve", "reason": "fine"})
    assert voted.status_code == 403
    asked = client.post(f"{stand.console}parcels/{name}/ask", data={**token, "question": "why?"})
    assert asked.status_code == 403
    assert client.get(f"{stand.console}parcels/{name}/download", params={"file": "own.csv"}).status_code == 403
    assert zone.desk.get(name).ballot is None


def test_the_first_vote_is_not_to_be_learnt_before_the_second(stand: Stand) -> None:
    """The other reviewer's pages are the same whichever way the first voted; the author's do not show there was one."""
    zone = stand.zone
    pages: dict[str, list[str]] = {"chen": [], "alice": []}
    for approve, key in ((True, "甲"), (False, "乙")):
        name = zone.submit({"blind.csv": parcel_files.rounded(key, 3)}, "背靠背")
        zone.desk.vote(name, approve, "the reason nobody may read yet", by=Actor("li", Role.REVIEWER))
        for reader, found in pages.items():
            client = stand.login(reader)
            text = client.get(f"{stand.console}parcels/{name}").text + client.get(f"{stand.console}").text
            assert "nobody may read" not in text
            plain = re.sub(r"[0-9a-f]{16,64}|[0-9a-f]{12}|\d\d:\d\d|[甲乙]|class=\"state", "", text)
            found.append(re.sub(r"\s+", " ", plain.split('<section class="beneath"')[0]))
    assert pages["chen"][0] == pages["chen"][1]
    assert pages["alice"][0] == pages["alice"][1]
    assert "one vote in" not in pages["alice"][0]


def test_a_session_planted_before_the_login_is_not_the_one_after(stand: Stand) -> None:
    """Session fixation: what was in the browser before is replaced, and opens nothing afterwards."""
    planted = CookieJar(stand.token).seal(SESSION, {"token": "planted"})
    client = stand.client()
    answer = client.get(stand.console, headers={"Cookie": f"{SESSION}={planted}"})
    assert answer.status_code == 302
    assert f'{SESSION}=""' in " ".join(answer.headers.get_list("set-cookie"))
    honest = stand.login("li")
    cookie = next(each for each in honest.cookies.jar if each.name == SESSION)
    assert cookie.value != planted
    assert cookie.path == PREFIX
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "lax"
    assert client.get(stand.console, headers={"Cookie": f"{SESSION}={planted}"}).status_code == 302


def test_a_token_the_hub_did_not_give_for_the_console_opens_nothing(stand: Stand) -> None:
    """Even sealed with the right key: the service's own token is no user's, and a made-up one is nobody's."""
    for token in (stand.token, "f" * 32):
        sealed = CookieJar(stand.token).seal(SESSION, {"token": token})
        answer = httpx.get(stand.console, headers={"Cookie": f"{SESSION}={sealed}"})
        assert answer.status_code == 302


def test_a_removed_account_s_session_ends_at_once(stand: Stand) -> None:
    """The hub still knows the name and the cookie is whole, and the next request is refused."""
    zone = stand.zone
    zone.accounts.add("gone1", (Role.PLATFORM,), by=FIRST, ledger=zone.ledger, password=PASSWORD)
    client = stand.login("gone1")
    page = client.get(f"{stand.console}accounts")
    assert page.status_code == 200
    zone.accounts.remove("gone1", by=FIRST, ledger=zone.ledger)
    assert client.get(f"{stand.console}accounts").status_code == 403
    token = form_token(page.text)
    form = {"form_token": token, "name": "mallory", "roles": "platform"}
    assert client.post(f"{stand.console}accounts", data=form).status_code == 403
    assert "mallory" not in zone.accounts.all()


def test_a_role_taken_away_is_gone_at_once(stand: Stand) -> None:
    """Roles are read from the accounts at every request, whatever the session was begun as."""
    zone = stand.zone
    zone.accounts.add("demoted", (Role.PLATFORM,), by=FIRST, ledger=zone.ledger, password=PASSWORD)
    client = stand.login("demoted")
    assert client.get(f"{stand.console}accounts").status_code == 200
    zone.accounts.add("demoted", (Role.RESEARCHER,), by=FIRST, ledger=zone.ledger, password=PASSWORD)
    assert client.get(f"{stand.console}accounts").status_code == 403
    zone.accounts.remove("demoted", by=FIRST, ledger=zone.ledger)


def test_a_user_of_the_hub_without_an_account_sees_nothing(stand: Stand) -> None:
    """Being known to the hub is not being known to the lab."""
    client = stand.client(follow_redirects=True)
    page = client.get(stand.console)
    form = {"username": "mallory", "password": "x", "_xsrf": client.cookies["_xsrf"]}
    answer = client.post(str(page.url), data=form)
    assert answer.status_code == 403
    assert "not there any more" in answer.text


def test_logging_out_ends_the_session_in_the_hub_too(stand: Stand) -> None:
    """A copy of the cookie made before is worth nothing after."""
    client = stand.login("li")
    cookie = next(each for each in client.cookies.jar if each.name == SESSION).value
    token = form_token(client.get(stand.console).text)
    client.post(f"{stand.console}logout", data={"form_token": token})
    answer = httpx.get(stand.console, headers={"Cookie": f"{SESSION}={cookie}"})
    assert answer.status_code == 302
