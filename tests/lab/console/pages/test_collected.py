"""A collected file leaves by the author's own link, which ends; each download is an entry, and closed exits stop it."""

from __future__ import annotations

import re
import time

import httpx
import pytest

from lab.airlock.exits import close_exits, open_exits
from lab.console.cookies import CookieJar
from tests.lab.console import parcel_files
from tests.lab.console.pages.test_page_actions import read_to_the_end, send
from tests.lab.console.servers import Servers
from tests.lab.console.zone import FIRST

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def parcel(servers: Servers) -> str:
    """A parcel of alice's that two reviewers approved and that she has collected, by the forms of the pages."""
    name = servers.zone.submit({"downloads.csv": parcel_files.rounded("旬", 4, base=1200)}, "下载测试")
    at = f"parcels/{name}"
    assert servers.login("alice").get(f"{servers.console}{at}/collected").status_code == 404
    for reviewer in ("li", "chen"):
        client = servers.login(reviewer)
        read_to_the_end(client, servers, at)
        send(client, servers, at, f"{at}/vote", decision="approve", reason="计数较大", confirmed="approve")
    assert "sealed in the outbox" in send(servers.login("alice"), servers, at, f"{at}/collect").text
    return name


def entries(servers: Servers, parcel: str) -> list[str]:
    return [entry.details["file"] for entry in servers.zone.ledger.about(parcel) if entry.verb == "parcel.downloaded"]


def download(client: httpx.Client, servers: Servers, parcel: str, file: str) -> httpx.Response:
    at = f"parcels/{parcel}"
    return send(client, servers, at, f"{at}/link", file=file)


def files_of(page: str) -> list[str]:
    return re.findall(r'name="file" value="([^"]+)"', page)


def test_the_author_downloads_what_was_sealed(servers: Servers, parcel: str) -> None:
    """Every file of the parcel, byte for byte, each with an entry; the link ends and is no other person's."""
    alice = servers.login("alice")
    names = files_of(alice.get(f"{servers.console}parcels/{parcel}").text)
    assert names
    sealed = servers.zone.airlock.get(parcel).sealed
    assert sealed is not None
    folder = next(servers.zone.settings.outbox.rglob(f"*{sealed.partition('-')[2][:12]}*"))
    for name in names:
        answer = download(alice, servers, parcel, name)
        assert answer.status_code == 200
        assert "attachment" in answer.headers["content-disposition"]
        assert answer.content == next(folder.rglob(name)).read_bytes()
    assert entries(servers, parcel) == names


@pytest.mark.attack
def test_a_link_is_one_persons_and_ends(servers: Servers, parcel: str) -> None:
    """Another person, another parcel, an old link and an altered one get nothing, and no entry is made."""
    alice, before = servers.login("alice"), entries(servers, parcel)
    answer = download(alice, servers, parcel, files_of(alice.get(f"{servers.console}parcels/{parcel}").text)[0])
    link = str(answer.url)
    before = [*before, *entries(servers, parcel)[len(before) :]]
    for client in (servers.login("bo"), servers.login("li")):
        assert client.get(link).status_code in (403, 404)
    assert alice.get(link.replace(parcel, servers.zone.parcels["clean"])).status_code == 404
    assert alice.get(link[:-8] + "AAAAAAAA").status_code == 404
    assert download(alice, servers, parcel, "../../keys/research.key").status_code == 404
    assert entries(servers, parcel) == before


@pytest.mark.attack
def test_a_link_lasts_ten_minutes() -> None:
    """Fernet keeps the moment in the token itself, so an old one is refused also from its owner."""
    from cryptography.fernet import Fernet

    jar = CookieJar("secret")
    old = jar._fernet("collected-file").encrypt_at_time(b'{"name": "alice"}', int(time.time()) - 601)
    assert isinstance(jar._fernet("collected-file"), Fernet)
    assert jar.open("collected-file", old.decode(), seconds=600) is None
    assert jar.open("collected-file", jar.seal("collected-file", {"name": "alice"}), seconds=600) == {"name": "alice"}


@pytest.mark.attack
def test_closed_exits_stop_downloads_and_collecting(servers: Servers, parcel: str) -> None:
    """At once, with the platform's reason; what was approved is there when they are opened."""
    alice = servers.login("alice")
    name = files_of(alice.get(f"{servers.console}parcels/{parcel}").text)[0]
    link = str(download(alice, servers, parcel, name).url)
    before = entries(servers, parcel)
    close_exits(servers.zone.ledger, "An incident is looked into", by=FIRST)
    try:
        assert alice.get(link).status_code == 503
        refused = download(alice, servers, parcel, name)
        assert refused.status_code == 503
        assert "An incident is looked into" in refused.text
        assert entries(servers, parcel) == before
    finally:
        open_exits(servers.zone.ledger, "It is over", by=FIRST)
    assert alice.get(link).status_code == 200
