"""No route of the console gives a file of a parcel before it was collected, by any request of any person in any state.

The routes are those of the app's own table, so a new one is tried as soon as it exists. Each is requested by a person
of every role, by the author, by a reviewer and by a named recipient, for each file of a parcel in each state.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from credit.actor import Actor, Role
from lab.airlock.gate import judge_parcel
from lab.console.access_rules import access_of
from tests.lab.console import parcel_files
from tests.lab.console.servers import PREFIX, Servers, form_token, routes_of

pytestmark = [pytest.mark.servers, pytest.mark.attack]
ALICE, LI, CHEN = Actor("alice", Role.RESEARCHER), Actor("li", Role.REVIEWER), Actor("chen", Role.REVIEWER)
PEOPLE = ("bo", "li", "wang", "sun", "he", "guo", "alice")
"""A member, a reviewer, the platform, an auditor, the city, a bank, and last the author, who may withdraw it."""
FILES = ("rows.csv", "seen.png", "words.md")
MARK = "松江牌坊"  # a label of the table and of the text, which no other page has
BEFORE = ("submitted", "half", "questioned", "refused", "withdrawn")
STATES = (*BEFORE, "approved", "received")


def content(number: int) -> dict[str, bytes]:
    """The files of one parcel: with a label that nothing else on the pages has, and numbers of their own."""
    rows = "".join(f"{MARK}{n},{4000 + 1000 * number + 35 * n}\n" for n in range(1, 5))
    picture = Image.open(io.BytesIO(parcel_files.picture())).convert("RGB")
    picture.paste("#aa2211", (10 * number, 5, 10 * number + 8, 40))
    sink = io.BytesIO()
    picture.save(sink, "PNG")
    text = f"# {MARK}\n\n处罚在逾期之前一至两个季度增多。\n"
    return dict(zip(FILES, (f"区,户数\n{rows}".encode(), sink.getvalue(), text.encode()), strict=True))


@pytest.fixture(scope="module")
def parcels(servers: Servers) -> dict[str, str]:
    """A parcel of alice's in every state, for guo of a bank."""
    zone, airlock = servers.zone, servers.zone.airlock
    names = {}
    for number, state in enumerate(STATES):
        name = names[state] = zone.submit(content(number), f"走查 {state}", recipients=("guo",))
        if state in ("half", "approved", "received", "refused"):
            zone.vote(name, True, "已核对", by=LI)
        if state in ("approved", "received", "refused"):
            zone.vote(name, state != "refused", "已核对", by=CHEN)
        if state == "questioned":
            airlock.send_question(name, "总体是什么？", by=LI)
        if state == "withdrawn":
            airlock.withdraw(name, by=ALICE)
        if state == "received":
            airlock.collect(name, by=ALICE)
    return names


@pytest.fixture(scope="module")
def browsers(servers: Servers) -> dict[str, tuple[httpx.Client, str]]:
    """A signed-in client of each person, and the token of its forms."""
    clients = {name: servers.login(name) for name in PEOPLE}
    return {name: (client, form_token(client.get(servers.console).text)) for name, client in clients.items()}


def addresses(app: FastAPI, parcel: str) -> Iterator[tuple[str, str]]:
    """Method and path of every route of the app, those with an id about a parcel."""
    for route in routes_of(app):
        filled = {"id": parcel, "zone": "research", "number": "1", "language": "en", "act": "confirm"}
        filled["model"] = "enterprise"
        for method in sorted(route.methods or ()):
            # The forms of a project that is none: they would change the one that other tests have.
            name = "none" if method == "POST" else "xiaowei"
            path = route.path.removeprefix(PREFIX).format(**filled, name=name)
            if access_of(route.endpoint) is not None and path not in ("logout", "login", "oauth_callback"):
                yield method, path


def given(answer: httpx.Response, leaving: dict[str, bytes]) -> set[str]:
    """The names of the files of which an answer has the bytes, whole or within something else."""
    return {name for name, each in leaving.items() if each in answer.content}


@pytest.mark.parametrize("state", STATES)
def test_no_route_gives_a_file_that_was_not_collected(
    state: str, app: FastAPI, servers: Servers, parcels: dict[str, str], browsers: dict[str, tuple[httpx.Client, str]]
) -> None:
    parcel, tried = parcels[state], 0
    leaving = judge_parcel(content(STATES.index(state))).leaving
    for person, (client, token) in browsers.items():
        for method, path in addresses(app, parcel):
            if parcel not in path and state != STATES[0]:
                continue  # the page is about no parcel: it was requested once
            for file in FILES if parcel in path else ("",):
                words = {"file": file, "form_token": token}
                sent: dict[str, dict[str, str]] = {"data": words} if method == "POST" else {"params": words}
                answer = client.request(method, servers.console + path, **sent)  # type: ignore[arg-type]
                tried += 1
                if person in ("alice", "guo") and servers.zone.airlock.get(parcel).sealed:
                    continue  # who may have what was collected: see below
                where = f"{method} {path} to {person} in {state}"
                assert not given(answer, leaving), f"a file was given by {where}"
                if person not in ("li", "alice") or (state in BEFORE and person == "alice"):
                    assert MARK.encode() not in answer.content, f"a file was shown by {where}"
                    image = answer.headers.get("content-type", "").startswith("image/")
                    assert not image or "picture" not in path, where
    assert tried > 100
    assert servers.zone.airlock.get(parcel).sealed is None or state in ("received", "approved")


def test_a_reviewer_sees_what_would_leave_as_a_preview(servers: Servers, parcels: dict[str, str]) -> None:
    """The points of the picture that would leave, in another file; its author gets nothing before the approval."""
    number = STATES.index("submitted")
    leaving = judge_parcel(content(number)).leaving["seen.png"]
    at = f"{servers.console}parcels/{parcels['submitted']}/picture"
    shown = servers.login("li").get(at, params={"file": "seen.png"})
    assert shown.headers["content-type"] == "image/png"
    assert shown.content != leaving
    same = [Image.open(io.BytesIO(each)).convert("RGB").tobytes() for each in (shown.content, leaving)]
    assert same[0] == same[1]
    assert servers.login("alice").get(at, params={"file": "seen.png"}).status_code == 403


def downloads(servers: Servers, parcel: str) -> list[tuple[str, str]]:
    entries = servers.zone.ledger.about(parcel)
    return [(str(each.by), each.details["file"]) for each in entries if each.verb == "parcel.downloaded"]


def test_a_named_recipient_downloads_and_another_does_not(servers: Servers, parcels: dict[str, str]) -> None:
    """By the page of received parcels, each with an entry; another member, and another parcel's recipient, do not."""
    parcel, guo = parcels["received"], servers.login("guo")
    page = guo.get(f"{servers.console}received").text
    assert f"parcels/{parcel}/link" in page
    assert f"parcels/{parcels['approved']}/link" not in page
    leaving = judge_parcel(content(STATES.index("received"))).leaving
    form, before = {"form_token": form_token(page)}, downloads(servers, parcel)
    for name, wanted in leaving.items():
        answer = guo.post(f"{servers.console}parcels/{parcel}/link", data=form | {"file": name})
        assert answer.content == wanted
    assert downloads(servers, parcel) == [*before, *(("bank:guo", name) for name in leaving)]
    for name in ("bo", "he", "li"):
        other = servers.login(name)
        token = form_token(other.get(f"{servers.console}").text)
        refused = other.post(f"{servers.console}parcels/{parcel}/link", data={"form_token": token, "file": "rows.csv"})
        assert refused.status_code == 404
        assert parcel not in other.get(f"{servers.console}received").text
