"""`haihe ledger` verifies every ledger and compares it with its witnesses, or with a file of heads kept elsewhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from credit.actor import Actor, Role
from credit.errors import Broken
from credit.ledger.head import head_path, write_head
from credit.ledger.witness import countersign
from credit.requests.state_reader import LEDGER_ZONES
from infra.haihe import command_line
from infra.home import Home

BOB, AGENT = Actor("bob", Role.PLATFORM), Actor("agent", Role.SERVICE)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.ensure_keys()
    for number in range(5):
        made.ledger("platform", writing=True).append("release.made", f"release-{number}", by=BOB)
    return made


def ledger(home: Home, *words: str) -> Result:
    environment = {"HAIHE_HOME": str(home.root), "XDG_STATE_HOME": str(home.root / "state"), "LANG": "C"}
    done = CliRunner().invoke(command_line(), ("ledger", *words), env=environment)
    if done.exception is not None:
        raise done.exception
    return done


def document(done: Result) -> Any:
    return json.loads(done.stdout)


def witness(home: Home, now: datetime) -> None:
    countersign(home.ledgers(), home.ledger("custody", writing=True), home.witness_folder, by=AGENT, now=now)


def cut(home: Home, kept: int) -> None:
    """Put back an older copy of the ledger and of its head, which by themselves are whole."""
    path = home.ledger("platform").path
    lines = path.read_bytes().splitlines(keepends=True)[:kept]
    path.write_bytes(b"".join(lines))
    write_head(path, home.key("platform"), kept, json.loads(lines[-1])["id"])


def test_verification_reports_which_ledger_was_cut_and_since_when(home: Home) -> None:
    """A cut behind the last countersigned entry is reported with its witness and time; a younger one is not."""
    now = datetime.now(UTC)
    witness(home, now)
    home.ledger("platform", writing=True).append("release.made", "young", by=BOB)
    shown = document(ledger(home, "verify", "--json"))
    assert (shown["platform"], shown["custody"]) == (6, 1)
    (row,) = shown["witnesses"]
    assert (row["ledger"], row["witness"], row["entries"], row["silent"]) == ("platform", "custody", 5, False)
    cut(home, 5)
    ledger(home, "verify")
    cut(home, 4)
    with pytest.raises(Broken) as fault:
        ledger(home, "verify")
    assert fault.value.message.id == "witness.ledger-cut"
    assert now.isoformat() in fault.value.why


@pytest.mark.attack
def test_a_ledger_begun_at_the_installation_is_missed_without_a_single_entry(home: Home) -> None:
    """The zones' users cannot write beside the public keys, so the installation records there what has begun."""
    written = home.ledger("platform").path.read_bytes()
    home.begin_ledgers()
    home.begin_ledgers()
    assert set(home.ledgers()) == set(LEDGER_ZONES)
    assert home.ledger("platform").path.read_bytes() == written
    assert document(ledger(home, "verify", "--json"))["compute"] == 0
    head_path(home.ledger("compute").path).unlink()
    with pytest.raises(Broken) as fault:
        ledger(home, "verify")
    assert fault.value.message.id == "ledger.head-missing"


def test_a_silent_witness_is_reported_and_nothing_else_stops(home: Home) -> None:
    """A witness whose agent is dead is named with the time of its last countersignature; the verb succeeds."""
    since = datetime.now(UTC) - timedelta(minutes=5)
    witness(home, since)
    shown = ledger(home, "verify").stdout
    assert f"silent: custody has not countersigned the ledger of platform since {since.isoformat()}" in shown
    assert "no witness: no other zone has countersigned the ledger of custody" in shown


def test_a_ledger_that_was_deleted_is_missed(home: Home) -> None:
    """The record beside the public keys says that the ledger has begun."""
    path = home.ledger("platform").path
    path.unlink()
    head_path(path).unlink()
    with pytest.raises(Broken) as fault:
        ledger(home, "verify")
    assert fault.value.message.id == "ledger.head-missing"


def test_heads_are_exported_and_checked(home: Home, tmp_path: Path) -> None:
    """What was exported must still be in the ledgers; another file is refused."""
    file = tmp_path / "heads.json"
    assert document(ledger(home, "heads", "--out", str(file), "--json")) == {"platform": 5}
    ledger(home, "verify", "--against", str(file))
    cut(home, 3)
    with pytest.raises(Broken, match="was cut"):
        ledger(home, "verify", "--against", str(file))


def test_a_verification_resumes_where_the_last_one_ended(home: Home) -> None:
    """With ``--resume`` what was verified before is not read again, but must still be there."""
    ledger(home, "verify")
    path = home.ledger("platform").path
    whole = path.read_bytes()
    home.ledger("platform", writing=True).append("release.made", "next", by=BOB)
    path.write_bytes(path.read_bytes().replace(b"release-1", b"release-x"))
    assert document(ledger(home, "verify", "--resume", "--json"))["platform"] == 6
    with pytest.raises(Broken, match="line 2"):
        ledger(home, "verify")
    path.write_bytes(whole.replace(b"release-4", b"release-x"))
    write_head(path, home.key("platform"), 5, json.loads(whole.splitlines()[-1])["id"])
    with pytest.raises(Broken, match="not here any more"):
        ledger(home, "verify", "--resume")
