"""A report in PDF reads the same wherever it is opened: its font is within, its words are found, nothing is blank."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pypdf
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from serving_credit_files import FIRM, RECORDS, headers, shelve

from serving.endpoints.reports import pdf_archive, report_pdf, typeface
from serving.endpoints.reports.report_form import Report, ReportEntry, ReportItem, ReportSection, clean

DAY = date(2026, 11, 1)
WIDE = "".join(map(chr, range(0x4E00, 0x4E00 + 700)))  # more characters than three fonts of a byte can hold
NUMBER, CHECK = "01a217eb-1188-78a9-9290-b89b538380e8", "0123456789ABCDEF"


def report(name: str = "海河虚构贸易有限公司", facts: str = "未按规定公示年度报告") -> Report:
    entries = (ReportEntry("处罚机关", "市场监督管理委员会"), ReportEntry("违法事实", facts))
    items = tuple(ReportItem("行政处罚", f"津市监罚〔2026〕{n}号", entries) for n in range(3))
    parts = (
        ReportSection("penalties", "行政处罚", "Penalties", 3, items, ""),
        ReportSection("x", "司法判决", "Judgments", 0, (), ""),
    )
    return Report(NUMBER, name, FIRM, "企业", DAY, DAY, DAY, True, True, "标准", "snapshot-1", "release-1",
                  CHECK, (("守信激励对象", True),), entries, parts, {"zh": "仅供参考", "en": "note"})  # fmt: skip


def fonts(document: pypdf.PdfReader) -> Iterator[Any]:
    """The fonts of every page."""
    for page in document.pages:
        for font in page["/Resources"]["/Font"].values():
            yield font.get_object()


def plain(text: str) -> str:
    return re.sub(r"\s", "", text)


def answer(drawn: bytes) -> str:
    """The text of all pages, as a reader copies it, without spaces and ends of lines."""
    return plain("".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(drawn)))


@pytest.mark.parametrize("facts", ["未按规定公示年度报告", WIDE, "𬭎㐀龘 é Ω 𠮷"])
def test_every_font_of_every_page_is_within_and_holds_what_is_used_and_no_more(facts: str) -> None:
    drawn = report_pdf.draw(report(facts=facts))
    document = pypdf.PdfReader(BytesIO(drawn), strict=True)
    used = set("".join(page.extract_text() for page in document.pages)) - {"\n"}
    stored = 0
    for font in {font["/BaseFont"]: font for font in fonts(document)}.values():
        assert re.fullmatch(r"/[A-Z]{6}\+NotoSansSC-Regular", font["/BaseFont"])
        assert len(font["/Widths"]) == font["/LastChar"] - font["/FirstChar"] + 1
        file = font["/FontDescriptor"]["/FontFile2"].get_data()
        assert file[:4] == b"\0\1\0\0"  # TrueType outlines
        tables = {file[at : at + 4]: int.from_bytes(file[at + 8 : at + 12], "big")
                  for at in range(12, 12 + 16 * int.from_bytes(file[4:6], "big"), 16)}  # fmt: skip
        stored += int.from_bytes(file[tables[b"maxp"] + 4 : tables[b"maxp"] + 6], "big") - 1  # glyphs but "not defined"
    assert used <= set(map(chr, range(0x20, 0x7F))) | set(typeface.with_substitutes("".join(used)))
    assert len(used) <= stored <= len(used) + 20 + len(list(fonts(document)))  # digits of pages, a space in every font
    assert len(drawn) < 50_000 + 160 * stored


@settings(max_examples=25)
@given(st.data())
def test_what_the_font_has_is_copied_out_as_it_was_written(data: Any) -> None:
    words = data.draw(st.text(st.sampled_from(characters()), min_size=1, max_size=400))
    assert typeface.with_substitutes(words) == words
    assert words in answer(report_pdf.draw(report(facts=words)))


@cache
def characters() -> list[str]:
    """What names and facts are written in: letters, signs, the characters of GBK, extension A and beyond."""
    ranges = ((0x21, 0x7F), (0x391, 0x3AA), (0x3001, 0x3004), (0x3400, 0x4DB6), (0x4E00, 0x9FA6), (0x20000, 0x2EBE1))
    known = [chr(code) for first, last in ranges for code in range(first, last)]
    return [c for c in known if typeface.with_substitutes(c) == c]


def test_the_font_covers_level_2_of_gb_18030() -> None:
    pairs = [bytes((high, low)) for high in range(0x81, 0xFF) for low in range(0x40, 0xFF) if low != 0x7F]
    gbk = {c for pair in pairs for c in pair.decode("gbk", "ignore") if len(pair.decode("gbk", "ignore")) == 1}
    assert len(gbk) > 21_000
    assert {c for c in gbk if typeface.with_substitutes(c) != c} == {"≒"}
    assert all(typeface.with_substitutes(chr(code)) == chr(code) for code in range(0x3400, 0x4DB6))
    assert (
        typeface.with_substitutes("𬭎𬬻𬭊𬭳𬭛𬭶𫓧𫖮𬇙𬜬") == "𬭎𬬻𬭊𬭳𬭛𬭶𫓧𫖮𬇙𬜬"
    )  # of the table of general characters


@pytest.mark.parametrize("facts", ["未按规定公示年度报告", WIDE])
def test_there_is_ink_where_the_text_is(facts: str) -> None:
    scale = 3
    for page in pypdfium2.PdfDocument(report_pdf.draw(report(facts=facts))):
        picture = page.render(scale=scale).to_pil().convert("L")
        text = page.get_textpage()
        seen: dict[str, set[bytes]] = {}
        for at, character in enumerate(text.get_text_range()):
            if character.isspace():
                continue
            left, bottom, right, top = text.get_charbox(at, loose=True)
            box = tuple(round(scale * x) for x in (left, page.get_height() - top, right, page.get_height() - bottom))
            crop = picture.crop(box)
            darkest, lightest = crop.getextrema()
            assert lightest - darkest > 60, f"nothing is seen of U+{ord(character):04X}"
            seen.setdefault(character, set()).add(crop.resize((24, 24)).tobytes())
        chinese = [shapes for character, shapes in seen.items() if character >= "\u4e00"]
        assert len(set().union(*chinese)) == sum(map(len, chinese)), "two characters look the same"


def test_a_character_outside_the_font_is_shown_by_its_code_point() -> None:
    name = clean("𬭎𠮷野家\ue82b葛\U000e0100（\U00031350）😀有限公司")
    drawn = answer(report_pdf.draw(report(name)))
    assert "𬭎〓[U+20BB7]野家〓[U+E82B]葛（〓[U+31350]）〓[U+1F600]有限公司" in drawn
    assert plain(report_pdf.SUBSTITUTE_NOTE) in drawn
    assert plain(report_pdf.SUBSTITUTE_NOTE) not in answer(report_pdf.draw(report()))


def test_the_same_report_is_the_same_bytes_whatever_was_drawn_between() -> None:
    first, other = report_pdf.draw(report()), report_pdf.draw(report(facts=WIDE))
    assert first == report_pdf.draw(replace(report()))
    assert other == report_pdf.draw(report(facts=WIDE))
    assert len({first, other}) == 2


def test_a_report_declares_pdf_a_and_conforms_to_it() -> None:
    drawn = report_pdf.draw(report(facts=WIDE))
    document = pypdf.PdfReader(BytesIO(drawn), strict=True)
    assert (document.pdf_header, document.is_encrypted) == ("%PDF-1.7", False)
    assert re.match(rb"%PDF-1\.7\n%[\x80-\xff]{4}", drawn)
    assert len(document.trailer["/ID"]) == 2
    root, info = document.trailer["/Root"], document.metadata
    assert not {"/OpenAction", "/AA", "/Names", "/AcroForm"} & set(root)
    assert root["/Lang"] == "zh-CN"
    packet = root["/Metadata"].get_object()
    assert "/Filter" not in packet
    message = {element.tag.rpartition("}")[2]: "".join(element.itertext()).strip()
            for element in ElementTree.fromstring(packet.get_data()).iter()}  # fmt: skip
    assert (message["part"], message["conformance"]) == ("2", "U")
    assert (
        (message["title"], message["creator"])
        == (info.title, info.author)
        == (f"公共信用报告 {NUMBER}", "海河信用创新实验室")
    )
    assert (message["description"], message["CreatorTool"]) == (info.subject, info.creator)
    assert (message["Producer"], message["Keywords"]) == (info.producer, info["/Keywords"])
    assert message["CreateDate"] == message["ModifyDate"] == "2026-11-01T00:00:00+08:00"
    assert info["/CreationDate"] == info["/ModDate"] == "D:20261101000000+08'00'"
    for written in re.findall(rb"(?s)/Length (\d+)[^>]*>>\nstream\n(.*?)endstream", drawn):
        assert len(written[1]) == int(written[0]) + 1
        assert written[1].endswith(b"\n")
    for font in fonts(document):
        mapped = re.findall(r"<(..)> <([0-9A-F]{4,})>\n", font["/ToUnicode"].get_data().decode())
        assert mapped
        assert not {bytes.fromhex(to).decode("utf-16-be") for _, to in mapped} & {"\0", "\ufeff", "\ufffe"}
        assert max(map(int, re.findall(r"(\d+) beginbfchar", font["/ToUnicode"].get_data().decode()))) <= 100
    (intent,) = root["/OutputIntents"]
    assert intent["/S"] == "/GTS_PDFA1"
    assert intent["/DestOutputProfile"].get_data() == pdf_archive.srgb()


def test_the_colour_profile_is_that_of_srgb() -> None:
    ours = ImageCms.ImageCmsProfile(BytesIO(pdf_archive.srgb()))
    assert ImageCms.getProfileDescription(ours).strip() == "sRGB"
    rows = [((x, 255 - x, x // 2), (x, x, x), (11, x, 200)) for x in range(256)]
    ramp = Image.frombytes("RGB", (3, 256), bytes(c for row in rows for colour in row for c in colour))
    turned = ImageCms.profileToProfile(ramp, ours, ImageCms.createProfile("sRGB"))
    assert max(abs(a - b) for a, b in zip(ramp.tobytes(), turned.tobytes(), strict=True)) <= 1


def test_without_the_font_the_refusal_gives_a_remedy(world: Any, serve: Any, monkeypatch: Any, tmp_path: Path) -> None:
    shelve(world, RECORDS)
    (tmp_path / typeface.PACKAGE).mkdir()
    (tmp_path / typeface.PACKAGE / "__init__.py").touch()  # a package of that name, and no font in it
    with serve() as running:
        assert running.http.get("/ready").json()["reports"] == {"format": "PDF/A-2u"}
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # for the process that draws
    with serve() as running:
        auth = headers(running)
        ready = running.http.get("/ready")
        assert ready.status_code == 200
        assert "pip install" in ready.json()["reports"]["fault"]
        response = running.http.get(f"/v1/reports/{FIRM}?format=pdf", headers=auth)
        assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (503, "no-typeface")
        assert "pip install" in response.json()["remedy"]
        assert running.http.get(f"/v1/reports/{FIRM}?format=html", headers=auth).status_code == 200
