"""The scorecard for people: as a section of the model card, and as a table to open beside it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COLUMNS = ("feature", "title", "from", "to", "rows", "woe", "points")


def price(found: Mapping[str, Any]) -> str:
    """The price of interpretability in words, from the evidence of a challenge."""
    told = found["price_of_interpretability"]
    if told["points"] is None:
        return "not known"
    return f"{told['points']:+.2f} points of AUC ({told['low']:+.2f} to {told['high']:+.2f})"


def section(found: Mapping[str, Any]) -> list[str]:
    """Markdown: what it is, and a line for each bin of each feature."""
    lines = [
        "",
        "## The scorecard beside it",
        "",
        f"{found['what']}, of {len(found['features'])} features, learned from {found['learned_rows']} rows. What the "
        f"version has more than it, the price of interpretability: {price(found)}. A subject's points are the sum.",
        "",
        "| feature | from | to, not included | rows | weight of evidence | points |",
        "|---|---|---|---|---|---|",
    ]
    for name, _, *figures in rows(found):
        lines.append("| " + " | ".join((f"`{name}`", *("" if each is None else str(each) for each in figures))) + " |")
    return lines


def write_csv(path: Path, found: Mapping[str, Any]) -> None:
    """The same as CSV, for a spreadsheet."""
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        csv.writer(stream).writerows([COLUMNS, *rows(found)])


def rows(found: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Bin by bin, as ``COLUMNS``; a bin without bounds at both ends is that of what is missing."""
    told = []
    for feature in found["card"]:
        for place, each in enumerate(feature["bins"], start=1):
            start = "missing" if place == len(feature["bins"]) else each["from"]
            figures = (start, each["to"], each["rows"], each["woe"], each["points"])
            told.append((feature["feature"], feature["title"], *figures))
    return told
