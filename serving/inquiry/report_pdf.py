"""A report as a PDF: drawn by reportlab with the CID font every reader has, so no font file; same report, same bytes.

reportlab reads a small markup in its paragraphs that can load files and addresses: every word is escaped before.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # type: ignore[import-untyped]
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table  # type: ignore[import-untyped]

from serving.inquiry.reports import Entry, Item, Part, Report

FONT = "STSong-Light"
INK, SOFT, LINE, PALE = HexColor(0x1B2733), HexColor(0x5B6B7B), HexColor(0xD9E0E6), HexColor(0xF5F7F9)
BLUE, RED, GREEN = HexColor(0x0B4F85), HexColor(0xA8322A), HexColor(0x1C6B3F)
WIDTH = A4[0] - 40 * mm
_KEY = 30 * mm
pdfmetrics.registerFont(UnicodeCIDFont(FONT))


def _style(size: float, colour: Any = INK, leading: float = 1.5, **more: Any) -> Any:
    return ParagraphStyle(
        "x", fontName=FONT, fontSize=size, leading=size * leading, textColor=colour, wordWrap="CJK", **more
    )


BODY, QUIET, SMALL = _style(9), _style(9, SOFT), _style(7.5, SOFT)
TITLE, NAME, HEAD, ITEM = _style(22, BLUE, 1.3), _style(14, spaceBefore=4), _style(12, BLUE), _style(9.5, BLUE)


def draw(report: Report) -> bytes:
    """The document's bytes; nothing of the machine or the hour is in them."""
    out = BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=20 * mm, rightMargin=20 * mm, topMargin=20 * mm, bottomMargin=20 * mm,
        title=f"公共信用报告 {report.number}", author="海河信用创新实验室", invariant=1,
    )  # fmt: skip

    def foot(page: Any, _: Any) -> None:
        page.setFillColor(BLUE)
        page.rect(0, A4[1] - 4 * mm, A4[0], 4 * mm, stroke=0, fill=1)
        page.setFillColor(SOFT)
        page.setFont(FONT, 7.5)
        page.drawString(20 * mm, 10 * mm, f"报告编号 {report.number} · 校验码 {report.check}")
        page.drawRightString(A4[0] - 20 * mm, 10 * mm, f"第 {page.getPageNumber()} 页")

    document.build([*_face(report), *(piece for part in report.parts for piece in _part(part)), *_end(report)],
                   onFirstPage=foot, onLaterPages=foot)  # fmt: skip
    return out.getvalue()


def _face(report: Report) -> list[Any]:
    issuer = "海河信用创新实验室 · 公共信用信息平台" + ("　　〔虚构数据 invented data〕" if report.invented else "")
    ways = "主体授权查询" if report.full else "公开信息查询"
    told = (
        Entry("统一社会信用代码", report.uscc), Entry("主体类别", report.kind), Entry("查询日期", str(report.day)),
        Entry("数据截至", str(report.as_of)), Entry("查询方式", ways), Entry("报告编号", report.number),
    )  # fmt: skip
    pieces = [_text(issuer, QUIET), _text("公共信用报告", TITLE), _text(report.name, NAME), Spacer(1, 2 * mm)]
    for label, good in report.labels:
        pieces.append(_text(f"■ {label}", _style(10, GREEN if good else RED)))
    pieces += [_grid(told), Spacer(1, 4 * mm), _overview(report)]
    if report.evaluation:
        pieces += [Spacer(1, 5 * mm), _text("公共信用综合评价　Evaluation", HEAD), _grid(report.evaluation)]
    return pieces


def _overview(report: Report) -> Any:
    cells = [
        [_text(str(part.total), _style(14, BLUE if part.total else SOFT, 1.2)), _text(part.zh, SMALL)]
        for part in report.parts
    ]
    cells += [[]] * (-len(cells) % 4)
    rows = [cells[at : at + 4] for at in range(0, len(cells), 4)]
    return Table(
        rows, [WIDTH / 4] * 4, style=[("GRID", (0, 0), (-1, -1), 0.5, LINE), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    )


def _part(part: Part) -> list[Any]:
    head: list[Any] = [Spacer(1, 5 * mm), _text(f"{part.zh}　{part.en}　　{part.total} 条", HEAD)]
    if part.note:
        head.append(_text(part.note, SMALL))
    if not part.items:
        return [KeepTogether([*head, _text("未查询到可公示的信息", QUIET)])]
    first, *others = [_item(item) for item in part.items]
    return [KeepTogether([*head, *first]), *(KeepTogether(pieces) for pieces in others)]


def _item(item: Item) -> list[Any]:
    heading = _text(f"{item.table}　{item.heading}", ITEM)
    return [Spacer(1, 2 * mm), heading, _grid(item.entries)] if item.entries else [heading]


def _grid(entries: tuple[Entry, ...]) -> Any:
    """Two entries a line, long ones on a line of their own."""
    rows: list[list[Any]] = []
    spans: list[tuple[Any, ...]] = []
    half: list[Any] = []
    for entry in entries:
        pair = [_text(entry.title, QUIET), _text(entry.value, BODY)]
        if entry.wide:
            if half:
                rows.append([*half, "", ""])
                half = []
            spans.append(("SPAN", (1, len(rows)), (3, len(rows))))
            rows.append([*pair, "", ""])
        elif half:
            rows.append([*half, *pair])
            half = []
        else:
            half = pair
    if half:
        rows.append([*half, "", ""])
    style = [("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE), ("BACKGROUND", (0, 0), (-1, -1), PALE),
             ("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 2),
             ("BOTTOMPADDING", (0, 0), (-1, -1), 2), *spans]  # fmt: skip
    rest = WIDTH / 2 - _KEY
    return Table(rows, [_KEY, rest, _KEY, rest], style=style, splitInRow=1)


def _end(report: Report) -> list[Any]:
    lines = (
        report.notice["zh"], report.notice["en"], f"依据：{report.standard}。本报告有效至 {report.until}。",
        "核验：haihe verify-report 本文件 签名；签名见响应头 X-JWS-Signature，改动一个字节即核验不通过。",
        report.snapshot,
    )  # fmt: skip
    return [Spacer(1, 8 * mm), *(_text(line, SMALL) for line in lines)]


def _text(text: str, style: Any) -> Any:
    return Paragraph(escape(text), style)
