"""Drawing a page: templates that escape everything, that know every name they use, and that hold no words."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lab.console.rendering.translations import Words
from lab.settings import BEIJING

TEMPLATES = Path(__file__).parents[1] / "templates"


def moment(at: datetime) -> str:
    """A moment as people here read it."""
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def minute(at: datetime) -> str:
    """A moment to the minute."""
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def short(name: str) -> str:
    """A long id as people write it: its kind and 12 characters of the digest."""
    kind, dash, code = name.rpartition("-")
    return f"{kind}{dash}{code[:12]}" if len(code) > 20 else name


def size(count: int) -> str:
    """Bytes in the largest unit that keeps a figure before the point."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count = count / 1024  # type: ignore[assignment]
    return f"{count:.1f} GiB"


def figure(value: Any) -> str:
    """A value of evidence or of an entry, on one line."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(figure, value)) if value else "–"
    if isinstance(value, dict):
        return "; ".join(f"{key} {figure(each)}" for key, each in value.items()) if value else "–"
    return str(value)


_PLACE = re.compile(r"(?:rows? (\d[\d, ]*?)( together)?|total), (.+)")


def place(text: str, words: Words) -> str:
    """A place in a table as the gate names it, ``row 3, column``, in the page's language."""
    found = _PLACE.fullmatch(text)
    if found is None:
        return text
    return words("parcels.place" if found[1] else "parcels.place_total", rows=found[1], column=found[3])


ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
ENVIRONMENT.filters.update(moment=moment, minute=minute, short=short, size=size, figure=figure, place=place)


def render(template: str, **told: Any) -> str:
    """The page as HTML."""
    return ENVIRONMENT.get_template(template).render(**told)
