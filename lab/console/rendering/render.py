"""Pages from templates, which escape all values, fail on undefined names, and contain no text of their own."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from credit.gate import Finding
from credit.messages import Text
from credit.requests.failure import error_of
from credit.settings import BEIJING
from lab.airlock.issue import fix_of
from lab.console.rendering.translations import Translations

TEMPLATES = Path(__file__).parents[1] / "templates"


def moment(at: datetime) -> str:
    """Date and time to the second, in Beijing time."""
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def minute(at: datetime) -> str:
    """Date and time to the minute, in Beijing time."""
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def short(name: str) -> str:
    """A long id shortened to its kind and 12 characters of the digest."""
    kind, dash, code = name.rpartition("-")
    return f"{kind}{dash}{code[:12]}" if len(code) > 20 else name


def size(count: int) -> str:
    """A number of bytes in B, KiB, MiB or GiB."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count = count / 1024  # type: ignore[assignment]
    return f"{count:.1f} GiB"


def figure(value: Any) -> str:
    """A value of a finding's evidence or of a ledger entry, on one line."""
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


def place(text: str, words: Translations) -> str:
    """A place in a table as the gate names it, ``row 3, column``, in the page's language."""
    match = _PLACE.fullmatch(text)
    if match is None:
        return text
    return words("parcels.place" if match[1] else "parcels.place_total", rows=match[1], column=match[3])


def reason(finding: Finding, words: Translations) -> str:
    """Why a check found so, in the page's language, without the file that the finding names."""
    if finding.message is not None:
        without_file = finding.message.params.get("why", finding.message)
        return str(without_file.render(words.language) if isinstance(without_file, Text) else without_file)
    return finding.why.partition(": ")[2] or finding.why


def message(text: Text, words: Translations) -> str:
    """A message in the page's language."""
    return text.render(words.language)


def fix(finding: Finding, words: Translations) -> str:
    """What to do about a finding, in the page's language; empty when there is nothing."""
    return fix_of(finding, words.language)


def stored(data: Any, words: Translations) -> str:
    """A message as a ledger has it, in the page's language; empty where there is none."""
    text = Text.from_json(data) if data else None
    return text.render(words.language) if text else ""


def failure(data: Any, words: Translations) -> str:
    """The failure of a request as a ledger has it, in the page's language."""
    return error_of(data).in_language(words.language)


def number(count: int | None) -> str:
    """A count with its thousands grouped; a dash where it is not known."""
    return "–" if count is None else f"{count:,}"


def stage(name: str) -> str:
    """The state that a page shows for the stage of a request."""
    return {"open": "running", "unconfirmed": "waiting"}.get(name, name)


ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
ENVIRONMENT.filters.update(
    moment=moment,
    minute=minute,
    short=short,
    size=size,
    figure=figure,
    place=place,
    reason=reason,
    fix=fix,
    message=message,
    stored=stored,
    failure=failure,
    number=number,
    stage=stage,
    instant=datetime.fromisoformat,
)


def render(template: str, **values: Any) -> str:
    """The HTML of a page."""
    return ENVIRONMENT.get_template(template).render(**values)
