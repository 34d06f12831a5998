"""The ledger of a zone's agent is signed by its zone, and the console says so."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from credit.actor import Actor, Role
from credit.errors import Broken
from credit.ledger import Ledger
from lab.console.app_state import AppState
from lab.console.settings import HubSettings
from tests.lab.console.zone import Zone

NOWHERE = "http://127.0.0.1:9"


def console_with_agents_ledger(folder: Path, signer: str) -> AppState:
    """A console of a zone in which ``signer`` signed the ledger of the service's agent."""
    zone = Zone.make(folder, people={})
    path = zone.settings.ledger.parent / "service-agent.jsonl"
    Ledger(path, zone.keys[signer], zone.ring, signer).append(
        "step.done", "request-1", by=Actor("service", Role.SERVICE), details={}
    )
    return AppState.open(zone.settings, HubSettings(secrets.token_hex(16), f"{NOWHERE}/hub/api", NOWHERE, "/c/"))


def test_the_services_agent_raises_no_alarm(tmp_path: Path) -> None:
    state = console_with_agents_ledger(tmp_path, "service")
    state.indexes["service-agent"].catch_up()
    assert state.indexes["service-agent"].reached() == 1
    state.close()


def test_another_zone_in_its_place_does(tmp_path: Path) -> None:
    state = console_with_agents_ledger(tmp_path, "platform")
    with pytest.raises(Broken):
        state.indexes["service-agent"].catch_up()
    state.close()
