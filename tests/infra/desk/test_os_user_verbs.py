"""By the command line two people map an operating-system user, whose processes are then that account at the desk."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from credit.errors import CreditError, Malformed, Missing, Refused
from infra.desk import running
from infra.desk.city_marking import mark_invented
from infra.haihe import command_line
from infra.home import Home

UID = 51_234
PETRA, BOB = "platform:petra", "platform:bob"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Path]]:
    """An invented home whose desk every user of the machine may reach, and the desk's socket."""
    made = Home(tmp_path_factory.mktemp("mapped") / "home")
    made.ensure_keys()
    mark_invented(made, ())
    with running.desk(made, {"HAIHE_DESK_SHARED": "yes"}) as socket:
        yield made, socket


def act(home: Home, *words: str, by: str = PETRA) -> Any:
    done = CliRunner().invoke(
        command_line(), ["os-user", *words, "--by", by, "--json"], env={"HAIHE_HOME": str(home.root)}
    )
    if done.exception is not None:
        raise done.exception
    return json.loads(done.stdout)


def account_of(socket: Path, uid: int) -> str:
    """The account that the desk knows a process of ``uid`` as; empty for none."""
    command = ["curl", "-s", "--unix-socket", str(socket), "http://desk/whoami"]
    done = subprocess.run(command, user=uid, capture_output=True, text=True, check=True, cwd="/")
    return str(json.loads(done.stdout).get("account", ""))


@pytest.mark.skipif(os.getuid() != 0, reason="only root starts a process of another user")
def test_two_people_map_a_user_and_its_processes_are_that_account_until_one_ends_it(home: tuple[Home, Path]) -> None:
    lab, socket = home
    for folder in (socket.parent, *socket.parent.parents):
        folder.chmod(folder.stat().st_mode | 0o011)
    act(lab, "request", str(UID), "alice")
    assert account_of(socket, UID) == ""
    assert act(lab, "list")["waiting"] == [{"uid": UID, "account": "alice", "by": PETRA}]
    act(lab, "confirm", str(UID), by=BOB)
    assert account_of(socket, UID) == "alice"
    assert account_of(socket, UID + 1) == ""
    assert act(lab, "list", by=BOB) == {"users": [{"uid": UID, "account": "alice"}], "waiting": []}
    act(lab, "remove", str(UID))
    assert account_of(socket, UID) == ""


@pytest.mark.parametrize(("words", "by", "error"), [
    (("request", "0", "alice"), PETRA, Malformed), (("request", "77", "nobody"), PETRA, Missing),
    (("request", "77", "petra"), PETRA, Refused), (("request", "77", "alice"), "researcher:alice", Refused),
    (("confirm", "77"), BOB, CreditError), (("list",), "researcher:alice", Refused),
])  # fmt: skip
def test_what_is_not_allowed_is_refused_in_words(
    home: tuple[Home, Path], words: tuple[str, ...], by: str, error: type[CreditError]
) -> None:
    before = home[0].ledger("desk").head()
    with pytest.raises(error):
        act(home[0], *words, by=by)
    assert home[0].ledger("desk").head() == before
