"""The client's own messages, in English and Chinese. Everything else that an error says is the service's text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "zh"]
_TEXTS: Mapping[str, tuple[str, str]] = {
    "unreachable": (
        "The scoring service cannot be reached ({why}): check its address and the network",
        "无法连接评分服务（{why}）：请检查地址和网络",
    ),
    "line-break": ("A field of a job's line has a line break", "批量任务的字段中不能有换行"),
    "signature-unreadable": ("The answer's signature cannot be read", "无法读取答复的签名"),
    "signature-not-service": ("The answer is not signed by the scoring service", "答复不是由评分服务签名的"),
    "signature-unknown-key": (
        "The answer is signed by a key that is not known: fetch the service's keys again",
        "答复由未知的密钥签名：请重新获取服务的公钥",
    ),
    "signature-wrong": ("The signature does not verify", "签名验证不通过"),
    "answer-not-signed": ("The answer is not the one that was signed", "收到的答复与签名的内容不一致"),
    "keys-unreadable": ("The set of public keys cannot be read", "无法读取公钥集"),
    "key-unreadable": ("{file} is not a private key of the kind Ed25519", "{file} 不是 Ed25519 私钥"),
    "secret-unreadable": (
        "The webhook secret cannot be read: it begins with whsec_",
        "无法读取 回调密钥：它应以 whsec_ 开头",
    ),
    "webhook-unreadable": ("The headers of the webhook cannot be read", "无法读取 回调消息的请求头"),
    "webhook-not-signed": ("The webhook is not signed by the service", "回调消息不是由评分服务签名的"),
    "webhook-another-time": (
        "The webhook is from another time: it may differ from this clock by {seconds} seconds",
        "回调消息的时间不符：与本机时钟最多可相差 {seconds} 秒",
    ),
    "webhook-repeated": ("The webhook was received before", "该回调消息 已经收到过"),
}


def text(name: str, language: Language = "en", **values: object) -> str:
    """The message of this name in a language."""
    return _TEXTS[name][language == "zh"].format(**values)
