"""Whatever the service refuses a bank with is read in Chinese to the end: every message in its code has its words."""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from serving_world import PURPOSE, codes

import serving
from credit.errors import Malformed
from credit.messages import texts as catalogues
from serving.endpoints.batch_jobs.job_files import REASONS
from serving.endpoints.batch_jobs.job_store import CANCELLED, EXPIRED, QUEUED, RUNNING
from serving.endpoints.inquiries import schemas as inquiry_forms
from serving.endpoints.monitoring import schemas as watch_forms
from serving.i18n.languages import _TEXTS, in_chinese, in_language
from serving.responses import live_schemas
from serving.responses import request_schemas as asked_forms

ROOT = Path(serving.__file__).parent
GOOD, OTHER = codes("enterprise", 2)
KINDS = {"CreditError", "Malformed", "Refused", "Unauthenticated", "Lapsed", "Missing", "Broken", "TooLarge", "TooSlow",
         "ScopeMissing", "TooMany"}  # fmt: skip
FINDINGS = {"_finding": 2, "needs_mandate": 0, "_bad": 0}  # which of what they take is a message
NOT_TOLD = {  # whole files, or functions of them, whose messages no bank gets from the service
    "auth/clients.py", "auth/access_database.py", "auth/client_key.py", "bank", "bank_sandbox.py",
    "data/declarations.py", "settings.py",
    "endpoints/scores/replay.py",
    "audit/usage.py", "audit/signatures.py",
    "audit/journal.py",  # the platform's hand, the bank's own side, whoever verifies
    "auth/mandates.py:grant", "auth/mandates.py:revoke", "auth/mandates.py:__post_init__",
    "auth/mandates.py:of", "auth/dpop.py:read_key", "auth/dpop.py:read_assertion",
    "responses/live_schemas.py:read_brought", "endpoints/objections/objections.py:decide",
    "auth/tokens.py:_client", "auth/tokens.py:issue",
    "auth/token_requests.py",  # an error_description, which is ASCII (RFC 6749 §5.2)
    "app/create.py:ready", "endpoints/batch_jobs/job_lines.py:read_line",
    "endpoints/batch_jobs/job_scoring.py:write",  # readiness; rows of a job's result
    "endpoints/monitoring/webhook_sender.py",  # what came of a trial
}  # fmt: skip
OPEN = {  # what is no text of the code, and why it has its Chinese all the same, or needs none
    "held.what": "a message of data/, told as the reason",
    "failed.why": "the finding's own",
    "'; '.join(named)": "what pydantic says of fields: see below",
    "type(error).__name__": "a name", "type(fault).__name__": "a name", "self._fault": "a name",
    "name.decode()": "a name", "grade": "a name",
    "_told(grades)": "see below", "message": "an id", "remedy or waiting": "a text by id", "auth/rate_limit.py:why": "",
    "endpoints/inquiries/inquiries.py:why": "a text by id", "auth/rate_limit.py:what": "said where it is raised",
    "endpoints/monitoring/webhook_addresses.py:why": "said where it is raised", "wire/protocol.py:*args": "no error",
    "endpoints/batch_jobs/job_files.py:why": "of REASONS: see below",
    "endpoints/batch_jobs/job_files.py:remedy": "of REASONS: see below",
}  # fmt: skip
TOGETHER = {"it is {}", "{} did not arrive"}  # a job's state, the body or the file: see below
BROKEN_INSIDE = re.compile(r"data/")  # of a Broken there only the title is told, as the reason of a Lapsed


def test_every_message_of_the_code_has_its_chinese() -> None:
    found = {(place, text) for path in sorted(ROOT.rglob("*.py")) for place, text in messages(path)}
    assert len(found) > 150
    missing = sorted(f"{place}: {text}" for place, text in found if not (spoken(text) or text in TOGETHER))
    assert not missing, "\n".join(missing)


def test_every_chinese_message_is_one_that_the_code_can_raise() -> None:
    sources = [*ROOT.rglob("*.py"), ROOT.parent / "credit/uscc.py", ROOT.parent / "credit/gate.py"]
    texts = {text for path in sources for text in strings(path)}
    pydantic = {text for text in _TEXTS if text.startswith(("Input should", "String should", "List should", "Dict"))}
    kept = {"Field required", "The mandate gate did not open", "{}: fail ({})", "The body did not arrive",
            "The file did not arrive", "it is queued", "it is running", "it is cancelled", "it is expired",
            "it unpacks to more than {} MiB", "The model {} has no {}",
            "points_at_least takes a whole multiple of {}, points_within none, grade_at_least one of {}"}  # fmt: skip
    assert set(_TEXTS) - texts - pydantic - kept == set()


@pytest.mark.parametrize("text", [
    *(why for why, _ in REASONS.values()), *(remedy for _, remedy in REASONS.values()),
    *(f"it is {state}" for state in (QUEUED, RUNNING, CANCELLED, EXPIRED)), "The body did not arrive",
    "The file did not arrive",
    "points_at_least takes a whole multiple of 50, points_within none, grade_at_least one of A, B",
    "it has 17 characters, not 18", "it holds a character that has no place there",
    "the check character of the organisation code (the 17th) is wrong", "the last check character is wrong",
    "This is not a unified social credit code", "The mandate gate did not open", "The model enterprise has no snapshot",
    "subject: fail (the mandate is for another subject); time: fail (the mandate is not in force on this day)",
])  # fmt: skip
def test_messages_that_are_put_together_have_theirs(text: str) -> None:
    assert spoken(text)
    for part in text.split("; "):
        assert in_chinese(part) in in_chinese(text)


def test_what_pydantic_says_of_any_field_of_any_form_has_its_chinese() -> None:
    rooms = (asked_forms, live_schemas, inquiry_forms, watch_forms)
    asked = [form for module in rooms for name, form in vars(module).items()
             if name.startswith("Asked") and isinstance(form, type)]  # fmt: skip
    values: list[Any] = [None, 1, -1, 10**9, 1.5, "", "x", "x" * 3000, [], [1], ["x"] * 2000, {}, {"x": "x"},
                         {str(each): 1.0 for each in range(2000)}, True]  # fmt: skip
    seen = set()
    for form in set(asked):
        bodies = [
            {},
            1,
            {"unknown": 1},
            *({name: value} for name, value in itertools.product(form.model_fields, values)),
        ]
        for body in [b"nonsense", b"\xff", *(json.dumps(body).encode() for body in bodies)]:
            try:
                asked_forms.explain(form, body)
            except Malformed as bad:
                told = in_language(bad.problem(), "malformed", "zh")
                seen |= set(bad.why.split("; "))
            else:
                continue
            assert [part for part in told["detail"].split("；") if not re.search("[一-鿿]", part)] == []
            assert "请发送" in told["remedy"]
    assert len(seen) > 40


def test_a_refusal_is_chinese_to_the_end_and_stays_what_it_was(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    bearer = {"Authorization": f"Bearer {running.token()}"}
    ask = {"uscc": OTHER, "purpose": PURPOSE, "mandate": mandate}
    table: list[tuple[str, Any, dict[str, str], str]] = [
        ("/v1/scores", ask, bearer, "授权书属于另一主体"),
        ("/v1/scores", {**ask, "uscc": "9"}, bearer, "有 1 个字符，应为 18 个"),
        ("/v1/scores", {"uscc": OTHER}, bearer, "mandate：缺少该字段；purpose：缺少该字段"),
        ("/v1/scores", ask, {}, "未提供令牌"),
        ("/v1/scores", ask, {**bearer, "Idempotency-Key": "k" * 129}, "应为 1 至 128 个可见 ASCII 字符"),
        ("/v1/evaluations", {"uscc": OTHER, "matter": "A-2026-1"}, bearer, "scope"),
        ("/v1/objections", {"score_id": "x", "kind": "correction", "statement": "?"}, bearer, "本机构没有此编号的答复"),
        ("/v1/watches", ask, bearer, "单笔授信的授权书不允许对主体持续关注"),
        ("/v1/jobs", {}, bearer, "首行不是 uscc,purpose,mandate"),
    ]
    for path, body, headers, words in table:
        english = running.http.post(path, json=body, headers=headers).json()
        chinese = running.http.post(path, json=body, headers={**headers, "Accept-Language": "zh-CN"}).json()
        assert words in json.dumps(chinese, ensure_ascii=False), path
        assert all(english[name] == chinese[name] for name in ("type", "status")), path
        assert [each["check"] for each in english.get("findings", [])] == [
            each["check"] for each in chinese.get("findings", [])
        ]
        for text in (chinese["title"], chinese["detail"], chinese["remedy"], *map(why, chinese.get("findings", []))):
            assert not text or re.search("[一-鿿]", text), (path, text)
            assert not re.search(r"[a-z]+ [a-z]+ [a-z]+", text), (path, text)
    part = running.http.post("/v1/scores/batch", json={"asks": [ask]}, headers={**bearer, "Accept-Language": "zh"})
    assert "授权书属于另一主体" in part.json()["answers"][0]["problem"]["findings"][0]["why"]


@pytest.mark.attack
@pytest.mark.parametrize("text", ["", ";", "; ", ": ", "{}", "{0}", "it has {} characters, not 18", "x" * 10_000,
                                  "a: b; " * 5000, "fail (" * 5000, "会; 议: {}"])  # fmt: skip
def test_any_text_comes_through_whole_and_at_once(text: str) -> None:
    told = in_language({"title": text, "detail": text, "remedy": text, "findings": [text]}, "malformed", "zh")
    assert set(told) == {"title", "detail", "remedy", "findings"}
    assert in_language({"title": text}, "malformed", "en") == {"title": text}


def why(finding: dict[str, Any]) -> str:
    return str(finding["why"])


def spoken(text: str) -> bool:
    """Whether a message, with something in its gaps, has its Chinese."""
    filled = text.replace("{}", "7")
    return in_chinese(filled) != filled or not re.search("[a-z]{2}", filled)


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        yield from texts(node)


def gaps(template: str) -> str:
    """A text of the catalogue with `{}` where it takes a parameter."""
    return "".join(text + ("" if name is None else "{}") for text, name, _, _ in Formatter().parse(template))


def texts(node: ast.AST) -> Iterator[str]:
    """The texts that an expression may be, with `{}` in the gaps."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        catalogue = catalogues("en")
        parts = [catalogue[node.value + part] for part in ("", ".why", ".remedy") if node.value + part in catalogue]
        yield from map(gaps, parts) if parts else [node.value]
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)  # type: ignore[misc]
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for each in node.values:
            yield from texts(each)


def messages(path: Path) -> Iterator[tuple[str, str]]:
    """Every message that this file can raise to a bank; fails for one that is no text and is not explained above."""
    name = path.relative_to(ROOT).as_posix()
    if name in NOT_TOLD or name.split("/")[0] in NOT_TOLD:
        return
    tree = WithoutNotTold(name).visit(ast.parse(path.read_text(encoding="utf-8")))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        named = dict(assigned(tree)) | dict(assigned(function))
        for call in ast.walk(function):
            if not isinstance(call, ast.Call):
                continue
            for node in told_by(call, name):
                node = named.get(node.id, node) if isinstance(node, ast.Name) else node
                found = list(texts(node))
                told = ast.unparse(node)
                if not found and told not in OPEN and f"{name}:{told}" not in OPEN:
                    yield name, f"not a text, and not explained: {told}"
                yield from ((name, text) for text in found if text)


class WithoutNotTold(ast.NodeTransformer):
    """Takes out the functions whose messages no bank gets."""

    def __init__(self, file: str) -> None:
        self._file = file

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return ast.Pass() if f"{self._file}:{node.name}" in NOT_TOLD else self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return ast.Pass() if f"{self._file}:{node.name}" in NOT_TOLD else self.generic_visit(node)


def told_by(call: ast.Call, file: str) -> Iterator[ast.expr]:
    called = call.func
    kind = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
    if kind in FINDINGS and len(call.args) > FINDINGS[kind]:
        yield call.args[FINDINGS[kind]]
    is_super = kind == "__init__" and isinstance(called, ast.Attribute) and ast.unparse(called.value) == "super()"
    if kind in KINDS or (is_super and call.args):
        yield from call.args[:1]
        if not (kind == "Broken" and BROKEN_INSIDE.search(file)):
            yield from (each.value for each in call.keywords if each.arg in ("why", "remedy"))


def assigned(scope: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Tuple)
            and isinstance(node.value, ast.Tuple)
        ):
            pairs = zip(node.targets[0].elts, node.value.elts, strict=True)
            yield from ((left.id, right) for left, right in pairs if isinstance(left, ast.Name))
