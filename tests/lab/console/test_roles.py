"""Every role requests every route of the app's own table, through a real login."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from credit.actor import Role
from credit.ledger import Ledger
from lab.console.access_rules import Access, access_of
from tests.lab.console.servers import PREFIX, Servers, form_token, routes_of

pytestmark = pytest.mark.servers
PEOPLE = {"wang": {Role.PLATFORM}, "li": {Role.REVIEWER}, "bo": {Role.RESEARCHER}, "sun": {Role.AUDITOR}}
PEOPLE |= {"guo": {Role.BANK}, "he": {Role.CITY}}
OF_OBJECTS = ("picture", "collected", "cards/", "models/", "requests/", "deliveries/")  # of an object
NOT_YOURS = "may not open this page"


@pytest.fixture(scope="module")
def browsers(servers: Servers) -> dict[str, httpx.Client]:
    return {name: servers.login(name) for name in PEOPLE}


def paths(app: FastAPI, servers: Servers) -> list[tuple[str, str, Access]]:
    """Method, path with an existing object, and access rule of every route."""
    filled = {
        "id": servers.zone.parcels["clean"],
        "zone": "research",
        "number": "1",
        "language": "en",
        "act": "confirm",
        "model": "enterprise",
    }
    requests = []
    for route in routes_of(app):
        access = access_of(route.endpoint)
        assert access is not None
        place = route.path.removeprefix(PREFIX)
        name = {"accounts": "nobody1", "orders": "order-none"}.get(place.split("/")[0], "xiaowei")
        path = servers.console + place.format(**filled, name=name)
        requests += [(method, path, access) for method in route.methods if not access.open]
    return requests


@pytest.mark.parametrize("name", PEOPLE)
def test_a_role_opens_its_own_pages_and_no_others(
    name: str, app: FastAPI, servers: Servers, browsers: dict[str, httpx.Client]
) -> None:
    """GET and POST give 403 to users without one of the route's roles, even with a valid form token."""
    client = browsers[name]
    token, before = form_token(client.get(servers.console).text), servers.zone.ledger.head()
    checked = 0
    for method, path, access in paths(app, servers):
        allowed = bool(access.roles & PEOPLE[name])
        if method == "GET":
            answer = client.get(path)
            wanted = (200, 404) if any(each in path for each in OF_OBJECTS) else (200,)
            assert answer.status_code in (wanted if allowed else (403,)), (path, answer.status_code)
        elif not allowed:
            answer = client.post(path, data={"form_token": token})
            assert answer.status_code == 403, path
        else:
            continue
        checked += 1
        assert (NOT_YOURS in answer.text) == (not allowed), path
    assert checked > 12
    assert servers.zone.ledger.head() == before, "something was done by one who may not"


@pytest.mark.parametrize("given", ["", "0" * 64, "another's"])
def test_a_form_without_the_token_of_its_session_is_refused(
    given: str, app: FastAPI, servers: Servers, browsers: dict[str, httpx.Client]
) -> None:
    """Every form refuses a token that is missing, invented, or of another session."""
    if given == "another's":
        given = form_token(servers.login("wang").get(servers.console).text)
    before = servers.zone.ledger.head()
    for name, roles in PEOPLE.items():
        for method, path, access in paths(app, servers):
            if method == "POST" and access.roles & roles:
                answer = browsers[name].post(path, data={"form_token": given} if given else {"decision": "approve"})
                assert answer.status_code == 403, path
                assert "does not belong to your session" in answer.text
    assert servers.zone.ledger.head() == before


def test_a_form_of_another_content_type_is_refused(servers: Servers, browsers: dict[str, httpx.Client]) -> None:
    """Content types that another site can send (text/plain, multipart) and too large bodies are refused."""
    client = browsers["wang"]
    token = form_token(client.get(servers.console).text)
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/json", ""):
        answer = client.post(
            f"{servers.console}accounts", content=f"form_token={token}", headers={"Content-Type": kind}
        )
        assert answer.status_code == 422, kind
    assert client.post(f"{servers.console}accounts", data={"form_token": token, "x": "y" * 70000}).status_code == 422


def test_a_researcher_sees_only_their_own_projects_and_parcels(
    servers: Servers, browsers: dict[str, httpx.Client]
) -> None:
    """A researcher can neither open nor list other projects and the parcels of others."""
    client, parcels = browsers["bo"], servers.zone.parcels
    assert client.get(f"{servers.console}projects/shouxin").status_code == 404
    assert "shouxin" not in client.get(f"{servers.console}projects").text
    for state in ("fresh", "approved"):
        assert client.get(f"{servers.console}parcels/{parcels[state]}").status_code == 404
        picture = client.get(f"{servers.console}parcels/{parcels[state]}/picture", params={"file": "importance.png"})
        assert picture.status_code in (403, 404)
    assert client.get(f"{servers.console}parcels/{parcels['clean']}").status_code == 200
    assert parcels["fresh"] not in client.get(f"{servers.console}parcels").text


def test_the_platform_sees_no_file(servers: Servers, browsers: dict[str, httpx.Client]) -> None:
    """The platform team reads petitions and findings; only reviewers see the files."""
    page = browsers["wang"].get(f"{servers.console}parcels/{servers.zone.parcels['fresh']}").text
    assert "Files are shown to reviewers outside the project" in page
    assert "data-key" not in page


def test_the_ledger_of_the_zone_still_verifies(servers: Servers) -> None:
    """After all these requests the ledger verifies."""
    ledger: Ledger = servers.zone.ledger
    assert ledger.verify() > 30
