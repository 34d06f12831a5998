"""A person of the platform stops answers and closes exits from the console, in their own name, after a new sign-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from credit.ledger import Ledger
from infra.desk.register import Register
from tests.lab.console.pages.test_page_actions import send
from tests.lab.console.servers import Servers, register_of
from tests.lab.console.zone import FIRST

pytestmark = pytest.mark.servers
WHY = "A column of the newest snapshot is wrong"


@pytest.fixture
def register(servers: Servers) -> Iterator[Register]:
    """The desk's register; requests that are open at the end are cancelled."""
    register = register_of(servers)
    yield register
    for state in open_requests(register):
        register.cancel(state.request.id, by=FIRST)


def open_requests(register: Register) -> list:  # type: ignore[type-arg]
    register.catch_up()
    return [state for state in register.reader.states.all() if not state.ended and "answers" in state.request.verb]


def test_the_request_is_the_persons_own(servers: Servers, register: Register) -> None:
    """It carries the reason and the factor; where the agent does not run, the page says so."""
    page = send(servers.login("wang", factor="totp"), servers, "emergency", "emergency/stop-answers", why=WHY)
    assert page.status_code == 200
    assert "The agent has not carried it out yet" in page.text
    (state,) = open_requests(register)
    assert (state.request.verb, str(state.request.by)) == ("stop-answers", "platform:wang")
    assert state.request.arguments == {"why": WHY}
    assert state.request.factor == "totp"


@pytest.mark.attack
@pytest.mark.parametrize("factor", ["any", "recovery"])
def test_one_factor_stops_nothing(servers: Servers, register: Register, factor: str) -> None:
    """The page leads to another sign-in and then back to itself."""
    refused = send(servers.login("wang", factor=factor), servers, "emergency", "emergency/stop-answers", why=WHY)
    assert refused.status_code == 401
    assert "login-again?next=%2Fservices%2Fconsole%2Femergency" in refused.text
    assert open_requests(register) == []


def test_the_page_reports_what_was_last_decided(servers: Servers) -> None:
    """By whom, why, and it offers the opposite."""
    zone, client = servers.zone, servers.login("zhou", factor="totp")
    path = zone.settings.ledger.parent / "platform.jsonl"
    ledger = Ledger(path, zone.keys["platform"], zone.ring, "platform")
    assert "The service answers." in client.get(f"{servers.console}emergency").text
    ledger.append("answers.stopped", "answers", by=FIRST, details={"why": WHY})
    stopped = client.get(f"{servers.console}emergency").text
    assert "All answers are stopped." in stopped
    assert WHY in stopped
    assert "wang" in stopped
    assert 'action="/services/console/emergency/start-answers"' in stopped
    ledger.append("answers.started", "answers", by=FIRST, details={"why": "The snapshot is corrected"})
    assert 'action="/services/console/emergency/stop-answers"' in client.get(f"{servers.console}emergency").text
