"""The command line stops all answers and starts them again, and the platform's ledger says who and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from credit.errors import Malformed, Refused
from credit.requests.flows import FLOWS
from infra.desk.city_marking import mark_invented
from infra.desk.running import desk_and_agents
from infra.haihe import command_line
from infra.home import Home
from serving.state.answer_switch import AnswerSwitch
from serving.store.store import open_store


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """An invented home whose desk and the platform's agent run."""
    made = Home(tmp_path_factory.mktemp("stopped") / "home")
    assert mark_invented(made, ())
    with desk_and_agents(made, ("platform",)):
        yield made


def act(home: Home, verb: str, why: str, by: str = "platform:petra") -> Any:
    words = (verb, "--why", why, "--by", by, "--json")
    done = CliRunner().invoke(command_line(), words, env={"HAIHE_HOME": str(home.root)})
    if done.exception is not None:
        raise done.exception
    return json.loads(done.stdout)


def test_stopping_and_starting_is_recorded_before_the_service_follows(home: Home) -> None:
    switch = AnswerSwitch(home.shelf, open_store())
    with pytest.raises(Malformed):
        act(home, "start-answers", "nothing is stopped")
    assert act(home, "stop-answers", "检修  至十八时") == {"stopped": True, "why": "检修 至十八时"}
    switch.refresh()
    assert "检修 至十八时" in str(switch.fault)
    assert act(home, "start-answers", "done")["stopped"] is False
    switch.refresh()
    assert switch.fault is None
    entries = [(entry.verb, entry.details["why"], str(entry.by)) for entry in home.ledger("platform").about("answers")]
    assert entries == [
        ("answers.stopped", "检修 至十八时", "platform:petra"), ("answers.started", "done", "platform:petra"),
    ]  # fmt: skip


@pytest.mark.parametrize("role", ["researcher", "city", "auditor"])
@pytest.mark.parametrize("verb", ["stop-answers", "start-answers"])
def test_no_other_role_stops_or_starts_them(home: Home, verb: str, role: str) -> None:
    before = len(home.ledger("platform").about("answers"))
    with pytest.raises(Refused):
        act(home, verb, "x", by=f"{role}:mallory")
    assert len(home.ledger("platform").about("answers")) == before


def test_both_need_a_recent_sign_in() -> None:
    assert all(FLOWS[verb].recent for verb in ("stop-answers", "start-answers"))
