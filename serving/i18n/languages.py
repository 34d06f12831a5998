"""Refusals in the caller's language (RFC 9110 §12.5.4): what happened, why, and what to do, in Chinese or in English.

What is raised is English; `chinese.json` beside this file has the same in Chinese, message by message, with `{}` where
a number or a name of the interface stands, which stay as they are. What is not in it has the words of its kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any

ACCEPTED: ContextVar[str] = ContextVar("accepted", default="")  # Accept-Language of the call, for parts of an answer
_TEXTS: dict[str, str] = json.loads(Path(__file__).with_name("chinese.json").read_text(encoding="utf-8"))
_SHAPES = [  # those with a `{}`, the longest first: what it says is the most
    (re.compile("(.+?)".join(map(re.escape, text.split("{}")))), said)
    for text, said in sorted(_TEXTS.items(), key=lambda pair: -len(pair[0]))
    if "{}" in text
]
ZH = {  # slug -> what, what to do
    "malformed": ("无法读取该请求", "请对照 GET /openapi.json 修正后重发"),
    "too-large": ("请求体过大", "请拆分后重发"),
    "too-slow": ("请求体未按时到达", "请重试"),
    "refused": ("不允许该请求", "请按所列检查项处理后重试"),
    "unauthenticated": ("身份未能确认", "请从 POST /oauth2/token 获取新令牌"),
    "insufficient-scope": ("令牌权限不足", "请申请具有相应 scope 的令牌"),
    "lapsed": ("暂时无法提供服务", "请稍后重试"),
    "anew": ("该主体正在重新评价", "请一分钟后重试"),
    "overloaded": ("当前请求过多", "请稍后重试"),
    "no-typeface": ("无法生成 PDF：服务未安装中文字库", "请改用 html 或 json 格式，并告知平台重新安装服务组件"),
    "too-many": ("请求过于频繁", "请在 Retry-After 所示秒数后重试"),
    "missing": ("查无此项", "请与营业执照核对统一社会信用代码或核对编号"),
    "broken": ("校验未通过", "请联系平台"),
    "error": ("服务出现故障", "请联系平台并告知时间"),
}
OF_HTTP = {  # what is said before any product is asked
    "http-404": ("没有此路径", "可用路径见 GET /openapi.json"),
    "http-405": ("此路径不支持该方法", "可用方法见 GET /openapi.json"),
}


def preferred(accepted: str) -> str:
    """`zh` or `en`, whichever is preferred; English when neither is, or nothing can be read."""
    best, found = 0.0, "en"
    for part in accepted[:256].lower().split(","):
        name, _, weight = part.strip().partition(";")
        try:
            told = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        language = name.strip().partition("-")[0]
        if language in ("zh", "en") and best < told <= 1:
            best, found = told, language
    return found


@lru_cache(4096)
def in_chinese(text: str) -> str:
    """The message in Chinese; as it is when nobody said how. Of several joined by `; ` each by itself."""
    if text in _TEXTS:
        return _TEXTS[text]
    parts = text.split("; ")
    if len(parts) > 1:
        said = [in_chinese(part) for part in parts]
        return text if said == parts else "；".join(said)
    for shape, template in _SHAPES:
        if (found := shape.fullmatch(text)) is not None:
            return template.format(*map(in_chinese, found.groups()))
    name, _, rest = text.partition(": ")  # what is wrong with a field
    wrong = in_chinese(rest) if rest else rest
    return f"{name}：{wrong}" if wrong != rest else text


def in_language(problem: Mapping[str, Any], slug: str, language: str) -> dict[str, Any]:
    """The problem document in that language; where a message has no Chinese, title and remedy are those of its kind."""
    if language != "zh":
        return dict(problem)
    kind = dict(zip(("title", "remedy"), (ZH | OF_HTTP).get(slug, ()), strict=False))
    told = {name: in_chinese(str(problem.get(name, ""))) for name in ("title", "detail", "remedy")}
    told |= {name: words for name, words in kind.items() if told[name] == problem.get(name, "")}
    findings = [
        {**each, "why": in_chinese(each["why"])} if isinstance(each, dict) else in_chinese(each)
        for each in problem.get("findings", ())
    ]
    return {**problem, **told, **({"findings": findings} if findings else {})}
