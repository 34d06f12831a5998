"""Every bad row is quarantined with its reason, no row is lost, and a second intake of the same files changes
nothing.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.errors import Malformed, Missing
from tests.privacy.small_custody import House, code, empty_house, register_of

HEAD = "CODE,DOCUMENT,DAY,KNOWN,UNTIL,FINE,SEVERITY,STATE,NOTE\n"
WRONG = code(1)[:17] + ("0" if code(1)[17] != "0" else "1")
BAD = {
    f"{WRONG},D1,2024-03-01,,,1,minor,normal,x": "the last check character of the code is wrong",
    f"{code(1)[:9]},D1,2024-03-01,,,1,minor,normal,x": "the code does not have 18 characters",
    f"{code(1, '12')},D1,2024-03-01,,,1,minor,normal,x": "the kind of subject does not fit",
    ",D1,2024-03-01,,,1,minor,normal,x": "subject_code (代码) is missing",
    f"{code(1)},,2024-03-01,,,1,minor,normal,x": "document_number (文号) is missing",
    f"{code(1)},{'D' * 21},2024-03-01,,,1,minor,normal,x": "document_number (文号) is longer than 20",
    f"{code(1)},D1,2024-02-30,,,1,minor,normal,x": "decided_on (日期) is not a date",
    f"{code(1)},D1,2026-11-02,,,1,minor,normal,x": "decided_on (日期) lies in the future",
    f"{code(1)},D1,0024-03-01,,,1,minor,normal,x": "decided_on (日期) is not a plausible date",
    f"{code(1)},D1,2019-12-31,,,1,minor,normal,x": "decided before the firm existed",
    f"{code(1)},D1,2024-03-01,,,20000,minor,normal,x": "fine (罚款) is above 1,000 万元: is it in 元?",
    f"{code(1)},D1,2024-03-01,,,2000美元,minor,normal,x": "fine (罚款) is in the wrong unit",
    f"{code(1)},D1,2024-03-01,,,-1,minor,normal,x": "fine (罚款) is below 0",
    f"{code(1)},D1,2024-03-01,,,nan,minor,normal,x": "fine (罚款) is not a number",
    f"{code(1)},D1,2024-03-01,,,1,grave,normal,x": "severity (程度) is not one of the values",
    f"{code(1)},D1,2024-03-01,,,1": "the row has 6 columns and the header 9",
}


@pytest.mark.parametrize(("row", "reason"), BAD.items(), ids=range(len(BAD)))
def test_a_bad_row_is_quarantined_with_its_reason(house: House, row: str, reason: str) -> None:
    good = f"{code(1)},D0,2024-03-01,2024-03-02,,1,minor,normal,fine\n"
    report = house.bring(registration=register_of(3), administrative_penalty=HEAD + good + row + "\n")
    count = report.tables["administrative_penalty"]
    assert (count.rows_in, count.kept, count.quarantined) == (2, 1, 1)
    [(table, line, why)] = house.quarantine()
    assert (table, line) == ("administrative_penalty", 3)
    assert why.startswith(reason)
    assert code(1) not in why


def test_other_bytes_unknown_columns_duplicates_unknown_files_and_orphans(house: House) -> None:
    row = f"{code(1)},D1,2024-03-01,2024-03-05,,1,minor,normal,"
    second, third = row.replace("D1", "D2"), row.replace("D1", "D3")
    report = house.bring(
        registration=register_of(3),
        administrative_penalty=(HEAD + f"{row}a\n{row}a\n{row}other\n").encode() + f"{row}罚款".encode() + b"\xff\n",
        administrative_penalty_2=HEAD.strip() + f",SECRET\n{second}x,tells\n{third}x,\n",
        administrative_penalty_3="CODE,WHAT\n1,2\n",
        nobody_knows="a,b\n1,2\n",
        credit_repair=f"NUMBER,CODE,TABLE,DOCUMENT,SEVERITY,DAY\nR1,{code(1)},administrative_penalty,D9,minor,2024-05-01\n",
    )
    reasons = dict(report.tables["administrative_penalty"].reasons)
    assert sorted(why.split(":")[0] for why in reasons) == [
        "a duplicate",
        "another record with the same key stands, and this one is not later",
        "it has a value in a column that the catalogue does not know",
        "the file has no column for DOCUMENT (文号), DAY (日期), which is required",
        "the line is neither UTF-8 nor GB18030",
    ]
    assert report.tables[""].reasons == {"the file fits no table of the catalogue": 1}
    assert next(iter(report.tables["credit_repair"].reasons)).startswith("a repair of a record that is not held")
    assert report.rows_in == report.kept + report.duplicates + report.quarantined
    stored = house.vault.read("_quarantine").to_pylist()
    assert len(stored) == report.quarantined
    [other] = [row for row in stored if row["reason"].startswith("the line is neither")]
    assert other["line"] == 5
    assert bytes.fromhex(other["row"]).endswith("罚款".encode() + b"\xff")
    assert any("SECRET" in row["reason"] and "tells" in row["row"] for row in stored)
    ledger_text = (house.root / "ledger.jsonl").read_text()
    assert code(1) not in ledger_text
    assert "intake.accepted" in ledger_text


def test_a_second_intake_changes_nothing_and_reports_it(house: House) -> None:
    files = {
        "registration": register_of(20),
        "administrative_penalty": HEAD + "".join(f"{code(n)},D{n % 15},2024-03-01,,,1,,normal,\n" for n in range(20)),
    }
    first = house.bring(**files)
    before = {path.name: path.read_bytes() for path in house.vault.folder.rglob("*.*")}
    entries = house.ledger.verify()
    second = house.bring(**files)
    assert first.changed
    assert not second.changed
    assert second.message.startswith("Nothing new")
    assert second.kept == 0
    assert second.duplicates == first.kept
    assert before == {path.name: path.read_bytes() for path in house.vault.folder.rglob("*.*")}
    assert house.ledger.verify() == entries


def test_a_later_version_replaces_and_an_older_one_waits(house: House) -> None:
    row = f"{code(1)},D1,2024-03-01,{{}},,{{}},minor,normal,\n"
    house.bring(registration=register_of(3), administrative_penalty=HEAD + row.format("2024-03-05", 1))
    later = house.bring(administrative_penalty=HEAD + row.format("2024-04-05", 2))
    assert later.tables["administrative_penalty"].updated == 1
    assert house.bring(administrative_penalty=HEAD + row.format("2024-03-20", 3)).quarantined == 1
    assert house.vault.read("administrative_penalty").column("fine").to_pylist() == [2.0]
    assert [why.split(" ")[0] for *_, why in house.quarantine()] == ["superseded", "another"]


@pytest.mark.parametrize("day", ["2024-03-01", "2024/3/1", "2024-03-01 10:00:00", "20240301", "2024/3/1 10:00:00"])
def test_dates_are_read_as_sources_write_them(house: House, day: str) -> None:
    house.bring(registration=register_of(3), administrative_penalty=f"XDR,WSH,JDRQ\n{code(1)},D1,{day}\n")
    assert house.vault.read("administrative_penalty").column("decided_on").to_pylist() == [date(2024, 3, 1)]


def test_parquet_is_read_and_a_broken_one_is_not_fatal(house: House) -> None:
    path = house.root / "administrative_penalty.parquet"
    pq.write_table(pa.table({"CODE": [code(1)], "DOCUMENT": ["D"], "DAY": [date(2024, 3, 1)], "FINE": [0.5]}), path)
    broken = house.root / "administrative_penalty_2.parquet"
    broken.write_bytes(b"PAR1 nothing")
    report = house.bring_paths([path, broken])
    assert (report.kept, report.quarantined) == (1, 1)
    with pytest.raises(Missing):
        house.bring_paths([house.root / "catalogue" / "registration.yaml"])


def test_a_check_that_is_not_sql_is_reported(house: House) -> None:
    path = house.root / "catalogue" / "administrative_penalty.yaml"
    path.write_text(path.read_text().replace("decided_on < r.registered_on", "no_such_column < 1"))
    wrong = type(house.catalogue).load("tiny", house.root / "catalogue")
    spoiled = type(house)(house.root, house.key, house.vault, house.shelf, house.ledger, wrong)
    with pytest.raises(Malformed):
        spoiled.bring(administrative_penalty=HEAD + f"{code(1)},D1,2024-03-01,,,1,minor,normal,x\n")


CELL = st.sampled_from(
    ["", code(1), code(2), WRONG, "D1", "D2", "2024-03-01", "2030-01-01", "1", "1e9", "2元", "minor", "中", '"', "x\ny"]
)


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.lists(CELL, min_size=7, max_size=10), max_size=12), cut=st.integers(0, 3))
def test_rows_are_conserved(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], cut: int) -> None:
    house = empty_house(tmp_path_factory.mktemp("house"))
    text = HEAD + "".join(",".join(row) + "\n" for row in rows)
    content = text.encode("gb18030" if cut == 0 else "utf-8")
    report = house.bring(administrative_penalty=content)
    count = report.tables["administrative_penalty"]
    assert count.rows_in == count.kept + count.duplicates + count.quarantined
    assert count.quarantined == sum(count.reasons.values())
    if not any('"' in cell or "\n" in cell for row in rows for cell in row):
        assert count.rows_in + count.others.get("blank", 0) == len(rows)


def test_real_files_are_listed_by_path(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "registration.csv").write_text(register_of(2))
    (folder / "readme.txt").write_text("hello")
    report = house.bring_paths(sorted(folder.iterdir()))
    assert report.ignored == ("readme.txt",)


@pytest.mark.attack
def test_reports_and_ledgers_do_not_repeat_a_header_that_is_a_row_of_data(house: House) -> None:
    """The first row of a file without a header is read as its header; no report repeats its cells."""
    row = f"{code(1)},D1,2024-03-01,2024-03-05,,1,minor,normal,"
    headers = ("120101199003071234 张三", "13800138000", "a" * 41, "X_123456")
    report = house.bring(
        registration=register_of(3),
        administrative_penalty=HEAD.strip() + "," + ",".join(headers) + f"\n{row},v1,v2,v3,v4\n",
    )
    texts = [*report.tables["administrative_penalty"].reasons, (house.root / "ledger.jsonl").read_text()]
    assert any("a name that is not shown" in text for text in texts)
    assert not [header for header in headers if any(header in text for text in texts)]
