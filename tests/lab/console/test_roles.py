"""Who may come where: every route of the app's own table, asked by every role, through a real login."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from credit.actor import Role
from credit.ledger import Ledger
from lab.console.access_rules import Access, access_of
from tests.lab.console.servers import PREFIX, Stand, form_token, routes_of

pytestmark = pytest.mark.servers
PEOPLE = {"wang": {Role.PLATFORM}, "li": {Role.REVIEWER}, "bo": {Role.RESEARCHER}}
NOT_YOURS = "may not open this page"


@pytest.fixture(scope="module")
def browsers(stand: Stand) -> dict[str, httpx.Client]:
    return {name: stand.login(name) for name in PEOPLE}


def paths(app: FastAPI, stand: Stand) -> list[tuple[str, str, Access]]:
    """Method, path with a thing that is there, and who may come."""
    filled = {"id": stand.zone.parcels["clean"], "zone": "research", "number": "1", "language": "en"}
    told = []
    for route in routes_of(app):
        access = access_of(route.endpoint)
        assert access is not None
        place = route.path.removeprefix(PREFIX)
        name = {"accounts": "nobody1", "orders": "order-none"}.get(place.split("/")[0], "xiaowei")
        path = stand.console + place.format(**filled, name=name)
        told += [(method, path, access) for method in route.methods if not access.open]
    return told


@pytest.mark.parametrize("name", PEOPLE)
def test_a_role_opens_its_own_pages_and_no_others(
    name: str, app: FastAPI, stand: Stand, browsers: dict[str, httpx.Client]
) -> None:
    """GET and POST alike: 403 for whoever has none of the route's roles, though their form token is right."""
    client = browsers[name]
    token, before = form_token(client.get(stand.console).text), stand.zone.ledger.head()
    asked = 0
    for method, path, access in paths(app, stand):
        allowed = bool(access.roles & PEOPLE[name])
        if method == "GET":
            answer = client.get(path)
            wanted = (200, 404) if "picture" in path or "download" in path else (200,)
            assert answer.status_code in (wanted if allowed else (403,)), (path, answer.status_code)
        elif not allowed:
            answer = client.post(path, data={"form_token": token})
            assert answer.status_code == 403, path
        else:
            continue
        asked += 1
        assert (NOT_YOURS in answer.text) == (not allowed), path
    assert asked > 15
    assert stand.zone.ledger.head() == before, "something was done by one who may not"


@pytest.mark.parametrize("given", ["", "0" * 64, "another's"])
def test_no_form_is_taken_without_the_token_of_its_session(
    given: str, app: FastAPI, stand: Stand, browsers: dict[str, httpx.Client]
) -> None:
    """A token that is missing, made up, or right for another session: refused on every form there is."""
    if given == "another's":
        given = form_token(stand.login("wang").get(stand.console).text)
    before = stand.zone.ledger.head()
    for name, roles in PEOPLE.items():
        for method, path, access in paths(app, stand):
            if method == "POST" and access.roles & roles:
                answer = browsers[name].post(path, data={"form_token": given} if given else {"decision": "approve"})
                assert answer.status_code == 403, path
                assert "not one of your session" in answer.text
    assert stand.zone.ledger.head() == before


def test_a_form_of_another_content_type_is_refused(stand: Stand, browsers: dict[str, httpx.Client]) -> None:
    """What a foreign page can send without being asked (text/plain, multipart) and what is too large is no form."""
    client = browsers["wang"]
    token = form_token(client.get(stand.console).text)
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/json", ""):
        answer = client.post(f"{stand.console}accounts", content=f"form_token={token}", headers={"Content-Type": kind})
        assert answer.status_code == 422, kind
    assert client.post(f"{stand.console}accounts", data={"form_token": token, "x": "y" * 70000}).status_code == 422


def test_a_researcher_sees_their_own_alone(stand: Stand, browsers: dict[str, httpx.Client]) -> None:
    """Another project, and another's parcel by its id, are not there for a researcher; nor are they in the lists."""
    client, parcels = browsers["bo"], stand.zone.parcels
    assert client.get(f"{stand.console}projects/shouxin").status_code == 404
    assert "shouxin" not in client.get(f"{stand.console}projects").text
    for state in ("fresh", "approved"):
        assert client.get(f"{stand.console}parcels/{parcels[state]}").status_code == 404
        picture = client.get(f"{stand.console}parcels/{parcels[state]}/picture", params={"file": "importance.png"})
        assert picture.status_code in (403, 404)
    assert client.get(f"{stand.console}parcels/{parcels['clean']}").status_code == 200
    assert parcels["fresh"] not in client.get(f"{stand.console}parcels").text


def test_the_platform_sees_no_file(stand: Stand, browsers: dict[str, httpx.Client]) -> None:
    """Who oversees reads what was asked and found; what is in the files is for the reviewers."""
    page = browsers["wang"].get(f"{stand.console}parcels/{stand.zone.parcels['fresh']}").text
    assert "Files are shown to the author and to reviewers" in page
    assert "data-key" not in page


def test_the_ledger_of_the_zone_still_verifies(stand: Stand) -> None:
    """After all of this every entry stands."""
    ledger: Ledger = stand.zone.ledger
    assert ledger.verify() > 30
