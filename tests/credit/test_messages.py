"""Every message that the code names exists in Chinese and in English, fits its place, and no other is kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.pofile import read_po

from credit import messages
from credit.errors import CreditError, Malformed, Missing, Refused
from credit.gate import Finding, Outcome, Verdict
from credit.messages import LANGUAGES, LOCALES, Text, of_environment, preferred

ROOT = Path(__file__).parents[2]
PACKAGES = ("credit", "privacy", "lab", "models", "serving", "infra")
PARTS = ("", ".why", ".remedy")
NOT_PARAMETERS = {"why", "remedy", "findings", "after"}  # what the classes of errors take themselves


@cache
def catalogue(language: str) -> dict[str, str]:
    """The texts of a language as they stand in its files, the empty ones too."""
    whole: dict[str, str] = {}
    for path in sorted((LOCALES / language).glob("*.po")):
        with path.open("rb") as file:
            texts = {str(each.id): str(each.string) for each in read_po(file, locale=language) if each.id}
        assert not whole.keys() & texts.keys()
        whole |= texts
    return whole


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax of every file of the packages."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    paths = [path for path in paths if not path.is_relative_to(ROOT / "serving/client")]  # has texts of its own
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


@cache
def kinds() -> frozenset[str]:
    """The names of the classes of errors."""
    names, before = {"CreditError"}, 0
    while len(names) > before:
        before = len(names)
        for tree in trees().values():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and names & {getattr(base, "id", "") for base in node.bases}:
                    names.add(node.name)
    return frozenset(names)


def calls(path: str) -> Iterator[tuple[str, ast.Call]]:
    """The calls of a file that make an error or a message, each with the name of what is called."""
    for node in ast.walk(trees()[path]):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called in kinds() or called == "Text.of" or (called == "super().__init__" and is_id(node.args[:1])):
            yield called, node


def is_id(arguments: list[ast.expr]) -> bool:
    return bool(arguments) and isinstance(arguments[0], ast.Constant) and arguments[0].value in catalogue("en")


def gaps(text: str) -> set[str]:
    """The names of the parameters of a text."""
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in Formatter().parse(text) if name}


def strings() -> set[str]:
    """Every string that the code holds."""
    return {
        node.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def names_of_log_events() -> set[str]:
    """What the code calls the lines of its log: operators search for them, so they have no translation."""
    return {
        node.value
        for tree in trees().values()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith((".event", "log_event")) and call.args
        for node in ast.walk(call.args[0])
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_message_is_there_in_both_languages_with_the_same_parameters() -> None:
    english, chinese = catalogue("en"), catalogue("zh")
    assert len(english) > 1000
    assert english.keys() == chinese.keys()
    assert not [id for id, text in english.items() if not text]
    assert not [id for id, text in chinese.items() if not text]
    assert not [id for id in english if gaps(english[id]) != gaps(chinese[id])]


def test_chinese_messages_are_chinese() -> None:
    words = {id: re.sub(r"`[^`]*`|\{[^}]*\}", "", text) for id, text in catalogue("zh").items()}
    english = {id: re.sub(r"\{[^}]*\}", "", text) for id, text in catalogue("en").items()}
    assert not [id for id, text in words.items() if re.search(r"\w", english[id]) and not re.search("[一-鿿]", text)]


def test_every_id_that_the_code_names_is_in_the_catalogues_and_every_one_there_is_named() -> None:
    named = strings()
    bases = {re.sub(r"\.(why|remedy)$", "", id) for id in catalogue("en")}
    assert sorted(bases - named - {id.removesuffix(part) for id in named for part in PARTS}) == []
    for path in trees():
        for called, call in calls(path):
            if called == "Text.of" and path != "credit/messages.py":
                choices = [call.args[0].body, call.args[0].orelse] if isinstance(call.args[0], ast.IfExp) else call.args
                assert all(is_id([each]) for each in choices) or isinstance(call.args[0], ast.Name), (path, call.lineno)
    prefixes = {id.partition(".")[0] for id in bases}
    shaped = {
        text for text in named if re.fullmatch(r"[a-z-]+\.[a-z0-9-]+", text) and text.partition(".")[0] in prefixes
    }
    unknown = {text for text in shaped - names_of_log_events() if "-" in text and text not in catalogue("en")} - bases
    assert unknown <= {"catalogue.html", "credit-files.built", "request.step-done", "request.step-failed"}, unknown


def test_no_error_is_raised_with_a_sentence() -> None:
    wrong = []
    for path in trees():
        for called, call in calls(path):
            first = call.args[0] if call.args else None
            if called == "Text.of" or first is None:
                continue
            if isinstance(first, ast.JoinedStr) or (isinstance(first, ast.Constant) and " " in str(first.value)):
                wrong.append(f"{path}:{call.lineno}")
            for keyword in call.keywords:
                if keyword.arg in ("why", "remedy") and isinstance(keyword.value, ast.Constant | ast.JoinedStr):
                    wrong.append(f"{path}:{call.lineno}: {keyword.arg}")
    assert wrong == []


def test_every_parameter_of_a_text_is_given_where_the_text_is_named() -> None:
    english, wrong = catalogue("en"), []
    for path in trees():
        for called, call in calls(path):
            given = {keyword.arg for keyword in call.keywords}
            if None in given or not is_id(call.args):
                continue
            id = ast.literal_eval(call.args[0])
            parts = {part: gaps(english[id + part]) for part in PARTS if id + part in english}
            used = set().union(*(names for part, names in parts.items() if part[1:] not in given))
            needed = parts[""] if called == "Text.of" else used
            if not needed <= given:
                wrong.append(f"{path}:{call.lineno}: {id} lacks {sorted(needed - given)}")
            if extra := given - used - (NOT_PARAMETERS if called != "Text.of" else set()):
                wrong.append(f"{path}:{call.lineno}: {id} has {sorted(map(str, extra))}")
    assert wrong == []


def test_an_error_speaks_both_languages_and_is_the_same_after_a_journey() -> None:
    import pickle

    error = Missing("mandates.no-client", bank="bohai")
    assert str(error) == "There is no client bohai. Add the bank first"
    assert error.in_language("zh") == "没有客户端 bohai。请先登记该机构"
    again = pickle.loads(pickle.dumps(error))
    assert [again.problem(language) for language in LANGUAGES] == [error.problem(language) for language in LANGUAGES]
    assert (again.status, again.exit_code, type(again)) == (404, 4, Missing)


def test_a_message_goes_into_a_ledger_and_comes_back() -> None:
    inner = Text.of("uscc.wrong-length", count=17)
    text = Text.of("gate.finding", check="code", outcome=Text.of("gate.outcome-fail"), reason=inner)
    assert str_of(Text.from_json(text.as_json())) == text.render("zh") == "code：未通过（有 17 个字符，应为 18 个）"
    finding = Finding.of("code", Outcome.FAIL, inner, {"lines": 3})
    stored = Verdict("airlock", (finding,), {}).as_json()["findings"][0]
    assert stored["why"] == "it has 17 characters, not 18"
    assert Finding.read(stored).reason("zh") == "有 17 个字符，应为 18 个"
    old = {name: stored[name] for name in ("check", "outcome", "why", "evidence")}  # from before messages had ids
    assert Finding.read(old).reason("zh") == Finding.read(old).reason("en") == stored["why"]


def test_several_messages_are_joined_as_each_language_does() -> None:
    both = Text.several([Text.of("uscc.wrong-character"), Text.of("uscc.wrong-last-check")])
    assert both.render("en").count("; ") == 1
    assert both.render("zh").count("；") == 1


@pytest.mark.attack
@pytest.mark.parametrize("value", ["{0}", "{count}", "{x.__class__}", "{", "%s", "会" * 5000])
def test_a_parameter_is_never_read_as_a_text(value: str) -> None:
    error = Malformed("uscc.not-a-code", why=Text.verbatim(value))
    assert value in str(error)
    assert value in Refused("actor.may-not", name=value, act=Text.verbatim(value), roles=value).text("what", "zh")


def test_a_text_that_does_not_fit_is_its_id_and_its_parameters() -> None:
    assert Text.of("no.such-message", count=3).render() == "no.such-message count=3"
    assert Text.of("uscc.wrong-length", length=3).render() == "uscc.wrong-length length=3"
    assert CreditError("no.such-message").problem("zh")["detail"] == ""


@pytest.mark.parametrize(
    ("environment", "language"),
    [({}, "en"), ({"LANG": "zh_CN.UTF-8"}, "zh"), ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
     ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "zh_CN"}, "zh"), ({"LC_ALL": "", "LANG": "zh"}, "zh")],
)  # fmt: skip
def test_the_language_of_a_shell_is_known(environment: dict[str, str], language: str) -> None:
    assert of_environment(environment) == language


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en;q=0.9,zh;q=0.5", "en"), ("fr", "en"), ("zh;q=x,;;,", "en")],
)
def test_the_language_of_a_browser_is_known(accepted: str, language: str) -> None:
    assert preferred(accepted) == language
    assert messages.preferred("fr", "zh") == "zh"


def str_of(text: Text | None) -> str:
    assert text is not None
    return text.render("zh")


def nested(levels: int) -> dict[str, Any]:
    text: dict[str, Any] = {"id": "verbatim", "params": {"text": "x"}}
    for _ in range(levels):
        text = {"id": "several", "params": {"texts": [text]}}
    return text


@pytest.mark.attack
@pytest.mark.parametrize(
    "message",
    [None, "x", 7, [], {}, {"id": None}, {"id": ["x"]}, {"id": "no.such-id"}, {"id": "verbatim", "params": None},
     {"id": "verbatim", "params": [1]}, {"id": "verbatim", "params": {"text": {"id": "no.such-id"}}}, nested(3_000)],
)  # fmt: skip
def test_a_stored_message_that_is_none_leaves_the_finding_its_english_reason(message: Any) -> None:
    stored = {"check": "k", "outcome": "fail", "why": "too few rows", "evidence": {}, "message": message}
    finding = Finding.read(stored)
    assert finding.reason("zh") == finding.reason("en") == "too few rows"


def test_a_stored_message_of_a_few_levels_is_read() -> None:
    assert str_of(Text.from_json(nested(2))) == "x"
