"""Commitments are counted by their result: due, checked, kept, broken, repaired; a kept one is not repaired."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from credit.catalogue import Catalogue
from credit.errors import Missing, Refused
from privacy.commitments import commitments, commitments_to_check
from privacy.repair import repair
from tests.privacy.small_custody import CITY, TODAY, House, code

TITLES = (
    "承诺编码,承诺人名称,承诺人类别,承诺人代码,承诺类型,承诺事由,承诺内容,违诺责任,承诺作出日期,承诺有效期,承诺履行状态,"
    "未履行的承诺内容,违诺责任追究内容,履行状态认定日期,承诺受理单位,受理单位代码,公开类型,采集日期"
)


def row(number: int, made: str, ends: str, state: str, checked: str, agency: str = "甲局") -> str:
    broken = ("事项", "措施") if state != "全部履行" else ("", "")
    name = f"120101{made.replace('-', '')}{number:06d}"
    return ",".join((
        name, "海河虚构", "法人及非法人组织", code(1), "主动型", "事由", "内容", "责任", made, ends, state, *broken,
        checked, agency, code(7, "11"), "可向社会公开", checked or made,
    )) + "\n"  # fmt: skip


@pytest.fixture
def city(house: House) -> House:
    city = replace(house, catalogue=Catalogue.load("city"))
    rows = [
        row(1, "2025-01-06", "2026-01-06", "全部履行", "2025-12-01"),
        row(2, "2025-01-06", "2026-01-06", "全部未履行", "2025-12-01"),
        row(3, "2025-01-06", "2026-01-06", "全部履行", ""),  # due, and not checked
        row(4, "2026-10-08", "2026-11-20", "全部履行", "", "乙局"),  # not due yet
        row(5, "2026-10-08", "2027-11-20", "部分履行", "2026-10-20", "乙局"),  # checked before its end
    ]
    city.bring(credit_commitment=TITLES + "\n" + "".join(rows))
    return city


def counted(house: House) -> dict[str, tuple[int, ...]]:
    made = commitments(catalogue=house.catalogue, vault=house.vault, today=TODAY)
    return {
        each.agency: (each.made, each.due, each.overdue, each.checked, each.kept, each.broken, each.repaired)
        for each in made
    }


def test_the_sums_are_first_and_each_agency_follows(city: House) -> None:
    assert counted(city) == {
        "": (5, 4, 1, 3, 1, 2, 0),
        "甲局": (3, 3, 1, 2, 1, 1, 0),
        "乙局": (2, 1, 0, 1, 0, 1, 0),
    }


def test_what_is_due_and_not_checked_is_listed_by_its_end(city: House) -> None:
    listed = commitments_to_check(30, catalogue=city.catalogue, vault=city.vault, today=TODAY)
    assert [(each["agency"], each["ends"], each["overdue"]) for each in listed] == [
        ("甲局", "2026-01-06", True),
        ("乙局", "2026-11-20", False),
    ]


def test_a_broken_commitment_is_repaired_and_a_kept_one_is_not(city: House) -> None:
    stored = {"catalogue": city.catalogue, "vault": city.vault, "ledger": city.ledger, "by": CITY, "on": TODAY}
    repair("12010120250106000002", **stored)  # type: ignore[arg-type]
    assert counted(city)["甲局"][-2:] == (1, 1)
    with pytest.raises(Refused, match="kept"):
        repair("12010120250106000001", **stored)  # type: ignore[arg-type]


def test_without_the_table_there_is_nothing_to_count(house: House) -> None:
    with pytest.raises(Missing):
        commitments(catalogue=Catalogue.load("city"), vault=house.vault, today=date(2026, 11, 1))
