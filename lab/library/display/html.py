"""Display in a notebook: HTML that uses the colours of the theme, and text with aligned columns.

No colour is fixed: lines and secondary text are grey with transparency, so that light and dark themes show them.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from credit.settings import BEIJING

LINE = "1px solid rgba(128,128,128,.4)"
_CELL = "padding:.25em .7em;border-bottom:" + LINE + ";vertical-align:top;text-align:"
NARROW = 26  # columns of text that are not wrapped
QUIET = "opacity:.75;font-size:90%"


def esc(value: Any) -> str:
    """Text as HTML."""
    return html.escape(str(value))


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    caption: str = "",
    right: Collection[int] = (),
    raw: bool = False,
) -> str:
    """A table with a caption and header cells; columns in ``right`` are right-aligned, ``raw`` cells are HTML."""
    cells = esc if not raw else str

    def one(place: int, value: Any, tag: str, scope: str) -> str:
        style = _CELL + ("right;font-variant-numeric:tabular-nums" if place in right else "left")
        style += ";white-space:nowrap" if tag == "th" or _width(str(value)) <= NARROW else ""
        return f'<{tag}{scope} style="{style}">{value}</{tag}>'

    top = "".join(one(place, esc(name), "th", ' scope="col"') for place, name in enumerate(head))
    body = "".join(
        "<tr>" + "".join(one(place, cells(value), "td", "") for place, value in enumerate(row)) + "</tr>"
        for row in rows
    )
    heading = f'<caption style="caption-side:top;text-align:left;padding:.3em 0;color:inherit">{caption}</caption>'
    return (
        f'<div style="overflow-x:auto"><table style="border-collapse:collapse;border:0">{heading if caption else ""}'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def pairs(values: Mapping[str, Any], *, caption: str) -> str:
    """Names and values, one pair per row, with the names as row headers."""
    rows = "".join(
        f'<tr><th scope="row" style="{_CELL}left;white-space:nowrap">{esc(name)}</th>'
        f'<td style="{_CELL}left">{esc(value)}</td></tr>'
        for name, value in values.items()
    )
    shown = f'<caption style="caption-side:top;text-align:left;color:inherit">{esc(caption)}</caption>'
    return f'<table style="border-collapse:collapse;border:0">{shown}<tbody>{rows}</tbody></table>'


def minute(at: str) -> str:
    """An ISO 8601 time in Beijing time, to the minute."""
    return datetime.fromisoformat(at).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def block(*parts: str) -> str:
    """The parts below each other."""
    return '<div style="line-height:1.5">' + "".join(parts) + "</div>"


def title(text: str, more: str = "") -> str:
    """A heading with secondary text beside it."""
    return f'<div style="margin:.2em 0"><strong>{esc(text)}</strong> <span style="{QUIET}">{esc(more)}</span></div>'


def note(text: str) -> str:
    """A line of secondary text."""
    return f'<div style="{QUIET};margin:.3em 0">{esc(text)}</div>'


def code(text: str) -> str:
    """Inline code."""
    return f'<code style="background:rgba(128,128,128,.15);padding:0 .3em">{esc(text)}</code>'


def progress(label: str, done: int, total: int) -> str:
    """A progress bar with its label and numbers as text."""
    numbers = f"{done} / {total}" if total else ""
    value = f'value="{done}" max="{total}"' if total else ""
    return (
        f'<div role="status"><progress {value} aria-label="{esc(label)}" style="width:22em;vertical-align:middle">'
        f'</progress> {esc(label)} <span style="{QUIET}">{numbers}</span></div>'
    )


def text_table(head: Sequence[str], rows: Sequence[Sequence[Any]], right: Collection[int] = ()) -> str:
    """A table as text; wide characters (Chinese) count as two columns."""
    whole = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(_width, column)) for column in zip(*whole, strict=True)]
    lines = ["  ".join(_pad(cell, widths[place], place in right) for place, cell in enumerate(row)) for row in whole]
    return "\n".join([lines[0], "  ".join("─" * width for width in widths), *lines[1:]]).replace(" \n", "\n")


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _pad(text: str, width: int, right: bool) -> str:
    blank = " " * (width - _width(text))
    return blank + text if right else text + blank
