"""Refusals in the caller's language (RFC 9110 §12.5.4): what happened and what to do, in Chinese or in English.

The detail stays in English: it names fields, checks and numbers of the interface, which are English words.
"""

from __future__ import annotations

from contextvars import ContextVar

ACCEPTED: ContextVar[str] = ContextVar("accepted", default="")  # Accept-Language of the call, for parts of an answer
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


def in_language(problem: dict[str, object], slug: str, language: str) -> dict[str, object]:
    """The problem document with title and remedy in that language."""
    words = (ZH | OF_HTTP).get(slug)
    if language != "zh" or words is None:
        return problem
    what, remedy = words
    return {**problem, "title": what, "remedy": remedy}
