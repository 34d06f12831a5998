"""``haihe --help`` imports no verb, a wrong role is refused before any work, and all verbs share one home."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from credit.errors import CreditError, Refused
from infra import output
from infra.haihe import command_line
from infra.home import DEFAULT, FORMER, Home, _note_former
from infra.processes import Process, running
from infra.progress import PlainLines, progress
from infra.verbs.lab.up import make_demonstration
from infra.verbs.models.evaluate import summarise
from infra.verbs.table import USERS, VERBS

HEAVY = {
    "numpy", "pyarrow", "duckdb", "lightgbm", "ray", "mlflow", "fastapi", "jupyterhub", "httpx", "aiohttp", "sqlglot",
    "yaml", "jinja2", "pandas", "sklearn", "msgspec", "starlette", "rich", "tornado",
}  # fmt: skip
FIRM = "91120000600000000X"
LISTING = """
import sys
sys.argv = ["haihe", *sys.argv[1:]]
from infra.haihe import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
# One call of every verb that has --by, with what it needs to be parsed. The files and seals named do not exist.
ACTS: dict[str, tuple[str, ...]] = {
    "intake": ("raw",), "release": ("research",), "repair": ("document",), "withdraw": (), "train": ("enterprise",),
    "rows": ("enterprise", "--project", "first", "--as-of", "2026-04-01"), "attack": ("rows-0000",),
    "table": ("SELECT count(*) FROM registration", "--project", "first", "--as-of", "2026-04-01"),
    "register": ("enterprise",), "promote": ("enterprise",), "snapshot": ("enterprise",), "dossiers": (),
    "monitor": ("enterprise",), "alerts": ("--acknowledge", "alert", "--reason", "x"),
    "evaluate": ("--period", "2026-11"), "export": ("enterprise", "--out", "x.sql"), "bank": ("harbour-bank",),
    "mandate": ("harbour-bank", FIRM, "--until", "2026-12-31", "--document", "paper"), "revoke": ("mandate",),
    "review": ("objection", "--outcome", "upheld", "--why", "x"), "sandbox": ("--save", "x.json"),
    "stop-answers": ("--why", "x"), "start-answers": ("--why", "x"),
    "close-exits": ("--why", "x"), "open-exits": ("--why", "x"), "sweep": (), "practice": (),
    "quarantine": (), "quality": ("--month", "2026-10"), "commitments": (), "holdings": (),
    "theme": ("tax_credit",), "subjects": ("registration",),
    "shred": ("registration", "all"), "usage": ("--month", "2026-11"),
    "applications list": (), "applications show": ("application",), "applications confirm": ("application",),
    "applications refuse": ("application", "--why", "x"), "subject key": (FIRM, "--drop", "x"), "subject link": (FIRM,),
    "account add": ("alice", "--role", "researcher"), "account roles": ("alice", "--role", "auditor"),
    **{f"account {act}": ("alice",) for act in ("remove", "reset", "confirm", "refuse", "withdraw")},
    "os-user request": ("1001", "alice"),
    **{f"os-user {act}": ("1001",) for act in ("confirm", "refuse", "withdraw", "remove")},
    "project open": ("first", "--title", "t", "--purpose", "p", "--until", "2027-01-01"),
    "project members": ("first", "alice"), "project grant": ("first", "registration"),
    "project extend": ("first", "--until", "2027-01-01"), "project close": ("first",),
}  # fmt: skip

# What only reads, and what the front desk refuses by the request that is named.
READS = (
    "account list",
    "os-user list",
    "whoami",
    *(f"requests {act}" for act in ("list", "show", "cancel", "confirm")),
)


def haihe(home: Path, *words: str, fails: bool = False) -> Any:
    done = CliRunner().invoke(command_line(), words, env={"HAIHE_HOME": str(home)})
    if done.exception is not None and not isinstance(done.exception, SystemExit) and not fails:
        raise done.exception
    return done


def modules_after(*words: str) -> set[str]:
    """The top-level modules of a fresh process that ran ``haihe`` with these words."""
    done = subprocess.run([sys.executable, "-c", LISTING, *words], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stderr.split()} | {
        name for name in done.stderr.split() if name.startswith("infra.")
    }


def test_the_help_imports_no_verb_and_no_library_of_one() -> None:
    modules = modules_after("--help")
    assert not modules & HEAVY
    assert {name for name in modules if name.startswith("infra.verbs")} == {"infra.verbs", "infra.verbs.table"}


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_imports_no_heavy_library(verb: str) -> None:
    assert not modules_after(verb, "--help") & HEAVY


def test_the_help_groups_every_verb_by_who_uses_it() -> None:
    text = CliRunner().invoke(command_line(), ["--help"]).stdout
    assert all(title in text for title in USERS.values())
    assert {verb.users for verb in VERBS.values()} == set(USERS)
    assert all(f"\n  {name} " in text for name in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_there_and_begins_its_help_with_the_sentence_of_the_table(verb: str) -> None:
    text = CliRunner().invoke(command_line(), [verb, "--help"]).stdout
    assert VERBS[verb].summary in " ".join(text.split())


def test_the_version_is_that_of_the_distribution() -> None:
    text = CliRunner().invoke(command_line(), ["--version"]).stdout
    assert text.startswith("haihe 0.")


def test_a_misspelt_verb_is_refused_with_those_that_come_near() -> None:
    done = CliRunner().invoke(command_line(), ["promot"])
    assert (done.exit_code, "Did you mean 'promote'" in done.stderr) == (2, True)


@pytest.mark.parametrize("verb", ACTS)
def test_a_wrong_role_is_refused_before_anything_else(verb: str, tmp_path: Path) -> None:
    """The home is empty: whatever else was done first would fail in another way."""
    before = set(sys.modules)
    done = haihe(tmp_path / "home", *verb.split(), *ACTS[verb], "--by", "bank:harbour-bank", fails=True)
    assert isinstance(done.exception, Refused), done.output
    assert "bank:harbour-bank" in str(done.exception)
    assert not {"ray", "mlflow", "lightgbm"} & (set(sys.modules) - before)
    assert not (tmp_path / "home").exists()


def test_every_verb_with_by_is_one_whose_role_is_checked() -> None:
    for verb in VERBS:
        for words in [[verb], *([verb, sub] for sub in subverbs(verb))]:
            text = CliRunner().invoke(command_line(), [*words, "--help"]).stdout
            assert ("--by" in text) == (" ".join(words) in {*ACTS, *READS}), words


def subverbs(verb: str) -> list[str]:
    text = CliRunner().invoke(command_line(), [verb, "--help"]).stdout
    listed = text.partition("Commands:\n")[2].splitlines()
    return [line.split()[0] for line in listed if line.startswith("  ") and line[2] != " "]


def test_every_verb_that_shows_something_has_json() -> None:
    silent = {"serve"}  # it becomes the service
    for verb in set(VERBS) - silent:
        for words in [[verb, sub] for sub in subverbs(verb)] or [[verb]]:
            assert "--json" in CliRunner().invoke(command_line(), [*words, "--help"]).stdout, words


def test_a_table_in_a_pipe_is_not_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)  # a library that was imported before may have set it
    wide = "x" * 300
    output.table("wide", ("a", "b"), [(wide, wide)])
    assert capsys.readouterr().out.count(wide) == 2
    printed = haihe(tmp_path, "catalogue", "administrative_penalty").stdout
    assert "…" not in printed
    listed = json.loads(haihe(tmp_path, "catalogue", "administrative_penalty", "--json").stdout)
    assert all(field["column"] in printed for field in listed["fields"])


def test_the_status_of_a_home_that_is_not_there(tmp_path: Path) -> None:
    text = haihe(tmp_path / "none", "status").stdout
    assert "it is not there yet" in text
    data = json.loads(haihe(tmp_path / "none", "status", "--json").stdout)
    assert (data["exists"], data["running"], data["production"]) == (False, [], [])
    assert not (tmp_path / "none").exists()


def test_the_status_lists_recorded_processes_while_they_run(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.ensure_keys()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        process = Process("worker", child.pid, "", "")
        assert process.record(home) is not None
        Process("gateway", child.pid, "unix:/nowhere", "unix:/nowhere:/health").record(home)
        rows = json.loads(haihe(tmp_path, "status", "--json").stdout)["running"]
        assert [(each["name"], each["pid"], each["state"]) for each in rows] == [
            ("gateway", child.pid, "does not answer"), ("worker", child.pid, "runs"),
        ]  # fmt: skip
        assert "does not answer gateway" in " ".join(haihe(tmp_path, "status").stdout.split())
        child.kill()
    assert running(home) == []
    assert not list((tmp_path / "running").iterdir()), "the records of ended processes are removed"


def test_one_home_for_all_verbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HAIHE_HOME", raising=False)
    _note_former.cache_clear()
    assert Home.here().root == DEFAULT.resolve()
    (FORMER / "shelf").mkdir(parents=True)
    assert Home.here().root == FORMER.resolve(), "an old home of `haihe up` is used when it is the only one"
    assert str(FORMER) in capsys.readouterr().err
    (DEFAULT / "keys").mkdir(parents=True)
    assert Home.here().root == DEFAULT.resolve()
    assert Home.here({"HAIHE_HOME": str(FORMER)}).root == FORMER.resolve()
    assert capsys.readouterr().err == ""


def test_long_work_writes_a_line_in_a_pipe_again_and_again(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as report:
        report("reading", 0, 0)
        for done in range(4):
            report("scoring", done + 1, 4)
    assert capsys.readouterr().err.splitlines() == ["  reading", "  scoring: 1 of 4", "  scoring: 4 of 4"]


def test_a_step_that_reports_nothing_is_repeated(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("infra.progress.PLAIN_EVERY", 0.02)
    with progress() as report:
        report("training", 0, 0)
        limit, lines = time.monotonic() + 30, ""
        while lines.count("training") < 3 and time.monotonic() < limit:
            time.sleep(0.01)
            lines += capsys.readouterr().err
    assert lines.count("training") >= 3
    assert PlainLines().every <= 5.0


def test_an_evaluation_is_summarised_in_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    model = {
        "snapshot": "snapshot-1", "version": "version-1", "last": "snapshot-0", "subjects": 105,
        "moved": {"new": 3, "same": 80, "up": 10, "down": 12, "gone": 7}, "grades": {"A": 60, "B": 40, "D": 5},
        "last_grades": {"A": 62, "B": 45, "D": 2}, "by": {"district": {"120101": {"down": 8}}}, "between": [],
    }  # fmt: skip
    first = model | {"last": None, "last_grades": {}}
    summarise({"period": "2026-11", "as_of": "2026-11-01", "models": {"one": model, "two": first}, "page": "x.html"})
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 14
    for words in (
        "105 subjects",
        "A 57.1 %, B 38.1 %, D 4.8 %",
        "10 rose, 12 fell, 80 kept",
        "first evaluation",
        "x.html",
    ):
        assert words in text, words
    assert "120101" not in text


def test_an_error_still_ends_with_its_exit_code(tmp_path: Path) -> None:
    done = haihe(tmp_path, "card", "enterprise", fails=True)
    assert isinstance(done.exception, CreditError)


def test_up_leaves_a_home_that_is_there_as_it_is(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.ensure_keys()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    make_demonstration(home)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
