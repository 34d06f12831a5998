"""A report as an archivable PDF, drawn by reportlab with an embedded font (`typeface`): same report, same bytes.

reportlab interprets markup in paragraphs that can load files and addresses, so every text is escaped first. A
character that the font lacks is shown by its code point, and a note at the end explains this.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab import rl_config  # type: ignore[import-untyped]
from reportlab.lib.colors import HexColor  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont, TTFontFace  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table  # type: ignore[import-untyped]

from serving.endpoints.reports import pdf_archive, typeface
from serving.endpoints.reports.report_form import Report, ReportEntry, ReportItem
from serving.endpoints.reports.report_layout import LayoutSection, ReportLayout, layout_of
from serving.endpoints.reports.special_code import MARGIN

FONT = typeface.NAME
INK, SOFT, LINE, PALE = HexColor(0x1B2733), HexColor(0x5B6B7B), HexColor(0xD9E0E6), HexColor(0xF5F7F9)
BLUE, RED, GREEN = HexColor(0x0B4F85), HexColor(0xA8322A), HexColor(0x1C6B3F)
WIDTH = A4[0] - 40 * mm
CODE_WIDTH = 45 * mm
_TITLE_WIDTH = 30 * mm
_ALL_CELLS = ((0, 0), (-1, -1))  # every cell of a table: empty cells need a font too
SUBSTITUTE_NOTE = f"{typeface.SUBSTITUTE} 为字库未收录的字，其后方括号内为该字的统一码（Unicode）码位。"
pdfmetrics.registerFontFamily(FONT)  # the font itself is registered with the first report
rl_config.useA85 = 0  # binary streams: ASCII85 would make the file a quarter larger


def _style(size: float, colour: Any = INK, leading: float = 1.5, **more: Any) -> Any:
    return ParagraphStyle(
        "x", fontName=FONT, fontSize=size, leading=size * leading, textColor=colour, wordWrap="CJK", **more
    )


BODY, QUIET, SMALL = _style(9), _style(9, SOFT), _style(7.5, SOFT)
TITLE, NAME, HEAD, ITEM = _style(22, BLUE, 1.3), _style(14, spaceBefore=4), _style(12, BLUE), _style(9.5, BLUE)


class ParagraphWriter:
    """Makes paragraphs, and collects the characters that the document needs and whether the font lacked any."""

    def __init__(self) -> None:
        self.used = set(f"0123456789 ?{typeface.SUBSTITUTE}")  # page numbers are drawn after the font is made
        self.has_substitutes = False

    def spell(self, text: str) -> str:
        """The text as the font can show it; its characters are collected."""
        text_shown = typeface.with_substitutes(text)
        self.has_substitutes |= typeface.SUBSTITUTE in text_shown
        self.used.update(text_shown)
        return text_shown

    def write(self, text: str, style: Any) -> Any:
        """A paragraph of the text."""
        return Paragraph(escape(self.spell(text)), style)


def draw(report: Report) -> bytes:
    """The document's bytes; they do not depend on the machine or the time. Raises NoTypeface."""
    pen = ParagraphWriter()
    layout = layout_of(report)
    story = [
        *_front_page(pen, layout),
        *(piece for section in layout.sections for piece in _section(pen, section)),
        *_notes(pen, layout),
    ]
    number, (before, after) = pen.spell(layout.footer), map(pen.spell, "第页")
    _load(pen.used)
    buffer = BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        title=f"{layout.title} {layout.number}",
        author="海河信用创新实验室",
        subject=layout.title,
        creator="haihe-credit-lab",
        lang="zh-CN",
        invariant=1,
        initialFontName=FONT,
    )

    def draw_footer(page: Any, _: Any) -> None:
        page.setFillColor(BLUE)
        page.rect(0, A4[1] - 4 * mm, A4[0], 4 * mm, stroke=0, fill=1)
        page.setFillColor(SOFT)
        page.setFont(FONT, 7.5)
        page.drawString(20 * mm, 10 * mm, number)
        page.drawRightString(A4[0] - 20 * mm, 10 * mm, f"{before} {page.getPageNumber()} {after}")

    def canvas(*given: Any, **more: Any) -> Any:
        made = Canvas(*given, **more, pdfVersion=pdf_archive.VERSION)
        pdf_archive.make_archivable(made, report.day)
        return made

    document.build(story, onFirstPage=draw_footer, onLaterPages=draw_footer, canvasmaker=canvas)
    return buffer.getvalue()


def _load(characters: set[str]) -> None:
    """Register a font of these characters as FONT, for the document drawn next."""
    file = typeface.font_subset(characters)
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(FONT, file, asciiReadable=False, shapable=False))
        file.seek(0)
    face = pdfmetrics.getFont(FONT).face = TTFontFace(file)
    face.name = FONT.encode()  # the file of all weights is named after its thinnest


def _front_page(pen: ParagraphWriter, layout: ReportLayout) -> list[Any]:
    issuer = f"{layout.issuer}　　{layout.invented}" if layout.invented else layout.issuer
    title = f'{escape(pen.spell(layout.title))}　<font size="12">{escape(pen.spell(layout.title_en))}</font>'
    pieces = [pen.write(issuer, QUIET), Paragraph(title, TITLE), pen.write(layout.name, NAME), Spacer(1, 2 * mm)]
    for label, good in layout.labels:
        pieces.append(pen.write(f"■ {label}", _style(10, GREEN if good else RED)))
    code = [Spacer(1, 4 * mm), CodeDrawing(layout)] if layout.code else []
    return [*pieces, _grid(pen, layout.front), Spacer(1, 4 * mm), _overview(pen, layout), *code]


class CodeDrawing(Flowable):  # type: ignore[misc]
    """The QR code of a special report, 45 mm wide with the white around it."""

    def __init__(self, layout: ReportLayout) -> None:
        """A square of its own height."""
        super().__init__()
        self.layout, self.width, self.height = layout, CODE_WIDTH, CODE_WIDTH

    def draw(self) -> None:
        """One filled path, with the first row of the matrix at the top."""
        rows = len(self.layout.code)
        module = CODE_WIDTH / (rows + 2 * MARGIN)
        path = self.canv.beginPath()
        for x, y, length in self.layout.code_runs():
            path.rect((x + MARGIN) * module, (rows - 1 - y + MARGIN) * module, length * module, module)
        self.canv.setFillColor(INK)
        self.canv.drawPath(path, stroke=0, fill=1)


def _overview(pen: ParagraphWriter, layout: ReportLayout) -> Any:
    cells = [
        [pen.write(str(cell.count), _style(14, BLUE if cell.count else SOFT, 1.2)), pen.write(cell.title, SMALL)]
        for cell in layout.overview
    ]
    cells += [[]] * (-len(cells) % 4)
    rows = [cells[at : at + 4] for at in range(0, len(cells), 4)]
    return Table(
        rows,
        [WIDTH / 4] * 4,
        style=[("FONT", *_ALL_CELLS, FONT), ("GRID", *_ALL_CELLS, 0.5, LINE), ("VALIGN", *_ALL_CELLS, "TOP")],
    )


def _section(pen: ParagraphWriter, section: LayoutSection) -> list[Any]:
    words = f"{section.title}　{section.title_en}　　{section.count}".rstrip("　")
    head: list[Any] = [Spacer(1, 5 * mm), pen.write(words, HEAD)]
    if section.note:
        head.append(pen.write(section.note, SMALL))
    if not section.items:
        return [KeepTogether([*head, pen.write(section.empty, QUIET)])]
    first, *others = [_record(pen, item) for item in section.items]
    return [KeepTogether([*head, *first]), *(KeepTogether(pieces) for pieces in others)]


def _record(pen: ParagraphWriter, item: ReportItem) -> list[Any]:
    heading = [pen.write(f"{item.table}　{item.heading}", ITEM)] if item.table else []
    return [Spacer(1, 2 * mm), *heading, _grid(pen, item.entries)] if item.entries else heading


def _grid(pen: ParagraphWriter, entries: tuple[ReportEntry, ...]) -> Any:
    """A table of two entries per line; a long entry takes a line of its own."""
    rows: list[list[Any]] = []
    spans: list[tuple[Any, ...]] = []
    pending: list[Any] = []
    for entry in entries:
        pair = [pen.write(entry.title, QUIET), pen.write(entry.value, BODY)]
        if entry.wide:
            if pending:
                rows.append([*pending, "", ""])
                pending = []
            spans.append(("SPAN", (1, len(rows)), (3, len(rows))))
            rows.append([*pair, "", ""])
        elif pending:
            rows.append([*pending, *pair])
            pending = []
        else:
            pending = pair
    if pending:
        rows.append([*pending, "", ""])
    style = [("FONT", *_ALL_CELLS, FONT), ("LINEBELOW", *_ALL_CELLS, 0.4, LINE), ("BACKGROUND", *_ALL_CELLS, PALE),
             ("VALIGN", *_ALL_CELLS, "TOP"), ("TOPPADDING", *_ALL_CELLS, 2),
             ("BOTTOMPADDING", *_ALL_CELLS, 2), *spans]  # fmt: skip
    rest = WIDTH / 2 - _TITLE_WIDTH
    return Table(rows, [_TITLE_WIDTH, rest, _TITLE_WIDTH, rest], style=style, splitInRow=1)


def _notes(pen: ParagraphWriter, layout: ReportLayout) -> list[Any]:
    lines = (*layout.notes, *((SUBSTITUTE_NOTE,) if pen.has_substitutes else ()))
    return [Spacer(1, 8 * mm), *(pen.write(line, SMALL) for line in lines)]
