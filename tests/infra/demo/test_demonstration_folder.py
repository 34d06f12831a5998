"""A demonstration removes only what an earlier one made: nothing of a user's is gone, whatever folder is named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from credit.errors import CreditError, Refused
from infra.demo import folder as demo_folder
from infra.demo.cli_runner import StepFailed
from infra.demo.invented_city import run_invented_city
from infra.demo.real_tables import run_real_tables
from infra.haihe import command_line
from infra.home import Home
from infra.processes import Process, began
from infra.verbs.lab import up
from infra.verbs.lab.up import UNFINISHED, make_demonstration

SUMMARY = {"data": "invented city", "models": {}, "scores": [], "intake": {}, "seconds": {}, "peak_rss_mib": 1}


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demonstration of `up` that ends after its first step."""

    def stop(out: Path, *, home: Home, **_: Any) -> None:
        home.ensure_keys()
        out.mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr("infra.demo.invented_city.run_invented_city", stop)


@pytest.fixture
def no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demonstration whose first step fails."""

    def fail(*_: Any, **__: Any) -> None:
        raise StepFailed("cli-runner.command-failed", words="keys", returncode=1)

    monkeypatch.setattr("infra.demo.cli_runner.DemoRun.step", fail)


def test_up_makes_no_home_in_a_folder_of_the_users(tmp_path: Path, interrupted: None) -> None:
    (tmp_path / "Documents").mkdir()
    (tmp_path / "Documents" / "thesis.txt").write_text("three years of work")
    (tmp_path / "summary.json").write_text(json.dumps(SUMMARY))
    before = files(tmp_path)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            make_demonstration(Home(tmp_path))
        assert str(tmp_path) in refused.value.text("what", "en")
        assert "演示" in refused.value.text("what", "zh")
        assert files(tmp_path) == before


def test_up_begins_an_interrupted_home_again_and_keeps_what_others_put_there(tmp_path: Path, interrupted: None) -> None:
    home = Home(tmp_path / "home")
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            make_demonstration(home)
    ring = files(home.ring_folder)
    (home.root / "Documents").mkdir()
    (home.root / "Documents" / "thesis.txt").write_text("three years of work")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "table.csv").touch()
    (home.root / "raw").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyboardInterrupt):
        make_demonstration(home)
    assert files(home.ring_folder).keys() == ring.keys()
    assert files(home.ring_folder) != ring, "the home was begun again"
    assert (home.root / "Documents" / "thesis.txt").read_text() == "three years of work"
    assert (tmp_path / "elsewhere" / "table.csv").exists(), "only the link is removed"


def test_up_does_not_trust_the_empty_marker_of_earlier_versions(tmp_path: Path, interrupted: None) -> None:
    """They put it into folders that they did not make."""
    (tmp_path / UNFINISHED).touch()
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "house").touch()
    before = files(tmp_path)
    with pytest.raises(Refused):
        make_demonstration(Home(tmp_path))
    assert files(tmp_path) == before


def test_up_refuses_a_home_that_another_process_makes_and_a_file(tmp_path: Path, interrupted: None) -> None:
    home = Home(tmp_path / "home")
    home.ensure_keys()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        (home.root / UNFINISHED).write_text(json.dumps({"pid": child.pid, "began": began(child.pid)}))
        before = files(tmp_path)
        with pytest.raises(Refused):
            make_demonstration(home)
        assert files(tmp_path) == before
        child.kill()
    (tmp_path / "file").touch()
    with pytest.raises(Refused):
        make_demonstration(Home(tmp_path / "file"))


def test_up_removes_its_marker_when_the_home_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.demo.invented_city.run_invented_city", lambda out, *, home, **_: home.ensure_keys())
    home = Home(tmp_path)
    make_demonstration(home)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys"]
    assert set(up.PARTS) >= {"keys"}


@pytest.mark.parametrize("words", [("--subjects", "10"), ("--seed", "-1")])
def test_demo_reads_its_options_before_it_removes_anything(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "summary.json").write_text(json.dumps(SUMMARY))
    (tmp_path / "home").mkdir()
    done = CliRunner().invoke(command_line(), ["demo", "--out", str(tmp_path), *words])
    assert done.exit_code == 2
    assert (tmp_path / "home").exists()


@pytest.mark.parametrize("summary", [None, "{}", "[1]", "[" * 10_000, json.dumps({"data": "mine"})])
def test_demo_leaves_a_folder_that_no_demonstration_made(tmp_path: Path, summary: str | None, no_steps: None) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("three years of work")
    if summary is not None:
        (tmp_path / "summary.json").write_text(summary)
    before = files(tmp_path)
    with pytest.raises(Refused):
        run_invented_city(tmp_path, subjects=200, seed=7)
    assert files(tmp_path) == before


@pytest.mark.parametrize("is_marked", [True, False])
def test_demo_replaces_an_earlier_demonstration_alone(tmp_path: Path, is_marked: bool, no_steps: None) -> None:
    if is_marked:  # one that was interrupted has no summary
        with pytest.raises(StepFailed):
            run_invented_city(tmp_path, subjects=200, seed=7)
    else:
        (tmp_path / "summary.json").write_text(json.dumps(SUMMARY))
    (tmp_path / "home" / "keys").mkdir(parents=True)
    (tmp_path / "report.html").touch()
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StepFailed):
        run_invented_city(tmp_path, subjects=200, seed=7)
    assert sorted(path.name for path in tmp_path.iterdir()) == [demo_folder.MARKER, "notes.txt"]


def test_demo_refuses_while_a_process_of_its_home_runs(tmp_path: Path, no_steps: None) -> None:
    (tmp_path / "summary.json").write_text(json.dumps(SUMMARY))
    home = Home(tmp_path / "home")
    home.ensure_keys()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        Process("worker", child.pid, "", "").record(home)
        before = files(tmp_path)
        with pytest.raises(Refused) as refused:
            run_invented_city(tmp_path, subjects=200, seed=7)
        assert files(tmp_path) == before
        child.kill()
    assert isinstance(refused.value, CreditError)
    with pytest.raises(StepFailed):
        run_invented_city(tmp_path, subjects=200, seed=7)
    assert not home.exists()


def test_a_demonstration_on_real_tables_replaces_its_own_folders_alone(tmp_path: Path, no_steps: None) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    (data / "cumcm2020c").mkdir(parents=True)
    (out / "beijing").mkdir(parents=True)
    (out / "beijing" / "notes.txt").write_text("mine")
    with pytest.raises(Refused):
        run_real_tables(data, out)
    (out / "beijing" / "summary.json").write_text(json.dumps(SUMMARY))
    (out / "letters").mkdir()
    with pytest.raises(StepFailed):
        run_real_tables(data, out)
    assert sorted(path.name for path in out.iterdir()) == [demo_folder.MARKER, "letters"]
