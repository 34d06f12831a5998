"""Data cannot give orders to a terminal: no markup of rich, and no control character, in what people read."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from credit.errors import CreditError
from credit.messages import Text
from infra import output
from infra.haihe import main
from infra.language.texts import visible
from infra.progress import progress
from infra.sandbox.preflight import Check
from infra.verbs.lab import status

MARKUP = ["[/red]", "[red]x", "[link=http://evil.example]x[/link]", "[/]", ":warning:", "x[bold", "\\[red]"]
SEQUENCES = ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "a\rb", "\x00", "\x7f", "a\bb"]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def show_everything(value: str) -> None:
    """Print ``value`` in every place that data comes into."""
    output.message("cli.status.home", home=value)
    output.line(value, markup=False)
    output.result({"a": value, value: "b", "c": [value], "d": {value: value}}, as_json=False)
    output.table(value, (value,), [(value,)])
    act = SimpleNamespace(verb=value, by=value, at=datetime(2026, 1, 1, tzinfo=UTC), seq=1, id=value)
    link = SimpleNamespace(kind=value, id=value, made_by=value, made_at=value, facts={value: value}, acts=[act])
    chain: Any = SimpleNamespace(links=[link], ledgers={value: 1}, actors=[value])
    output.trace_chain(chain)
    finding = {"outcome": value, "check": value, "why": value}
    output.gate_verdict({"version": value, "verdict": {"outcome": "review", "findings": [finding]}})
    waits = {"granted": False, "approvals": {"needed": 2, "by": [value]}}
    output.gate_verdict({"version": value, "verdict": {"outcome": "pass", "findings": [finding]}, **waits})
    reasons = [{"points": 1.0, "zh": value, "en": value}]
    snapshot, notice = {"id": value, "as_of": value}, {"zh": value}
    output.score(
        {"points": 1.0, "default_probability": 0.1, "grade": value, "base_points": 1.0, "reasons": reasons}
        | {"rules": [{"zh": value, "grade": value}], "score_id": value, "version": value}
        | {"snapshot": snapshot, "notice": notice}
    )
    figures = {"rows": 1, "positives": 1, "auc": 0.5, "auc_low": 0.5, "auc_high": 0.5, "ks": 0.1, "brier": 0.1}
    output.evidence(value, value, figures | {"judged_by": value, "baseline": {"what": value, **figures}})
    output.preflight([Check(value, False, value, value)])
    status._print(
        {"home": value, "exists": True, "unreadable": [value]}
        | {"running": [{"name": value, "pid": 1, "address": value, "state": value}]}
        | {"production": [{"model": value, "problem": value, "version": value, "since": value, "promoted_by": value}]}
    )


@pytest.mark.parametrize("value", MARKUP)
def test_markup_in_data_is_text(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_everything(value)
    assert capsys.readouterr().out.count(value) >= 40


@pytest.mark.parametrize("value", SEQUENCES)
def test_control_characters_in_data_are_replaced(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_everything(value)
    with progress() as report:
        report(value, 0, 0)
    output.error(CreditError("haihe.fault", error=value, why=Text.verbatim(value)))
    printed = "".join(capsys.readouterr())
    assert visible(printed) == printed
    assert printed.count("\N{REPLACEMENT CHARACTER}") >= 40


def test_lines_and_tabs_stay_and_json_is_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    output.line("a\tb\nc", markup=False)
    assert capsys.readouterr().out.splitlines()[-1] == "c"
    value = "[red]\x1b[2J:warning:"
    output.result({"a": value}, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"a": value}


def test_an_error_with_markup_is_shown_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    output.error(CreditError("haihe.fault", error="[/red]:warning:"))
    assert "[/red]:warning:" in capsys.readouterr().err


@pytest.mark.parametrize("home", ["/dev/null", "/tmp/" + "x" * 5000])
def test_a_path_that_was_given_wrongly_is_no_fault_of_the_program(
    home: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAIHE_HOME", home)
    monkeypatch.delenv("HAIHE_TRACEBACK", raising=False)
    monkeypatch.setattr(sys, "argv", ["haihe", "keys"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert f"{home[:50]}" in capsys.readouterr().err


def test_a_port_that_cannot_be_is_refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["haihe", "up", "--check", "--port", "99999999"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "--port" in capsys.readouterr().err
