"""The command line is Chinese where the shell's locale is: help, results, progress, errors. JSON stays as it is."""

from __future__ import annotations

import ast
import json
import os
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import infra
from credit.gate import Finding, Outcome
from credit.messages import Text, texts
from credit.requests.state_reader import ZONES
from infra import output
from infra.haihe import command_line
from infra.language.help import wrapped
from infra.language.texts import columns, translated, translations
from infra.progress import progress
from infra.verbs.models.evaluate import summarise
from infra.verbs.table import USERS, VERBS

CHINESE = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_CN.UTF-8"}
ENGLISH_SENTENCE = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")
HAN = re.compile(r"[\u4e00-\u9fff]")
SOURCES = [path for path in Path(infra.__file__).parent.rglob("*.py") if "hub" not in path.parts]


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CHINESE.items():
        monkeypatch.setenv(name, value)


def run(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **CHINESE, "HAIHE_HOME": str(home), "PYTHONUTF8": "1", **environment}
    return subprocess.run([sys.executable, "-m", "infra.haihe", *words], env=env, capture_output=True, text=True)


def assert_chinese(text: str) -> None:
    """Chinese, without a sentence of English; the words of a command (after 用法, in backquotes) are no sentence."""
    text = re.sub("`.*?`|用法：.*", "", text)
    assert HAN.search(text), text
    assert not ENGLISH_SENTENCE.search(text), text


def commands() -> Iterator[tuple[list[str], Any]]:
    """Every verb and every verb below one, with the words that call it."""
    group: Any = typer.main.get_command(command_line())
    for name in VERBS:
        command = group.get_command(None, name)
        yield [name], command
        yield from (([name, below], one) for below, one in getattr(command, "commands", {}).items())


def literals(function: str) -> set[str]:
    """The ids that the sources of ``infra`` give to a function as literals."""
    ids = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name | ast.Attribute)
                and (node.func.id if isinstance(node.func, ast.Name) else node.func.attr) == function
                and node.args
            ):
                chosen = [node.args[0]]
                if isinstance(node.args[0], ast.IfExp):
                    chosen = [node.args[0].body, node.args[0].orelse]
                ids |= {str(each.value) for each in chosen if isinstance(each, ast.Constant)}
    return ids


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_help_text_of_every_verb_and_option_has_a_chinese_one(chinese: None) -> None:
    lacking = []
    for words, command in commands():
        paragraphs = [" ".join(each.split()) for each in command.help.split("\n\n")]
        for text in [*paragraphs, *filter(None, (getattr(each, "help", None) for each in command.params))]:
            if translated(text) == text:
                lacking.append((words, text))
    assert lacking == []
    assert [title for title in USERS.values() if translated(title) == title] == []


def test_the_help_texts_of_the_catalogue_are_those_of_the_code() -> None:
    """A help text that was changed in the code alone would no longer be found; one that is gone is of no use."""
    used = {verb.summary for verb in VERBS.values()} | set(USERS.values())
    group: Any = typer.main.get_command(command_line())
    for command in [group, *(each for _, each in commands())]:
        used |= {" ".join(each.split()) for each in command.help.split("\n\n")}
        used |= {each.help for each in command.params if getattr(each, "help", None)}
    added = {"Show this message and exit.", "Options", "Arguments", "Commands", "default", "required", "env var"}
    assert {english for context, english in translations() if context == "help"} == used | added  # by Typer


def test_every_text_of_the_command_line_is_in_both_languages_with_the_same_gaps() -> None:
    english, chinese = texts("en"), texts("zh")
    ids = [id for id in english if id.startswith("cli.")]
    assert len(ids) > 100
    assert len(translations()) > 300
    assert literals("localized") | literals("message") | set(output.STATES.values()) == set(ids)
    pairs = [(english[id], chinese[id]) for id in ids] + [(text, shown) for (_, text), shown in translations().items()]
    for text, shown in pairs:
        assert gaps(text) == gaps(shown), text
        assert HAN.search(shown) or not re.search("[a-z]{3}", re.sub(r"\{.*?\}", "", shown)), text


def test_every_label_of_progress_has_a_chinese_one(chinese: None) -> None:
    labels = literals("report") | literals("report_progress")
    assert len(labels) > 15
    assert [label for label in labels if translated(label) == label] == []
    assert translated("checking enterprise_registration") == "校验 enterprise_registration"
    assert translated("measuring enterprise again, and judging") == "重新度量 enterprise 并审查"
    assert translated("enterprise: search") == "enterprise：搜索参数"
    assert translated("a label of nobody") == "a label of nobody"


@pytest.mark.parametrize("zone", ZONES)
def test_the_name_of_a_zone_in_a_label_is_chinese(chinese: None, zone: str) -> None:
    for label in (f"waiting for {zone}", f"verifying the ledger of {zone}", "starting"):
        assert not re.search("[a-z]", translated(label)), translated(label)


def test_the_help_of_haihe_is_chinese(chinese: None) -> None:
    text = CliRunner().invoke(command_line(), ["--help"]).stdout
    assert_chinese(text)
    assert all(f"\n  {name} " in text for name in VERBS)


def test_the_help_of_every_verb_is_chinese(chinese: None) -> None:
    for words, _ in commands():
        text = CliRunner().invoke(command_line(), [*words, "--help"]).stdout
        assert_chinese(text)
        assert max(map(columns, text.splitlines())) <= 80, words


@pytest.mark.parametrize(
    "words",
    [
        ["promot"],
        ["evaluate"],
        ["evaluate", "--perod", "x"],
        ["serve", "--port", "many"],
        ["shelf", "more"],
        ["ledger", "wrong"],
        ["trace"],
        ["bank", "harbour", "--key"],
        ["city", "--subjects", "3"],
        ["trace", "x", "--brought", "/nowhere"],
        ["export", "x", "--out", "x", "--as", "cobol"],
        ["shelf", "--json=3"],
        ["promote", "enterprise", "--by", "bank:harbour-bank"],
        ["card", "enterprise"],
        ["trace", "score-1"],
    ],
)
def test_an_error_is_chinese_and_ends_with_the_same_exit_code(words: list[str], tmp_path: Path) -> None:
    done = run(tmp_path / "home", *words)
    english = run(tmp_path / "home", *words, LANG="en_US.UTF-8")
    assert_chinese(done.stderr)
    assert not HAN.search(english.stderr)
    assert done.returncode == english.returncode != 0


def test_the_status_is_chinese_and_its_json_is_not(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert_chinese(run(home, "status").stdout)
    assert run(home, "keys").returncode == 0
    assert_chinese(run(home, "status").stdout)
    for words in (["status", "--json"], ["catalogue", "--json"], ["shelf", "--json"], ["keys", "--json"]):
        documents = [json.loads(run(home, *words, LANG=name).stdout) for name in ("zh_CN.UTF-8", "en_US.UTF-8")]
        assert documents[0] == documents[1]
    assert_chinese(run(home, "keys").stdout.replace(str(home), ""))
    assert "数据表" in run(home, "catalogue").stdout


def test_lc_all_comes_before_lang(tmp_path: Path) -> None:
    assert not HAN.search(run(tmp_path, "status", LC_ALL="C").stdout)
    assert HAN.search(run(tmp_path, "status", LANG="C", LC_MESSAGES="zh_CN.UTF-8").stdout)


def test_an_evaluation_is_summarised_in_chinese(chinese: None, capsys: pytest.CaptureFixture[str]) -> None:
    moved = {"new": 3, "same": 80, "up": 10, "down": 12, "gone": 7}
    model = {
        "snapshot": "snapshot-1", "version": "version-1", "last": "snapshot-0", "subjects": 105, "moved": moved,
        "grades": {"A": 60, "B": 45}, "last_grades": {"A": 62, "B": 45},
    }  # fmt: skip
    models = {"one": model, "two": model | {"last": None}}
    summarise({"period": "2026-11", "as_of": "2026-11-01", "models": models, "page": "x.html"})
    text = capsys.readouterr().out
    assert_chinese(text)
    assert "上升 10 个，下降 12 个，等级不变 80 个" in text


def test_a_verdict_has_the_reasons_of_its_findings_in_chinese(
    chinese: None, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = Finding.of("auc", Outcome.FAIL, Text.of("gate.no-checks"))
    verdict = {"outcome": "fail", "findings": [finding.as_json()]}
    output.gate_verdict({"version": "version-1", "verdict": verdict}, [finding])
    text = capsys.readouterr().out
    assert_chinese(text)
    assert finding.reason("zh") in text


def test_progress_is_chinese(chinese: None, capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as report:
        report("verifying the release", 0, 0)
        report("enterprise: answers", 2, 4)
    assert capsys.readouterr().err.splitlines() == ["  核验发布", "  enterprise：评分: 2/4 项"]


def test_chinese_is_wrapped_by_the_columns_that_it_takes() -> None:
    text = "从原始记录到可核验的评分，完整运行 `haihe demo` 一遍。" * 5
    lines = wrapped(text, 40)
    assert max(map(columns, lines)) <= 42  # a mark after a character stays with it
    assert not any(line[0] in "，。" for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
