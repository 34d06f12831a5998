"""What a report shows, block by block, in its order: the one statement that the page and the PDF are drawn from.

A drawer gives each text a place, and has no words of its own but page numbers and notes about its font.
"""

from __future__ import annotations

from dataclasses import dataclass

from serving.endpoints.reports.report_form import Report, ReportEntry, ReportItem, ReportSection
from serving.endpoints.reports.special_code import code_matrix, code_runs

TITLE, TITLE_EN = "公共信用报告", "Public credit report"
SPECIAL, SPECIAL_EN = "专项信用报告（信用代证）", "Special credit report"
ISSUER, INVENTED = "海河信用创新实验室 · 公共信用信息平台", "虚构数据 invented data"
CODE_NOTE = "二维码可离线核验：扫码得到的文字交 haihe verify-code，其中的编号、主体和条数应与本报告一致。"
EMPTY = "未查询到可公示的信息"


@dataclass(frozen=True, slots=True)
class LayoutCount:
    """A cell of the overview: how many records a section has."""

    count: int
    title: str


@dataclass(frozen=True, slots=True)
class LayoutSection:
    """A section: its heading in both languages, a count or an empty text, a note, its records, and what stands in
    place of none."""

    title: str
    title_en: str
    count: str
    note: str
    items: tuple[ReportItem, ...]
    empty: str = EMPTY


@dataclass(frozen=True, slots=True)
class ReportLayout:
    """The blocks of a report. ``labels`` are words with whether they are good; ``notes`` are lines at the end."""

    number: str
    issuer: str
    invented: str
    title: str
    title_en: str
    name: str
    labels: tuple[tuple[str, bool], ...]
    front: tuple[ReportEntry, ...]
    overview: tuple[LayoutCount, ...]
    sections: tuple[LayoutSection, ...]
    notes: tuple[str, ...]
    footer: str
    code: tuple[str, ...] = ()  # rows of 0 and 1: a QR code, which stands after the overview

    def code_runs(self) -> list[tuple[int, int, int]]:
        """The dark runs of the code as (column, row, length)."""
        return code_runs(self.code)

    def texts(self) -> list[str]:
        """Every text that is shown, in its order; a page repeats the footer."""
        shown = [self.issuer, self.invented, self.title, self.title_en, self.name, *(word for word, _ in self.labels)]
        shown += _of_entries(self.front)
        shown += [text for cell in self.overview for text in (str(cell.count), cell.title)]
        for section in self.sections:
            shown += [section.title, section.title_en, section.count, section.note]
            for item in section.items:
                shown += [item.table, item.heading, *_of_entries(item.entries)]
            shown += [] if section.items else [section.empty]
        return [text for text in (*shown, *self.notes) if text]


def layout_of(report: Report) -> ReportLayout:
    """The blocks of a report."""
    front = (
        ReportEntry("统一社会信用代码", report.uscc),
        ReportEntry("主体类别", report.kind),
        ReportEntry("查询日期", str(report.day)),
        ReportEntry("数据截至", str(report.as_of)),
        ReportEntry("查询方式", "主体授权查询" if report.full else "公开信息查询"),
        ReportEntry("报告编号", report.number),
    )
    special = report.special
    evaluation = (LayoutSection("公共信用综合评价", "Evaluation", "", "", (ReportItem("", "", report.evaluation),)),)
    return ReportLayout(
        number=report.number,
        issuer=ISSUER,
        invented=INVENTED if report.invented else "",
        title=SPECIAL if special else TITLE,
        title_en=SPECIAL_EN if special else TITLE_EN,
        name=report.name,
        labels=report.labels,
        front=(*front, ReportEntry("年度", special.years)) if special else front,
        overview=tuple(LayoutCount(part.total, part.zh) for part in report.parts),
        sections=(
            *((_by_field(special.fields),) if special else ()),
            *(evaluation if report.evaluation else ()),
            *map(_section, report.parts),
        ),
        notes=_notes(report),
        footer=f"报告编号 {report.number} · 校验码 {report.check}",
        code=code_matrix(special.code) if special else (),
    )


def _by_field(fields: tuple[ReportEntry, ...]) -> LayoutSection:
    return LayoutSection("各领域违法违规信息", "By field", "", "", (ReportItem("", "", fields),))


def _section(part: ReportSection) -> LayoutSection:
    return LayoutSection(part.zh, part.en, f"{part.total} 条", part.note, part.items)


def _notes(report: Report) -> tuple[str, ...]:
    return (
        report.notice["zh"],
        report.notice["en"],
        f"依据：{report.standard}。本报告有效至 {report.until}。",
        f"校验码 {report.check} · 核验：haihe verify-report 本文件 签名；签名见响应头 X-JWS-Signature，"
        "改动一个字节即核验不通过。",
        *((CODE_NOTE,) if report.special else ()),
        report.snapshot,
    )


def _of_entries(entries: tuple[ReportEntry, ...]) -> list[str]:
    return [text for entry in entries for text in (entry.title, entry.value)]
