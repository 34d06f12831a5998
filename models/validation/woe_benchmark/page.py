"""The benchmark scorecard for people: a section of the model card, and a CSV table beside it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COLUMNS = ("feature", "title", "from", "to", "rows", "woe", "points")


def price_of_interpretability(benchmark: Mapping[str, Any]) -> str:
    """The price of interpretability as text, from the evidence of a benchmark."""
    price = benchmark["price_of_interpretability"]
    if price["points"] is None:
        return "not known"
    return f"{price['points']:+.2f} points of AUC ({price['low']:+.2f} to {price['high']:+.2f})"


def scorecard_section(benchmark: Mapping[str, Any]) -> list[str]:
    """Markdown: a description, and a line for each bin of each feature."""
    lines = [
        "",
        "## The scorecard beside it",
        "",
        f"{benchmark['what']}, of {len(benchmark['features'])} features, learned from {benchmark['learned_rows']} "
        f"rows. What the version has more than it, the price of interpretability: "
        f"{price_of_interpretability(benchmark)}. A subject's points are the sum.",
        "",
        "| feature | from | to, not included | rows | weight of evidence | points |",
        "|---|---|---|---|---|---|",
    ]
    for name, _, *figures in scorecard_rows(benchmark):
        lines.append("| " + " | ".join((f"`{name}`", *("" if each is None else str(each) for each in figures))) + " |")
    return lines


def write_csv(path: Path, benchmark: Mapping[str, Any]) -> None:
    """Write the same table as CSV, for a spreadsheet."""
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        csv.writer(stream).writerows([COLUMNS, *scorecard_rows(benchmark)])


def scorecard_rows(benchmark: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """One row per bin, with ``COLUMNS``; the last bin of a feature is that of missing values."""
    lines = []
    for feature in benchmark["card"]:
        for place, each in enumerate(feature["bins"], start=1):
            start = "missing" if place == len(feature["bins"]) else each["from"]
            figures = (start, each["to"], each["rows"], each["woe"], each["points"])
            lines.append((feature["feature"], feature["title"], *figures))
    return lines
