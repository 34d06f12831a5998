"""A training as a row of a table: its title, state, AUC and parameters, or why it failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.library.display import html

HEAD = ("order", "title 标题", "by", "state 状态", "AUC (95 %)", "parameters 参数", "asked 提交时间", "version")
_SHOWN = ("leaves", "rate", "rounds", "minimum_leaf")


def row(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells of a training, from what the gateway says of it."""
    state = str(data["state"])
    if state == "running":
        state = f"{state}: {data['label']} {data['done']}/{data['total']}"
    elif error := (data["error"] or {}).get("what", ""):
        state = f"{state}: {error[:60]}"
    return (
        str(data["id"])[:18],
        data.get("title") or str(data["model"]),
        str(data["asked_by"]),
        state,
        _auc(data.get("auc")),
        ", ".join(f"{name} {value}" for name, value in _parameters(data)),
        html.minute(data["asked_at"]),
        (data["version"] or "")[:20],
    )


def _auc(auc: Mapping[str, float] | None) -> str:
    return f"{auc['auc']:.3f} ({auc['low']:.3f}–{auc['high']:.3f})" if auc else ""


def _parameters(data: Mapping[str, Any]) -> list[tuple[str, Any]]:
    given = data.get("parameters") or {}
    return [(name, given[name]) for name in _SHOWN if name in given]
