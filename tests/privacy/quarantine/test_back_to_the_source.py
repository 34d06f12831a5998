"""Rejected rows go back to the source unit with their reason, and a corrected file ends the waiting of its rows."""

from __future__ import annotations

import csv
import io
import stat
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from privacy.quarantine import annotated, store
from privacy.quarantine.annotated import write_annotated
from privacy.quarantine.listing import shown_rows, waiting_rows
from tests.privacy.small_custody import House, code, register_of

HEAD = "CODE,DOCUMENT,DAY,KNOWN,UNTIL,FINE,SEVERITY,STATE,NOTE\n"
BAD = f"{code(1)},D1,2024-03-01,,,x,minor,normal,=1+1\n"
UNSPLIT = f'{code(2)},D2,2024-03-01,,,1,minor,normal,"a"b\n'


@pytest.fixture
def with_two_rejected(house: House) -> House:
    house.bring(registration=register_of(9))
    report = house.bring(administrative_penalty=HEAD + BAD + UNSPLIT)
    assert (report.quarantined, report.kept) == (2, 0)
    return house


def states(house: House) -> list[str]:
    return [row["state"] for row in store.read(house.vault).to_pylist()]


def written(house: House, form: str = "csv") -> Path:
    [path] = write_annotated(waiting_rows(house.vault), house.catalogue, house.root / "back", form)
    return path


def test_a_row_is_shown_with_its_line_document_field_value_and_reason(with_two_rejected: House) -> None:
    first, second = shown_rows(waiting_rows(with_two_rejected.vault), with_two_rejected.catalogue)
    shown = [first[name] for name in ("table", "file", "line", "document", "field", "value")]
    assert shown == ["administrative_penalty", "administrative_penalty.csv", 2, "D1", "FINE", "x"]
    assert "is not a number" in first["reason"]
    assert (second["line"], second["document"], second["field"]) == (3, "", "")
    assert second["value"] == UNSPLIT.strip()


def test_the_file_back_has_each_row_with_its_reason_and_is_its_owners_alone(with_two_rejected: House) -> None:
    path = written(with_two_rejected)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    header, _, row, line = lines
    assert row[header.index("FINE")] == "x"
    assert row[header.index("NOTE")] == "'=1+1"  # no spreadsheet calculates it
    assert "不是可以读取的数" in row[1]
    assert "is not a number" in row[1]
    assert line[-1] == UNSPLIT.strip()
    assert row[0] != line[0]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_unchanged_file_back_is_returned_once_more(with_two_rejected: House, form: str) -> None:
    report = with_two_rejected.bring_paths([written(with_two_rejected, form)])
    assert report.kept == 0
    assert report.rows_in == report.quarantined
    assert states(with_two_rejected).count(store.RETURNED) >= 1
    assert all(row["line"] for row in waiting_rows(with_two_rejected.vault))


def test_a_corrected_row_ends_the_waiting(with_two_rejected: House) -> None:
    path = written(with_two_rejected)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header, titles, row, _ = csv.reader(stream)
    row[header.index("FINE")] = "2"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, titles, row])
    report = with_two_rejected.bring_paths([path])
    assert (report.kept, report.quarantined) == (1, 0)
    assert sorted(states(with_two_rejected)) == [store.CORRECTED, store.WAITING]
    [stored] = with_two_rejected.vault.read("administrative_penalty").to_pylist()
    assert (stored["fine"], stored["note"]) == (2, "=1+1")


def test_a_workbook_back_holds_texts_alone(with_two_rejected: House) -> None:
    worksheet = CalamineWorkbook.from_path(str(written(with_two_rejected, "xlsx"))).get_sheet_by_index(0)
    cells = [cell for row in worksheet.to_python() for cell in row]
    assert all(isinstance(cell, str) for cell in cells)
    assert code(1) in cells
    assert "=1+1" in cells


@pytest.mark.parametrize("before", ["", " ", "\u3000", "  "])
@pytest.mark.parametrize("sign", list("=+-@\t\r\n＝＋－＠"))
def test_no_cell_back_is_calculated(before: str, sign: str) -> None:
    """A spreadsheet takes signs of full width, and signs behind blanks, for the beginning of a formula too."""
    content = annotated.as_csv([[f"{before}{sign}1+1", "words"]]).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content, newline=""))) == [[f"'{before}{sign}1+1", "words"]]
