"""One figure, one line: what, how much, of what unit, against which goal or peer, on which data, when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FIGURES = Path("var/bench/figures.jsonl")
INVENTED = "invented city"


def record(
    figure: str,
    value: float,
    unit: str,
    *,
    data: str = INVENTED,
    goal: float | None = None,
    against: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Append a figure and print it."""
    line = {"figure": figure, "value": round(value, 6), "unit": unit, "goal": goal, "against": against, "data": data}
    line |= dict(more or {}) | {"at": datetime.now(UTC).isoformat(timespec="seconds")}
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    with FIGURES.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(json.dumps(line, ensure_ascii=False), flush=True)
