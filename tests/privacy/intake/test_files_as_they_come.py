"""Files as departments send them: each is read as what it says, and every row of it is accounted for."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from privacy.intake.intake_report import IntakeReport
from tests.privacy.small_custody import House, code, register_of

HEAD = ("CODE", "DOCUMENT", "DAY", "KNOWN", "UNTIL", "FINE", "SEVERITY", "STATE", "NOTE")
TITLES = ("代码", "文号", "日期", "采集", "截止", "罚款", "程度", "状态", "说明")


def row(number: int = 1, **changes: str) -> list[str]:
    values = [code(number), f"D{number}", "2024-03-01", "2024-03-02", "", "1", "minor", "normal", "好"]
    return [changes.get(name, value) for name, value in zip(HEAD, values, strict=True)]


def delimited(lines: list[list[str]], separator: str = ",") -> str:
    return "".join(separator.join(line) + "\n" for line in lines)


def workbook(worksheets: dict[str, list[list[object]]]) -> bytes:
    """A workbook; days are stored as Excel stores them."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy/m/d"}) as workbook:
        for name, lines in worksheets.items():
            worksheet = workbook.add_worksheet(name)
            for number, line in enumerate(lines):
                for column, cell in enumerate(line):
                    if cell != "":
                        worksheet.write(number, column, cell)
    return out.getvalue()


@pytest.fixture
def registered(house: House) -> House:
    house.bring(registration=register_of(9))
    return house


def bring(house: House, name: str, content: bytes | str) -> IntakeReport:
    path = house.root / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    report = house.bring_paths([path])
    assert report.rows_in == report.kept + report.duplicates + report.quarantined
    return report


TABLE = [list(HEAD), row(1), row(2)]
WORKBOOK: dict[str, list[list[object]]] = {
    "说明": [["本表由虚构局填报"], ["第二行"]],
    "数据": [
        ["虚构局行政处罚信息表"],
        [],
        ["序号", *TITLES],
        *[
            [at, code(at), f"D{at}", datetime(2024, 3, 1), "2024-03-02", "", 1, "minor", "normal", "好"]
            for at in (1, 2)
        ],
        ["合计", "", "", "", "", "", 2],
    ],
}
READ = {
    "administrative_penalty.CSV": delimited(TABLE),
    "administrative_penalty_tab.csv": delimited(TABLE, "\t"),
    "administrative_penalty_semicolon.csv": delimited(TABLE, ";"),
    "administrative_penalty.txt": delimited(TABLE, "\t"),
    "administrative_penalty_16.csv": b"\xff\xfe" + delimited(TABLE).encode("utf-16-le"),
    "administrative_penalty_16_without_mark.csv": delimited(TABLE).encode("utf-16-be"),
    "administrative_penalty_gb.csv": delimited([list(TITLES), row(1), row(2)]).encode("gb18030"),
    "administrative_penalty_mixed.csv": delimited(TABLE[:2]).encode() + delimited(TABLE[2:]).encode("gb18030"),
    "administrative_penalty_mac.csv": delimited(TABLE).replace("\n", "\r"),
    "administrative_penalty_titles.csv": "虚构局报送表\n\n"
    + delimited([list(TITLES), row(1), row(2)])
    + "填报人：虚构\n",
    "administrative_penalty_two_headers.csv": delimited([list(HEAD), list(TITLES), row(1), row(2)]),
    "administrative_penalty_lower.csv": delimited([[name.lower() for name in HEAD], row(1), row(2)]),
    "administrative_penalty_numbered.csv": delimited([["序号", *HEAD], ["1", *row(1)], ["2", *row(2)]]),
    "administrative_penalty_empty_columns.csv": delimited([[*HEAD, "", ""], [*row(1), "", ""], row(2)]),
    "行政处罚20240301.csv": delimited(TABLE),
    "administrative_penalty.jsonl": "".join(json.dumps(dict(zip(HEAD, row(n), strict=True))) + "\n" for n in (1, 2)),
    "administrative_penalty.json": json.dumps([dict(zip(HEAD, row(n), strict=True)) for n in (1, 2)]),
    "administrative_penalty.xlsx": workbook(WORKBOOK),
    "administrative_penalty_renamed.csv": workbook(WORKBOOK),
}


@pytest.mark.parametrize("name", READ)
def test_a_file_of_any_form_is_read(registered: House, name: str) -> None:
    report = bring(registered, name, READ[name])
    assert (report.kept, report.quarantined) == (2, 0), registered.quarantine()
    stored = registered.vault.read("administrative_penalty").to_pylist()
    assert sorted((each["document_number"], each["fine"], each["note"]) for each in stored) == [
        ("D1", 1, "好"),
        ("D2", 1, "好"),
    ]
    assert {each["decided_on"].isoformat() for each in stored} == {"2024-03-01"}


def test_what_is_no_row_is_named(registered: House) -> None:
    report = bring(registered, "administrative_penalty.xlsx", workbook(WORKBOOK))
    assert report.others == {"title": 1, "blank": 1, "total": 1, "other sheet": 2}
    text = "表一\n" + delimited([list(HEAD), list(TITLES), row(3), [""] * 9]) + "\n合计,,,,,9,,,\n"
    report = bring(registered, "administrative_penalty_2.csv", text + delimited([list(HEAD), row(4)]))
    assert report.others == {"title": 1, "second header": 2, "blank": 2, "total": 1}
    assert report.kept == 2


def test_a_header_over_two_rows_and_a_unit_in_it(registered: House) -> None:
    upper = ["代码", "文号", "时间", "", "", "处罚", "", "状态", "说明"]
    lower = ["", "", "日期", "采集", "截止", "罚款(元)", "程度", "", ""]
    report = bring(registered, "administrative_penalty.xlsx", workbook({"a": [upper, lower, row(1, FINE="3000")]}))
    assert report.kept == 1
    assert registered.vault.read("administrative_penalty").column("fine").to_pylist() == [0.3]


REFUSED = {
    "administrative_penalty.xlsx": (b"PK\x03\x04" + bytes(200), "this is not a workbook"),
    "administrative_penalty.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "this is not a workbook"),
    "administrative_penalty_page.xls": ("<html><table><tr><td>1</td></tr></table>", "this is a web page"),
    "administrative_penalty.parquet": (b"PAR1" + bytes(50), "this is not a Parquet file"),
    "administrative_penalty_packed.csv": (b"\x1f\x8b" + bytes(50), "this is a compressed file"),
    "administrative_penalty.json": ("[[1, 2], {]", "the line is not JSON"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_file_is_refused_by_name_and_stops_no_other(registered: House, name: str) -> None:
    content, reason = REFUSED[name]
    path, other = registered.root / name, registered.root / "administrative_penalty_9.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    other.write_text(delimited(TABLE))
    report = registered.bring_paths([path, other])
    assert report.kept == 2
    assert report.rows_in == report.kept + report.quarantined
    assert any(why.startswith(reason) for why in report.tables["administrative_penalty"].reasons)


def test_a_workbook_that_needs_half_a_terabyte_is_refused(registered: House) -> None:
    """Two cells in opposite corners of a sheet make its reader abort its process, which is not ours."""
    given = workbook({"a": [["CODE"]]})
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(given)) as old, zipfile.ZipFile(out, "w") as new:
        for each in old.namelist():
            content = old.read(each)
            if each.endswith("sheet1.xml"):
                last = b'<row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData>'
                content = content.replace(b"</sheetData>", last)
            new.writestr(each, content)
    report = bring(registered, "administrative_penalty.xlsx", out.getvalue())
    assert [why.partition(":")[0] for why in report.tables["administrative_penalty"].reasons] == [
        "this is not a workbook that can be read"
    ]


def test_parquet_moments_of_any_unit_and_zone(registered: House, tmp_path: Path) -> None:
    late = datetime(2024, 2, 29, 16, 30, tzinfo=UTC)  # the first of March in China
    for number, unit in enumerate(("s", "ms", "us", "ns"), 1):
        columns = {"CODE": [code(number)], "DOCUMENT": [f"D{number}"]}
        days = pa.array([late], pa.timestamp(unit, "America/New_York" if number % 2 else "UTC"))
        path = tmp_path / f"administrative_penalty_{unit}.parquet"
        pq.write_table(pa.table(columns | {"DAY": days, "KNOWN": pa.array([late], pa.timestamp(unit))}), path)
        assert registered.bring_paths([path]).kept == 1
    stored = registered.vault.read("administrative_penalty").to_pylist()
    assert {each["decided_on"].isoformat() for each in stored} == {"2024-03-01"}
    assert {each["reached_on"].isoformat() for each in stored} == {"2024-02-29"}


def test_lists_and_structures_are_refused_by_name(registered: House, tmp_path: Path) -> None:
    path = tmp_path / "administrative_penalty.parquet"
    pq.write_table(pa.table({"CODE": [code(1)] * 3, "FINE": [[1.0], [2.0], []], "NOTE": [{"a": 1}] * 3}), path)
    report = registered.bring_paths([path])
    assert (report.rows_in, report.quarantined) == (3, 3)
    assert next(iter(report.tables["administrative_penalty"].reasons)).endswith(": FINE, NOTE")


def test_files_that_are_not_read_are_named_with_the_reason(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "delivery"
    (folder / "more").mkdir(parents=True)
    (folder / "registration.csv").write_text(register_of(2))
    (folder / "readme.txt").write_text("hello")
    (folder / "~$registration.xlsx").write_bytes(b"lock")
    report = house.bring_paths([folder])
    assert {name: why.id for name, why in report.not_read.items()} == {
        "readme.txt": "intake.ignored.ending",
        "~$registration.xlsx": "intake.ignored.hidden",
        "more": "intake.ignored.folder",
    }
    assert (report.rows_in, report.kept) == (2, 2)
