"""Whatever the service refuses a bank with is read in Chinese to the end: every message in its code has its words."""

from __future__ import annotations

import ast
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from serving_world import PURPOSE, codes

import serving
from credit.errors import CreditError, Malformed, Missing, Refused
from credit.gate import Finding, Outcome, Verdict
from credit.messages import Text, texts
from credit.uscc import fault_of
from serving.endpoints.batch_jobs.job_files import _PARQUET, _TOO_COSTLY
from serving.endpoints.batch_jobs.job_store import CANCELLED, EXPIRED, QUEUED, RUNNING
from serving.endpoints.batch_jobs.routes import _STATES
from serving.endpoints.inquiries import schemas as inquiry_forms
from serving.endpoints.monitoring import schemas as watch_forms
from serving.i18n.field_faults import FAULTS
from serving.responses import live_schemas
from serving.responses import request_schemas as request_forms

ROOT = Path(serving.__file__).parent
GOOD, OTHER = codes("enterprise", 2)
CHINESE = re.compile("[一-鿿]")


def test_every_message_of_the_code_has_its_chinese() -> None:
    named = {id for path in sorted(ROOT.rglob("*.py")) for id in ids(path)}
    assert len(named) > 150
    english, chinese = texts("en"), texts("zh")
    parts = {id + part for id in named for part in ("", ".why", ".remedy") if id + part in english}
    missing = sorted(
        id for id in parts if not CHINESE.search(chinese[id]) and re.search(r"\w", without_code(english[id]))
    )
    assert not missing, "\n".join(missing)
    assert not sorted(id for id in parts if re.search(r"\b[a-z]+ [a-z]+ [a-z]+\b", without_code(chinese[id])))


@pytest.mark.parametrize("error", [
    *(Malformed(reason) for reason in (*_PARQUET.values(), _TOO_COSTLY)),
    *(Malformed("routes.job-no-result", state=_STATES[state]) for state in (QUEUED, RUNNING, CANCELLED, EXPIRED)),
    Malformed("errors.body-did-not-arrive", seconds=10), Malformed("routes.file-did-not-arrive", seconds=120),
    Malformed("verifications.not-value-question", step=50, grades="A, B"),
    *(Malformed("uscc.not-a-code", why=fault_of(code)) for code in (
        "9" * 17, "?" * 18, GOOD[:17] + ("0" if GOOD[17] != "0" else "1"), GOOD[:16] + "?" + GOOD[17])),
    Missing("snapshot.champion-no-snapshot", model="enterprise"),
])  # fmt: skip
def test_messages_that_are_put_together_have_theirs(error: CreditError) -> None:
    problem = error.problem("zh")
    for name in ("title", "detail", "remedy"):
        assert CHINESE.search(problem[name]), problem
        assert not re.search("[a-z]+ [a-z]+ [a-z]+", problem[name]), problem


def test_what_a_gate_refuses_with_is_chinese_finding_by_finding() -> None:
    failed = [Finding.of("subject", Outcome.FAIL, Text.of("mandates.for-another-subject")),
              Finding.of("time", Outcome.FAIL, Text.of("mandates.not-in-force"))]  # fmt: skip
    with pytest.raises(Refused) as refused:
        Verdict("mandate", tuple(failed), {}).require()
    problem = refused.value.problem("zh")
    assert problem["detail"] == "subject：未通过（授权书属于另一主体）；time：未通过（授权书当日不在有效期内）"
    assert [each["why"] for each in problem["findings"]] == ["授权书属于另一主体", "授权书当日不在有效期内"]
    assert problem["title"] == "授权书核验未通过"
    assert refused.value.why == (
        "subject: fail (the mandate is for another subject); time: fail (the mandate is not in force on this day)"
    )


def test_a_fault_of_any_field_of_any_form_has_its_chinese() -> None:
    modules = (request_forms, live_schemas, inquiry_forms, watch_forms)
    forms = [form for module in modules for name, form in vars(module).items()
             if name.endswith("RequestSchema") and isinstance(form, type)]  # fmt: skip
    values: list[Any] = [None, 1, -1, 10**9, 1.5, "", "x", "x" * 3000, [], [1], ["x"] * 2000, {}, {"x": "x"},
                         {str(each): 1.0 for each in range(2000)}, True]  # fmt: skip
    seen = set()
    assert len(set(forms)) >= 9
    for form in set(forms):
        bodies = [
            {},
            1,
            {"unknown": 1},
            *({name: value} for name, value in itertools.product(form.model_fields, values)),
        ]
        for body in [b"nonsense", b"\xff", *(json.dumps(body).encode() for body in bodies)]:
            try:
                request_forms.parse_body(form, body)
            except Malformed as bad:
                problem = bad.problem("zh")
                seen |= set(bad.why.split("; "))
            else:
                continue
            assert [part for part in problem["detail"].split("；") if not re.search("[一-鿿]", part)] == []
            assert "不合格式" not in problem["detail"]  # pydantic's own words
            assert "请发送" in problem["remedy"]
    assert len(seen) > 40
    assert {texts("zh")[id] for id in FAULTS.values()} <= set(texts("zh").values())


def test_a_refusal_is_chinese_to_the_end_and_stays_what_it_was(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    bearer = {"Authorization": f"Bearer {running.token()}"}
    request = {"uscc": OTHER, "purpose": PURPOSE, "mandate": mandate}
    table: list[tuple[str, Any, dict[str, str], str]] = [
        ("/v1/scores", request, bearer, "授权书属于另一主体"),
        ("/v1/scores", {**request, "uscc": "9"}, bearer, "有 1 个字符，应为 18 个"),
        ("/v1/scores", {"uscc": OTHER}, bearer, "mandate：缺少该字段；purpose：缺少该字段"),
        ("/v1/scores", request, {}, "未提供令牌"),
        ("/v1/scores", request, {**bearer, "Idempotency-Key": "k" * 129}, "应为 1 至 128 个可见 ASCII 字符"),
        ("/v1/evaluations", {"uscc": OTHER, "matter": "A-2026-1"}, bearer, "scope"),
        ("/v1/objections", {"score_id": "x", "kind": "correction", "statement": "?"}, bearer, "本机构没有此编号的答复"),
        ("/v1/watches", request, bearer, "单笔授信的授权书不允许对主体持续关注"),
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
    part = running.http.post("/v1/scores/batch", json={"asks": [request]}, headers={**bearer, "Accept-Language": "zh"})
    assert "授权书属于另一主体" in part.json()["answers"][0]["problem"]["findings"][0]["why"]


@pytest.mark.attack
@pytest.mark.parametrize("text", ["", ";", "; ", ": ", "{}", "{0}", "{text}", "{name.__class__}", "x" * 10_000,
                                  "a: b; " * 5000, "fail (" * 5000, "会; 议: {}"])  # fmt: skip
def test_any_text_comes_through_whole_and_at_once(text: str) -> None:
    for language in ("en", "zh"):
        outside = Text.verbatim(text)
        problem = Refused(outside, why=outside, remedy=outside, findings=[text]).problem(language)
        assert [problem[name] for name in ("title", "detail", "remedy")] == [text] * 3
        assert problem["findings"] == [text]
        assert text in Malformed("registry.model-not-in-service", model=text).text("what", language)


def why(finding: dict[str, Any]) -> str:
    return str(finding["why"])


def without_code(text: str) -> str:
    """A text without what stands in backticks, and without its parameters."""
    return re.sub(r"`[^`]*`|\{[^}]*\}|'[^']*'", "", text)


def ids(path: Path) -> set[str]:
    """The ids of messages that a file names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return named & set(texts("en"))
