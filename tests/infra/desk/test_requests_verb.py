"""`haihe requests`: everyone sees what concerns them and how far it is; a request is cancelled, and ends there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from credit.errors import CreditError, Missing, Refused
from credit.requests.desk_client import DeskClient
from infra.desk import running
from infra.desk.city_marking import mark_invented
from infra.haihe import command_line
from infra.home import Home

CHEN, BOB, ALICE, AUDRA = "city:chen", "platform:bob", "researcher:alice", "auditor:audra"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """An invented home whose desk runs, and no agent: every request waits."""
    made = Home(tmp_path / "home")
    made.ensure_keys()
    mark_invented(made, ())
    with running.desk(made):
        yield made


def requests(home: Home, *words: str, by: str) -> Any:
    env = {"HAIHE_HOME": str(home.root), "HAIHE_LANG": "en"}
    done = CliRunner().invoke(command_line(), ("requests", *words, "--by", by), env=env)
    if done.exception is not None:
        raise done.exception
    return json.loads(done.stdout) if "--json" in words else done.stdout


def test_a_request_is_listed_shown_and_cancelled(home: Home) -> None:
    socket = running.socket_of(home)
    assert socket is not None
    name = DeskClient(socket, by=CHEN).request("repair", {"documents": ["某文书"], "on": ""})["id"]
    for by in (CHEN, BOB, AUDRA):
        (listed,) = requests(home, "list", "--json", by=by)["requests"]
        assert (listed["id"], listed["zone"], listed["steps"]) == (name, "custody", ["custody", "compute", "platform"])
    assert requests(home, "list", "--json", by=ALICE)["requests"] == [], "it is no researcher's affair"
    with pytest.raises(Missing):
        requests(home, "show", name, by=ALICE)
    assert "step 1 of 3" in requests(home, "show", name, by=BOB)
    assert "某文书" not in requests(home, "show", name, "--json", by=CHEN), "the list names no record"
    for by in (ALICE, AUDRA, BOB):
        with pytest.raises(Refused):
            requests(home, "cancel", name, by=by)
    assert requests(home, "cancel", name, "--json", by=CHEN)["stage"] == "cancelled"
    assert requests(home, "list", "--json", by=CHEN)["requests"] == []
    for words in (("cancel", name), ("confirm", name)):
        with pytest.raises(CreditError):
            requests(home, *words, by=CHEN)
