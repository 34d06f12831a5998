"""Drawing a city in a home where nothing has happened yet marks it as invented; in any other home it marks nothing."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.desk.city_marking import mark_invented
from infra.desk.invented_home import InventedHome, begin
from infra.haihe import command_line
from infra.home import Home
from privacy import city
from tests.infra.desk.conftest import CITY

DAY = date(2026, 11, 1)


def is_invented(home: Home) -> bool:
    return InventedHome.of(home.ledger("desk"), home.ledger("custody")).is_invented()


def test_the_verb_marks_a_fresh_home_and_its_files_are_permitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk of a newcomer: draw, bring in what was drawn, then something else."""
    home = Home(tmp_path / "home")
    monkeypatch.setenv("HAIHE_HOME", str(home.root))
    monkeypatch.setenv("HAIHE_TODAY", DAY.isoformat())
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "contract_performance_2020.csv").write_text("real\n1\n")  # lay there before the city was drawn
    words = ["city", "--subjects", "200", "--out", str(tmp_path / "raw"), "--json"]
    done = CliRunner().invoke(command_line(), words, catch_exceptions=False)
    assert json.loads(done.stdout.splitlines()[-1])["invented_home"] is True
    drawn = home.ledger("desk").about("city")[0].details["files"]
    assert "registration.csv" in drawn
    assert "contract_performance_2020.csv" not in drawn
    home.ledger("custody", writing=True).append("intake.accepted", "intake-x", by=CITY, details={"files": drawn})
    assert is_invented(home)
    more = {**drawn, "more.csv": "f" * 64}
    home.ledger("custody", writing=True).append("intake.accepted", "intake-y", by=CITY, details={"files": more})
    assert not is_invented(home)


def test_a_city_drawn_in_a_real_home_does_not_mark_it(tmp_path: Path) -> None:
    """The marker cannot be added to a home whose front desk has begun."""
    home = Home(tmp_path / "home")
    home.ensure_keys()
    begin(home.ledger("desk", writing=True), invented=False)
    built = city.build(tmp_path / "raw", subjects=200, seed=7, today=DAY)
    assert not mark_invented(home, [tmp_path / "raw" / name for name in built.files])
    assert not is_invented(home)
    assert home.ledger("desk").about("city") == []


def test_without_the_key_nothing_is_marked(tmp_path: Path) -> None:
    """On a machine of custody alone a city can be drawn, and no key of the desk is made for it."""
    home = Home(tmp_path / "home")
    home.ensure_keys()
    (home.keys("desk") / "signing-desk.pem").unlink()
    built = city.build(tmp_path / "raw", subjects=200, seed=7, today=DAY)
    assert not mark_invented(home, [tmp_path / "raw" / name for name in built.files])
    assert not (home.keys("desk") / "signing-desk.pem").exists()
