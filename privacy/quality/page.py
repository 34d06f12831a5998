"""The quality of a month as a page of its own, drawn: no script, no outside file, in one language."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as tree

from credit.catalogue import Catalogue
from credit.messages import Text
from privacy.quality.measures import MonthQuality, UnitQuality
from privacy.quality.tables import reason_text

WIDTH, BAR, GAP, LABEL = 960, 14, 6, 300  # pixels of the drawing, of a bar, between bars, for the names
DRAWN = 25  # units that are drawn of an item: those with the lowest compliance
STYLE = """
body { font: 15px/1.5 "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif; margin: 2rem auto;
       max-width: 1000px; color: #1c2733; background: #fff; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid #d8dee6;
         font-variant-numeric: tabular-nums }
th:first-child, td:first-child, .text { text-align: left }
svg { width: 100%; height: auto }
text { font-size: 13px; fill: #1c2733 }
.late { fill: #c2410c } .stored { fill: #2b6cb0 } .ground { fill: #e8edf3 }
.note { color: #52606d }
"""
_COUNTS = {
    "received": Text.of("quality.page.received"),
    "stored": Text.of("quality.page.stored"),
    "compliance": Text.of("quality.page.compliance"),
    "late": Text.of("quality.page.late"),
    "lateness": Text.of("quality.page.lateness"),
    "changed": Text.of("quality.page.changed"),
    "change": Text.of("quality.page.change"),
    "corrected": Text.of("quality.page.corrected"),
}


def page_of(quality: MonthQuality, catalogue: Catalogue, language: str) -> bytes:
    """The page as UTF-8 bytes of HTML: the sums of each item, its source units as bars, all numbers, all reasons."""
    html = tree.Element("html", lang="zh-CN" if language == "zh" else "en")
    head = tree.SubElement(html, "head")
    tree.SubElement(head, "meta", charset="utf-8")
    tree.SubElement(head, "meta", name="viewport", content="width=device-width")
    title = Text.of("quality.page.title", month=quality.month).render(language)
    tree.SubElement(head, "title").text = title
    tree.SubElement(head, "style").text = STYLE
    body = tree.SubElement(html, "body")
    tree.SubElement(body, "h1").text = title
    tree.SubElement(body, "p", {"class": "note"}).text = Text.of("quality.page.terms").render(language)
    if not quality.units:
        tree.SubElement(body, "p").text = Text.of("quality.page.nothing").render(language)
    for whole in quality.by_item():
        units = [unit for unit in quality.units if unit.item == whole.item]
        table = catalogue.table(whole.item)
        tree.SubElement(body, "h2").text = table.title if language == "zh" else table.english
        _numbers(body, [whole], language)
        worst = sorted(units, key=lambda unit: (unit.compliance or 0.0, -(unit.lateness or 0.0)))[:DRAWN]
        tree.SubElement(body, "p", {"class": "note"}).text = Text.of("quality.page.bars", count=len(worst)).render(
            language
        )
        _bars(body, worst, language)
        _numbers(body, units, language)
        _reasons(body, quality, whole, language)
    content: bytes = tree.tostring(html, encoding="utf-8", method="html")
    return b"<!doctype html>\n" + content


def _name(unit: UnitQuality, language: str) -> str:
    return unit.source or Text.of("quality.page.not-named").render(language)


def _bars(body: tree.Element, units: list[UnitQuality], language: str) -> None:
    """Two bars a unit: the share that was stored, and the share that was late."""
    step = 2 * BAR + GAP
    box = {"viewBox": f"0 0 {WIDTH} {step * len(units) + GAP}", "role": "img"}
    drawing = tree.SubElement(body, "svg", box)
    for number, unit in enumerate(units):
        top, space = number * step + GAP, WIDTH - LABEL - 60
        tree.SubElement(drawing, "text", x="0", y=str(top + BAR + 3)).text = _name(unit, language)[:20]
        for line, (rate, kind) in enumerate(((unit.compliance, "stored"), (unit.lateness, "late"))):
            y, length = top + line * BAR, space * (rate or 0.0)
            box = {"x": str(LABEL), "y": str(y), "height": str(BAR - 2)}
            tree.SubElement(drawing, "rect", box | {"width": str(space), "class": "ground"})
            tree.SubElement(drawing, "rect", box | {"width": f"{length:.1f}", "class": kind})
            tree.SubElement(drawing, "text", x=str(LABEL + space + 6), y=str(y + BAR - 3)).text = _percent(rate)


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.1%}"


def _numbers(body: tree.Element, units: Iterable[UnitQuality], language: str) -> None:
    heads = [Text.of("quality.page.unit").render(language), *(name.render(language) for name in _COUNTS.values())]
    rows = []
    for unit in units:
        values = [getattr(unit, name) for name in _COUNTS]
        cells = [f"{each:,}" if isinstance(each, int) else _percent(each) for each in values]
        whole = not unit.source and not unit.division
        name = Text.of("quality.page.all").render(language) if whole else _name(unit, language)
        rows.append([name, *cells])
    _table(body, heads, rows)


def _reasons(body: tree.Element, quality: MonthQuality, whole: UnitQuality, language: str) -> None:
    if whole.reasons:
        heads = [Text.of("quality.page.reason").render(language), Text.of("quality.page.rows").render(language)]
        ordered = whole.reasons.most_common()
        _table(body, heads, [[reason_text(quality, reason, language), f"{count:,}"] for reason, count in ordered])


def _table(body: tree.Element, heads: list[str], rows: list[list[str]]) -> None:
    table = tree.SubElement(body, "table")
    line = tree.SubElement(table, "tr")
    for head in heads:
        tree.SubElement(line, "th").text = head
    for row in rows:
        line = tree.SubElement(table, "tr")
        for cell in row:
            tree.SubElement(line, "td").text = cell
