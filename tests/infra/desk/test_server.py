"""The front desk writes down what a known person requests, and nothing of anyone else; a second person confirms."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from credit.errors import CreditError, Refused, Unauthenticated
from credit.requests.desk_client import DeskClient
from infra.desk import running
from infra.desk.city_marking import mark_invented
from infra.desk.invented_home import begin
from infra.home import Home

PETRA, BOB, CHEN, ALICE = "platform:petra", "platform:bob", "city:chen", "researcher:alice"
MANDATE = {"bank": "harbour", "uscc": "91120000MA06X2AB1L", "document": "0" * 64, "until": "2027-01-01"}


@contextmanager
def desk(home: Home, **env: str) -> Iterator[Path]:
    with running.desk(home, {f"HAIHE_DESK_{name}": value for name, value in env.items()}) as socket:
        yield socket


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.ensure_keys()
    mark_invented(made, ())
    return made


def refusal(client: DeskClient, verb: str, **arguments: Any) -> CreditError:
    with pytest.raises(CreditError) as caught:
        client.request(verb, arguments)
    return caught.value


def test_only_a_known_person_with_the_role_requests_and_only_that_is_written(home: Home) -> None:
    with desk(home) as socket:
        assert DeskClient(socket, by=PETRA).call("GET", "/whoami")["account"] == "petra"
        for by in ("", ALICE, "platform:alice", "platform:anybody-at-all", "bank:harbour"):
            assert isinstance(refusal(DeskClient(socket, by=by), "release", purpose="scoring"), Refused), by
        made = DeskClient(socket, by=CHEN).request("release", {"purpose": "scoring"})
    entries = [entry for entry in home.ledger("desk").entries() if entry.verb.startswith("request.")]
    assert [(entry.verb, entry.object, str(entry.by)) for entry in entries] == [("request.made", made["id"], CHEN)]
    assert entries[0].details["factor"] == "invented"


def test_a_flag_is_believed_in_no_real_home(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.ensure_keys()
    begin(home.ledger("desk", writing=True), invented=False)
    with desk(home) as socket:
        assert isinstance(refusal(DeskClient(socket, by=BOB), "release", purpose="scoring"), Refused)
        assert isinstance(refusal(DeskClient(socket, token="x" * 43), "release", purpose="scoring"), Unauthenticated)


def test_the_header_of_another_uid_is_not_read(home: Home) -> None:
    """Root without a flag is no person, whatever it sends."""
    with desk(home) as socket:
        curl = ["curl", "-s", "--unix-socket", str(socket), "-H", "X-Peer-Uid: 1000", "-H", "X-Forwarded-User: petra"]
        done = subprocess.run([*curl, "http://desk/whoami"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["kind"] in ("unauthenticated", "refused")


def test_the_same_request_that_has_not_ended_is_one_request(home: Home) -> None:
    with desk(home) as socket:
        client = DeskClient(socket, by=CHEN)
        first, again = (client.request("release", {"purpose": "scoring"})["id"] for _ in range(2))
        other = client.request("release", {"purpose": "inquiry"})["id"]
        client.cancel(first)
        after = client.request("release", {"purpose": "scoring"})["id"]
    assert first == again
    assert len({first, other, after}) == 3


def test_a_request_is_confirmed_by_another_person_alone(home: Home) -> None:
    with desk(home, CONFIRM="mandate") as socket:
        petra, bob, chen = (DeskClient(socket, by=by) for by in (PETRA, BOB, CHEN))
        made = petra.request("mandate", MANDATE)
        assert made["stage"] == "unconfirmed"
        for client in (petra, chen):
            with pytest.raises(Refused):
                client.call("POST", f"/requests/{made['id']}/confirm")
        assert [each["id"] for each in bob.call("GET", "/requests")["requests"]] == [made["id"]]
        confirmed = bob.call("POST", f"/requests/{made['id']}/confirm")
        with pytest.raises(Refused):
            bob.call("POST", f"/requests/{made['id']}/confirm")
    assert (confirmed["stage"], confirmed["zone"], confirmed["confirmed_by"]) == ("open", "service", BOB)
    assert MANDATE["uscc"] not in home.ledger("desk").path.read_text()


def test_private_arguments_are_in_no_answer_and_for_no_other_user(home: Home) -> None:
    with desk(home) as socket:
        made = DeskClient(socket, by=PETRA).request("mandate", MANDATE)
        shown = DeskClient(socket, by=BOB).state(made["id"])
    assert MANDATE["uscc"] not in json.dumps(shown)
    (private,) = (home.root / "requests").glob("*.json")
    assert private.stat().st_mode & 0o007 == 0


def test_bytes_that_are_no_request_are_refused_in_words(home: Home) -> None:
    with desk(home) as socket:
        for body in (b"[]", b"{", b'{"verb": 1, "arguments": []}', b"\xff", b'"x"'):
            curl = ["curl", "-s", "--unix-socket", str(socket), "-H", f"X-Acting-By: {CHEN}", "--data-binary", "@-"]
            done = subprocess.run([*curl, "http://desk/requests"], input=body, capture_output=True, check=True)
            assert json.loads(done.stdout)["kind"] == "malformed", body


def test_the_socket_is_for_its_user_alone_unless_it_is_shared(home: Home) -> None:
    with desk(home) as socket:
        assert socket.stat().st_mode & 0o077 == 0
    with desk(home, SHARED="yes") as socket:
        if os.getuid() == 0:
            curl = ["curl", "-s", "--unix-socket", str(socket), "http://desk/health"]
            assert b"ok" in subprocess.run(curl, user=65534, capture_output=True, check=True).stdout


def test_arguments_of_a_request_that_was_never_written_down_are_removed(home: Home) -> None:
    """The desk was killed between the file and the entry."""
    left = home.root / "requests" / f"request-{7:032x}.json"
    left.parent.mkdir()
    left.write_text(json.dumps(MANDATE))
    with desk(home) as socket:
        made = DeskClient(socket, by=PETRA).request("mandate", MANDATE)
        limit = time.monotonic() + 30
        while left.exists() and time.monotonic() < limit:
            time.sleep(0.05)
        assert not left.exists()
        assert (home.root / "requests" / f"{made['id']}.json").exists()
