"""A page of the rows that wait in quarantine, for the city team at custody's machine: no other zone ever holds it.

The page is one file without scripts or links to anything outside. Only its owner can read it. A page of more rows than
:data:`MOST` would be of no use: it shows the first ones and says how many there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

from credit.catalogue import Catalogue
from credit.errors import Malformed
from credit.messages import Text
from privacy.quarantine.writing import write_for_owner

MOST = 5_000  # rows of a page
_HEADS = {
    "file": Text.of("quarantine.page.file"),
    "line": Text.of("quarantine.page.line"),
    "document": Text.of("quarantine.page.document"),
    "field": Text.of("quarantine.page.field"),
    "value": Text.of("quarantine.page.value"),
    "reason": Text.of("quarantine.page.reason"),
}
_LONGEST = 400  # characters of a value; a line that could not be split may be long
_STYLE = """
body { font: 15px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif }
body { margin: 2rem auto; max-width: 90rem; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem } p { max-width: 60rem }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100%; min-width: 56rem }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #ccc }
th { position: sticky; top: 0; background: Canvas; font-weight: 600 }
td { overflow-wrap: anywhere; min-width: 5rem }
td.n { min-width: 3rem; text-align: right; font-variant-numeric: tabular-nums }
@media (prefers-color-scheme: dark) { :root { color-scheme: dark } th, td { border-color: #555 } }
"""


def write_page(rows: Sequence[Mapping[str, Any]], catalogue: Catalogue, path: Path, language: str, today: date) -> None:
    """Write the page of these rows, which :func:`~privacy.quarantine.listing.shown_rows` gives, in ``zh`` or ``en``.

    The path comes from the person who requested the page, and custody writes there: raises :class:`Malformed` unless it
    ends with ``.html``, as no key and no table of custody does, and where no plain file can be written.
    """
    if path.suffix != ".html":
        raise Malformed("quarantine.page.not-html")
    content = "".join(_page(rows, catalogue, "zh" if language == "zh" else "en", today)).encode("utf-8", "replace")
    write_for_owner(path, content)


def _page(rows: Sequence[Mapping[str, Any]], catalogue: Catalogue, language: str, today: date) -> Iterable[str]:
    title = Text.of("quarantine.page.title").render(language)
    lead = Text.of("quarantine.page.lead", count=len(rows), day=today.isoformat()).render(language)
    yield f'<!doctype html>\n<html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>"
    yield f"<p>{escape(lead)}</p>"
    if len(rows) > MOST:
        yield f"<p>{escape(Text.of('quarantine.page.first', count=MOST).render(language))}</p>"
    heads = [head.render(language) for head in _HEADS.values()]
    by_table: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows[:MOST]:
        by_table.setdefault(row["table"] or "", []).append(row)
    for name, of_table in by_table.items():
        table = catalogue.tables.get(name)
        titles = {field.name: field.title for field in table.fields} if table else {}
        heading = f"{table.title} {name}" if table else Text.of("quarantine.page.no-table").render(language)
        yield f'<h2>{escape(heading)}</h2><div class="wide" tabindex="0"><table><thead><tr>'
        yield "".join(f'<th scope="col">{escape(head)}</th>' for head in heads) + "</tr></thead><tbody>"
        for row in of_table:
            field = str(row["field"])
            named = [row["file"], row["line"], row["document"], titles.get(field, field), row["value"]]
            cells = [*named, _reason(row, language)]
            yield "<tr>" + "".join(map(_cell, _HEADS, cells)) + "</tr>\n"
        yield "</tbody></table></div>"
    yield "</main></body></html>\n"


def _cell(column: str, value: Any) -> str:
    content = str(value if value is not None else "")
    shown = content if len(content) <= _LONGEST else content[:_LONGEST] + "…"
    return f"<td{' class=n' if column == 'line' else ''}>{escape(shown)}</td>"


def _reason(row: Mapping[str, Any], language: str) -> str:
    message = Text.from_json(json.loads(row["message"])) if row["message"] else None
    return message.render(language) if message else str(row["reason"])
