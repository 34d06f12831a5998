"""A row that names a firm by its 15-digit number (注册号) alone is that firm's, when one firm alone has it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from credit.catalogue import Catalogue
from privacy.intake.intake_report import IntakeReport
from privacy.quarantine.listing import waiting_rows
from tests.privacy.small_custody import COMMON, TABLES, House, code

NUMBER = "  - {{name: REGNO, column: registration_number, title: 注册号, type: string, role: direct, rules: {{}}}}\n"
REGISTER = "CODE,NAME,DISTRICT,SINCE,STATUS,REGNO\n"
HEAD = "CODE,REGNO,DOCUMENT,DAY,STATE\n"
KNOWN, SHARED, UNKNOWN = "120104000000011", "120104000000022", "120104000000033"


@dataclass(frozen=True, slots=True)
class Numbered:
    """A custody zone with firms of which two share a number."""

    house: House

    def penalties(self, *rows: str) -> IntakeReport:
        return self.house.bring(administrative_penalty=HEAD + "".join(f"{row}\n" for row in rows))

    def stored(self) -> dict[str, str]:
        rows = self.house.vault.read("administrative_penalty").to_pylist()
        return {row["document_number"]: row["subject_code"] for row in rows}


@pytest.fixture
def numbered(house: House, tmp_path: Path) -> Numbered:
    folder = tmp_path / "numbered"
    folder.mkdir()
    for name, data in TABLES.items():
        if name != "credit_repair":
            data = data.replace("fields:\n", "fields:\n" + NUMBER.format())
        (folder / f"{name}.yaml").write_text(COMMON + data, encoding="utf-8")
    house = replace(house, catalogue=Catalogue.load("numbered", folder))
    firms = {1: KNOWN, 2: SHARED, 3: SHARED, 4: ""}
    rows = "".join(f"{code(n)},名称{n},南开,2020-01-01,存续,{number}\n" for n, number in firms.items())
    assert house.bring(registration=REGISTER + rows).kept == 4
    return Numbered(house)


def test_the_number_is_read_as_the_code(numbered: Numbered) -> None:
    """Also where the column of the code has the number, as files before 2015 do."""
    report = numbered.penalties(f",{KNOWN},D1,2024-03-01,normal", f"{KNOWN},,D2,2024-03-01,normal")
    assert report.kept == 2
    assert numbered.stored() == {"D1": code(1), "D2": code(1)}


def test_a_number_of_two_firms_or_of_none_waits(numbered: Numbered) -> None:
    rows = (f",{SHARED},D1,2024-03-01,normal", f",{UNKNOWN},D2,2024-03-01,normal", f"{UNKNOWN},,D3,2024-03-01,normal")
    report = numbered.penalties(*rows)
    assert (report.rows_in, report.kept, report.quarantined) == (3, 0, 3)
    assert [row["line"] for row in waiting_rows(numbered.house.vault)] == [2, 3, 4]


def test_a_code_comes_before_a_number(numbered: Numbered) -> None:
    assert numbered.penalties(f"{code(4)},{KNOWN},D1,2024-03-01,normal").kept == 1
    assert numbered.stored() == {"D1": code(4)}
