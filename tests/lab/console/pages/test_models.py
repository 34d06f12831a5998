"""A page says what is in production and since when, and its buttons make the requests that the verbs make."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest

from credit.shelf import Shelf
from infra.desk.register import Register
from tests.lab.console.made_versions import MadeVersions, approved_by_one, platform_ledger
from tests.lab.console.pages.test_page_actions import send
from tests.lab.console.servers import Servers, form_token, register_of
from tests.lab.console.zone import FIRST

pytestmark = pytest.mark.servers
WHY = "The population of the pilot changed"


@pytest.fixture
def register(servers: Servers) -> Iterator[Register]:
    """The desk's register; what is open at the end is cancelled."""
    register = register_of(servers)
    yield register
    for state in open_requests(register):
        register.cancel(state.request.id, by=FIRST)


def open_requests(register: Register) -> list:  # type: ignore[type-arg]
    register.catch_up()
    verbs = ("promote", "roll-back", "refuse-promotion")
    return [state for state in register.reader.states.all() if not state.ended and state.request.verb in verbs]


def page(servers: Servers, name: str, at: str = "models/enterprise") -> str:
    answer = servers.login(name, factor="totp").get(servers.console + at)
    assert answer.status_code == 200, answer.text[-400:]
    return html.unescape(answer.text)


def test_the_page_shows_what_is_in_production_and_what_waits(servers: Servers, versions: MadeVersions) -> None:
    """With the line of time, one band a change, and the figures of each version."""
    text = page(servers, "wang")
    assert text.count("<rect ") == 3
    assert "Rolled back: The newer one drifts" in text
    assert "requested by" in text.lower()
    assert ".7812" in text
    assert 'id="waiting">Waiting for a decision <span class="soft n">1</span>' in text
    assert versions.waiting[:20] in text
    listed = page(servers, "li", "models")
    assert "zhou" in listed
    assert "/services/console/models/enterprise" in listed


def test_who_had_no_part_gets_buttons_and_who_decides_nothing_gets_none(
    servers: Servers, versions: MadeVersions
) -> None:
    """Reviewers and auditors read; a promotion that waits is on the home page of the platform."""
    assert 'action="/services/console/models/enterprise/promote"' in page(servers, "wang")
    assert "A promotion waits for your decision" in page(servers, "wang", "")
    for name in ("li", "sun"):
        assert "models/enterprise/promote" not in page(servers, name)
        assert "models/enterprise/roll-back" not in page(servers, name)


def test_a_button_makes_the_request_of_the_verb_and_its_page_follows_it(
    servers: Servers, versions: MadeVersions, register: Register
) -> None:
    """With the version and the reason; the answer leads to the page of the request."""
    client = servers.login("wang", factor="totp")
    cases = (
        ("promote", "promote", versions.waiting, {"version": versions.waiting, "waiver": WHY}),
        ("refuse", "refuse-promotion", versions.waiting, {"version": versions.waiting, "why": WHY}),
        ("roll-back", "roll-back", versions.before, {"version": versions.before, "why": WHY}),
    )
    for act, verb, version, arguments in cases:
        before = {state.request.id for state in open_requests(register)}
        answer = send(client, servers, "models/enterprise", f"models/enterprise/{act}", version=version, why=WHY)
        (made,) = [each for each in open_requests(register) if each.request.id not in before]
        assert (made.request.verb, made.request.arguments) == (verb, arguments)
        assert str(answer.url).endswith(f"requests/{made.request.id}")
        assert "being carried out" in answer.text
        assert WHY in answer.text


@pytest.mark.parametrize(
    ("act", "form", "refusal"),
    [
        ("roll-back", {"why": ""}, "The reason is missing"),
        ("refuse", {"why": "x" * 401}, "longer than 400"),
        ("promote", {"version": "version-" + "0" * 64}, "no such version"),
        ("destroy", {}, "no such page"),
    ],
)
def test_a_wrong_form_is_refused_in_words_and_requests_nothing(
    servers: Servers, versions: MadeVersions, register: Register, act: str, form: dict[str, str], refusal: str
) -> None:
    client = servers.login("wang", factor="totp")
    token = form_token(client.get(f"{servers.console}models/enterprise").text)
    sent = {"form_token": token, "version": versions.before, "why": WHY, **form}
    answer = client.post(f"{servers.console}models/enterprise/{act}", data=sent)
    assert answer.status_code in (404, 422)
    assert refusal in html.unescape(answer.text).lower() or refusal in html.unescape(answer.text)
    assert open_requests(register) == []


def test_the_page_shows_who_of_two_has_approved_and_leaves_the_decision_to_another(servers: Servers) -> None:
    """Who has approved gets no button to promote and may refuse; the other has both, and it is on their home page."""
    name = approved_by_one(servers.zone)
    pages = {who: page(servers, who, "models/individual_business") for who in ("wang", "zhou", "li")}
    for text in pages.values():
        assert "1 of 2 people have approved it" in text
    assert "<li>zhou <a" in pages["li"]
    forms = {who: [act for act in ("promote", "refuse") if f"individual_business/{act}" in pages[who]] for who in pages}
    assert forms == {"wang": ["promote", "refuse"], "zhou": ["refuse"], "li": []}
    assert "You have approved it" in pages["zhou"]
    assert "models/individual_business#waiting" in page(servers, "wang", "")
    assert "models/individual_business#waiting" not in page(servers, "zhou", "")
    details = {"model": "individual_business"}
    platform_ledger(servers.zone).append("promotion.withdrawn", name, by=FIRST, details=details)


@pytest.mark.attack
def test_one_factor_promotes_nothing(servers: Servers, versions: MadeVersions, register: Register) -> None:
    client = servers.login("wang", factor="any")
    answer = send(client, servers, "models/enterprise", "models/enterprise/promote", version=versions.waiting, why="")
    assert answer.status_code == 401
    assert open_requests(register) == []


@pytest.mark.attack
def test_a_pointer_that_the_ledger_does_not_know_is_an_alarm_on_the_page(
    servers: Servers, versions: MadeVersions
) -> None:
    """The hand that sets it has the platform's key; the page does not pass it off as a promotion."""
    shelf = Shelf(servers.zone.settings.shelf, servers.zone.ring)
    pointer = {"model": "enterprise", "version": versions.waiting}
    shelf.set_pointer("champion-enterprise", pointer, servers.zone.keys["platform"])
    try:
        assert "name different versions" in page(servers, "wang")
    finally:
        pointer = {"model": "enterprise", "version": versions.champion}
        shelf.set_pointer("champion-enterprise", pointer, servers.zone.keys["platform"])
    assert "name different versions" not in page(servers, "wang")


def test_an_alias_that_was_set_back_is_reported_on_the_page(servers: Servers, versions: MadeVersions) -> None:
    """With the entry that names both versions."""
    details = {"model": "enterprise", "alias": versions.refused, "champion": versions.champion}
    entry = platform_ledger(servers.zone).append("champion.restored", versions.champion, by=FIRST, details=details)
    text = page(servers, "wang")
    assert "the alias was moved by hand and has been set back" in text
    assert f"ledger/platform/{entry.seq}" in text


def test_a_version_that_was_destroyed_while_it_waited_leaves_the_pages_whole(
    servers: Servers, versions: MadeVersions
) -> None:
    """Nothing is decided about what is not there; the others wait on."""
    destroyed = "version-" + "9" * 64
    platform_ledger(servers.zone).append("promotion.asked", destroyed, by=FIRST, details={"model": "enterprise"})
    assert "A promotion waits for your decision" in page(servers, "wang", "")
    assert versions.waiting[:20] in page(servers, "wang")
