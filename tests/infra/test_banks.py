"""The command line renews the secret of a bank without a gap, shuts a bank out and readmits it, and records it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from credit.errors import Missing, Unauthenticated
from infra.desk.city_marking import mark_invented
from infra.desk.running import desk_and_agents
from infra.haihe import command_line
from infra.home import Home
from serving.auth.access_database import AccessDatabase
from serving.settings import ServiceSettings


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """An invented home whose desk and agents run."""
    made = Home(tmp_path_factory.mktemp("banks") / "home")
    assert mark_invented(made, ())
    with desk_and_agents(made, ("service", "platform")):
        yield made


def bank(home: Home, *words: str) -> Any:
    done = CliRunner().invoke(
        command_line(), ("bank", *words, "--by", "platform:petra"), env={"HAIHE_HOME": str(home.root)}
    )
    if done.exception is not None:
        raise done.exception
    return json.loads(done.stdout)


def test_a_banks_secret_is_renewed_and_a_bank_is_shut_out(home: Home, tmp_path: Path) -> None:
    first = bank(home, "harbour", "--json")["secret"]
    file = tmp_path / "new.json"
    bank(home, "harbour", "--new-secret", "--save", str(file), "--json")
    second = json.loads(file.read_text())["secret"]
    assert file.stat().st_mode & 0o077 == 0
    access = AccessDatabase(home.settings(ServiceSettings, "service").access)
    for secret in (first, second):
        assert access.check("harbour", secret).name == "harbour"
    bank(home, "harbour", "--drop-secret", "--json")
    with pytest.raises(Unauthenticated):
        access.check("harbour", first)
    bank(home, "harbour", "--shut-out", "--json")
    with pytest.raises(Unauthenticated):
        access.check("harbour", second)
    bank(home, "harbour", "--let-in", "--json")
    assert access.check("harbour", second).name == "harbour"
    about = home.ledger("platform").about("bank-harbour")
    records = [(each.verb, {k: v for k, v in each.details.items() if k != "request"}) for each in about]
    assert records == [
        ("bank.added", {"kind": "bank"}), ("bank.changed", {"new_secret": "True"}),
        ("bank.changed", {"drop_secret": "True"}), ("bank.changed", {"shut_out": "True"}),
        ("bank.changed", {"shut_out": "False"}),
    ]  # fmt: skip
    assert second not in (home.root / "ledgers" / "platform.jsonl").read_text()
    access.close()


@pytest.mark.parametrize("option", ["--new-secret", "--drop-secret", "--shut-out", "--let-in"])
def test_an_option_for_a_bank_that_is_not_there_makes_none(home: Home, option: str) -> None:
    with pytest.raises(Missing):
        bank(home, "typo", option, "--json")
    access = AccessDatabase(home.settings(ServiceSettings, "service").access)
    assert access.client("typo") is None
    access.close()
