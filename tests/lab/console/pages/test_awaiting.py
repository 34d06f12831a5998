"""What waits for a second person is on their home page, is confirmed through the front desk, and not by its maker."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from credit.actor import Role
from credit.requests.request import Stage
from infra.desk.register import Register
from tests.lab.console.pages.test_page_actions import send
from tests.lab.console.servers import Servers, form_token, register_of
from tests.lab.console.zone import FIRST

pytestmark = pytest.mark.servers


@pytest.fixture
def waiting(servers: Servers) -> Iterator[tuple[Register, str]]:
    """A promotion that wang requested and that policy wants confirmed."""
    register = register_of(servers, "promote")
    state = register.make("promote", {"version": "version-1"}, by=FIRST, factor="totp", today=None)
    yield register, state.request.id
    if register.get(state.request.id).stage in (Stage.OPEN, Stage.UNCONFIRMED):
        register.cancel(state.request.id, by=FIRST)


@pytest.mark.attack
def test_a_request_waits_for_another_person_and_not_for_its_maker(
    servers: Servers, waiting: tuple[Register, str]
) -> None:
    """The maker's home page does not list it and their confirmation is refused; the other sees what is requested."""
    register, request = waiting
    maker, other = servers.login("wang", factor="totp"), servers.login("zhou", factor="totp")
    assert "Promote a version" not in maker.get(servers.console).text
    assert "Promote a version" in other.get(servers.console).text
    own = maker.get(f"{servers.console}requests").text
    assert f"requests/{request}/confirm" not in own
    answer = maker.post(f"{servers.console}requests/{request}/confirm", data={"form_token": form_token(own)})
    assert answer.status_code == 403
    assert register.get(request).stage is Stage.UNCONFIRMED
    assert "version-1" in other.get(f"{servers.console}requests").text
    confirmed = send(other, servers, "requests", f"requests/{request}/confirm")
    assert "The request is confirmed" in confirmed.text
    state = register.get(request)
    assert state.stage is Stage.OPEN
    assert str(state.confirmed_by) == "platform:zhou"


def test_a_change_of_an_account_waits_for_another_of_the_platform(servers: Servers) -> None:
    """It is on the home page of the person who may confirm it, and on no other."""
    change = servers.zone.account_changes.request_account("later1", (Role.REVIEWER,), by=FIRST).change
    try:
        pages = {name: servers.login(name).get(servers.console).text for name in ("wang", "zhou", "li", "bo")}
        assert [name for name, page in pages.items() if "later1" in page] == ["zhou"]
        assert "requested by wang" in pages["zhou"]
    finally:
        servers.zone.account_changes.withdraw(change, by=FIRST)


@pytest.mark.attack
@pytest.mark.parametrize("factor", ["any", "recovery"])
def test_accounts_are_changed_with_a_second_factor_alone(servers: Servers, factor: str) -> None:
    """A session that began with a password, or a recovery code, leads through the login and changes nothing."""
    client = servers.login("wang", factor=factor)
    before = servers.zone.accounts_ledger.head()
    refused: httpx.Response = send(client, servers, "accounts", "accounts", name="later2", roles=["researcher"])
    assert refused.status_code == 401
    assert "login-again?next=%2Fservices%2Fconsole%2Faccounts" in refused.text
    assert servers.zone.accounts_ledger.head() == before


@pytest.mark.attack
def test_the_console_starts_without_any_key_but_its_own(servers: Servers) -> None:
    """No file of another zone's keys is named in its settings."""
    keys = servers.zone.settings.ledger.parents[1] / "keys"
    named = [value for value in servers.zone.environment().values() if value.startswith(str(keys))]
    assert named == [str(keys / "research")]
