"""The page and the PDF of a report show the same texts in the same order, and no others."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser

import pypdfium2
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.endpoints.reports import report_html, report_pdf
from serving.endpoints.reports.report_form import Report, ReportEntry, ReportItem, ReportSection, clean
from serving.endpoints.reports.report_layout import layout_of

NUMBER, CHECK = "01a217eb-1188-78a9-9290-b89b538380e8", "0123456789ABCDEF"
PAGE_NUMBER = re.compile(r"第\d+页")
words = st.text(
    "海河信用创新实验室公共行政处罚贸易有限责任ABCXYZ0123456789&<>'\"（）〔〕", min_size=1, max_size=60
).map(clean)
some_words = words.filter(bool)
days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
entries = st.builds(ReportEntry, some_words.map(lambda text: text[:20]), some_words)
items = st.builds(ReportItem, some_words, some_words, st.lists(entries, max_size=5).map(tuple))
sections = st.builds(
    ReportSection, name=some_words, zh=some_words, en=some_words, total=st.integers(0, 9999),
    items=st.lists(items, max_size=3).map(tuple), note=st.just("") | some_words,
)  # fmt: skip
reports = st.builds(
    Report, number=st.just(NUMBER), name=some_words, uscc=some_words, kind=some_words, day=days, as_of=days, until=days,
    full=st.booleans(), invented=st.booleans(), standard=some_words, snapshot=some_words, release=some_words,
    check=st.just(CHECK), labels=st.lists(st.tuples(some_words, st.booleans()), max_size=2).map(tuple),
    evaluation=st.lists(entries, max_size=3).map(tuple), parts=st.lists(sections, min_size=1, max_size=5).map(tuple),
    notice=st.fixed_dictionaries({"zh": some_words, "en": some_words}),
)  # fmt: skip


class VisibleText(HTMLParser):
    """What a page shows: the texts of its body, one an element."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.feed(page.partition("<body>")[2])

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


def packed(text: str) -> str:
    """Without blanks and ends of lines, which a drawer sets as it needs them."""
    return re.sub(r"[\s\u3000\ufffe]", "", text)


@settings(max_examples=40)
@given(reports)
def test_the_page_shows_every_text_of_the_layout_and_no_other(report: Report) -> None:
    page = report_html.draw(report).decode()
    assert [packed(text) for text in VisibleText(page).texts] == [packed(text) for text in layout_of(report).texts()]


@settings(max_examples=25)
@given(reports)
def test_the_pdf_shows_every_text_of_the_layout_and_no_other(report: Report) -> None:
    layout = layout_of(report)
    pages = pypdfium2.PdfDocument(report_pdf.draw(report))
    text = packed("".join(page.get_textpage().get_text_range() for page in pages))
    shown = PAGE_NUMBER.sub("", text.replace(packed(layout.footer), "")).replace("■", "")
    assert sorted(shown) == sorted(packed("".join(layout.texts()))), "another character is shown, or one is missing"
    for one in layout.texts():
        assert packed(one) in shown or len(pages) > 1, one
