"""The texts of the reference in both languages: tags, summaries and descriptions of operations, from `texts.yaml`."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from serving.endpoints.inquiries.queries import EVALUATION
from serving.endpoints.inquiries.sections import section_catalogue

_QUERY = "queries_"
_QUERY_TEXTS = {
    "en": "A page of the list. Open records of an enterprise need no mandate; everything else does.",
    "zh": "列表的一页。企业的公开记录无须授权；其他记录须有授权书。",
}
_OTHER_TAGS = {
    "token": "access",
    "keys": "access",
    "live": "health",
    "ready": "health",
}  # of operations without a scope


@cache
def _texts() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("texts.yaml").read_text(encoding="utf-8"))
    return content


def add_texts(document: dict[str, Any]) -> None:
    """Give every operation its tag and description, and every list of records a summary of its own."""
    document["tags"] = [{"name": name, "description": text["en"]} for name, text in _texts()["tags"].items()]
    for operation in _operations(document):
        name = operation["operationId"]
        operation.setdefault("tags", [_OTHER_TAGS.get(name.partition("_")[0], "access")])
        texts = _of(name)
        operation["summary"] = texts["summary"].get("en", operation["summary"])
        operation["description"] = texts["description"]["en"]


def in_chinese(document: dict[str, Any]) -> dict[str, Any]:
    """A copy of the completed document with its texts in Chinese; names, schemas and examples are the same."""
    translated = copy.deepcopy(document)
    translated["info"] |= {"title": "海河信用评分服务", "description": _texts()["info"]["zh"]}
    translated["servers"] = [{"url": "/", "description": "发出本文档的服务"}]
    for tag in translated["tags"]:
        tag["description"] = _texts()["tags"][tag["name"]]["zh"]
    for operation in _operations(translated):
        texts = _of(operation["operationId"])
        operation |= {"summary": texts["summary"]["zh"], "description": texts["description"]["zh"]}
    return translated


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


def _of(name: str) -> dict[str, Any]:
    """The texts of one operation. Raises KeyError for one that `texts.yaml` does not name."""
    if not name.startswith(_QUERY):
        texts: dict[str, Any] = _texts()["operations"][name]
        return texts
    section = name.removeprefix(_QUERY).replace("_", "-")
    zh, en = ("评价结果", "Result of the public evaluation") if section == EVALUATION else _titles()[section]
    return {"summary": {"zh": f"查询：{zh}", "en": f"{en} ({zh})"}, "description": _QUERY_TEXTS}


def _titles() -> dict[str, tuple[str, str]]:
    return {name: (zh, en) for name, (zh, en, _) in section_catalogue().lists().items()}
