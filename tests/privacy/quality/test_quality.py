"""The quality of a month counts every row once by who sent it, and late is what came after the seventh working day."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.catalogue import Catalogue
from credit.errors import Broken, Malformed
from credit.keys import KeyRing, SigningKey
from privacy.quality.measures import MonthQuality, UnitQuality, measure_month, month_from
from privacy.quality.page import page_of
from privacy.quality.rules import QualityRules
from privacy.quality.sampling import check_sample, draw_sample
from privacy.quality.tables import csv_of
from privacy.quality.working_days import NoticedYear, WorkingDays
from tests.privacy.small_custody import CITY, House, code

TITLES = (
    "CF_XDR_MC,CF_XDR_SHXYM,CF_WSH,CF_SY,CF_YJ,CF_CFLB,CF_NR,CF_JDRQ,CF_CFJG,CF_CFJGDM,ADD_TIME,CF_SXCD,CF_ZFLY,JLZT"
)
AGENCIES = {"甲局": code(1, "11"), "乙局": code(2, "11")}


def row(
    number: int, decided: str, reached: str, agency: str = "甲局", kind: str = "罚款", content: str = "内容"
) -> str:
    firm = f"海河虚构,{code(1)},文{number}号,事实,依据"
    return f"{firm},{kind},{content},{decided},{agency},{AGENCIES[agency]},{reached},general,其他,normal\n"


@pytest.fixture
def city(house: House) -> House:
    return replace(house, catalogue=Catalogue.load("city"))


def measured(house: House, month: str = "2026-10") -> dict[str, UnitQuality]:
    quality = measure_month(month, catalogue=house.catalogue, vault=house.vault, rules=QualityRules.load())
    return {unit.source: unit for unit in quality.units}


def test_seven_working_days_pass_over_the_national_day_and_its_working_weekends() -> None:
    calendar = WorkingDays()
    # 2026: off from 1 to 7 October, working on 20 September and 10 October (国务院办公厅, 2025-11-04)
    assert calendar.deadline(date(2026, 9, 28), 7) == date(2026, 10, 13)
    assert calendar.is_working(date(2026, 10, 10)) is True
    assert calendar.is_working(date(2026, 10, 1)) is False
    assert calendar.deadline(date(2026, 11, 2), 7) == date(2026, 11, 11)


def test_a_year_without_a_notice_is_not_assessed_until_it_is_entered() -> None:
    assert WorkingDays().deadline(date(2030, 1, 2), 7) is None
    noticed = NoticedYear(frozenset({date(2030, 1, 3)}), frozenset({date(2030, 1, 5)}))
    assert WorkingDays({2030: noticed}).deadline(date(2030, 1, 2), 2) == date(2030, 1, 5)


@given(st.dates(date(2010, 1, 1), date(2026, 11, 1)), st.integers(1, 20))
def test_a_deadline_is_a_working_day_with_that_many_working_days_since(day: date, count: int) -> None:
    calendar = WorkingDays()
    end = calendar.deadline(day, count)
    assert end is not None
    assert calendar.is_working(end)
    assert sum(bool(calendar.is_working(day + timedelta(n + 1))) for n in range((end - day).days)) == count


def test_every_row_of_the_month_is_counted_once_by_who_sent_it(city: House) -> None:
    rows = [
        row(1, "2026-09-28", "2026-10-13"),  # the last day in time
        row(2, "2026-09-28", "2026-10-14"),  # a day late
        row(3, "2026-10-08", "2026-10-09", "乙局"),
        row(4, "2026-10-08", "2026-10-09", "乙局", kind="口头"),  # rejected
        row(5, "2026-08-03", "2026-09-30"),  # another month
        row(6, "2026-10-08", "2026-10-12", content="旧"),
    ]
    city.bring(administrative_penalty=TITLES + "\n" + "".join(rows))
    city.bring(administrative_penalty_2=TITLES + "\n" + row(6, "2026-10-08", "2026-10-13", content="新"))
    first, second = (measured(city)[name] for name in AGENCIES)
    assert (first.received, first.stored, first.late, first.assessed) == (4, 4, 1, 4)
    assert (second.received, second.stored, second.compliance, sum(second.reasons.values())) == (2, 1, 0.5, 1)
    assert first.division == "999998"
    assert measured(city, "2026-09")["甲局"].late == 1
    changed = measured(city, "2026-11")["甲局"]  # the day of the intake that brought the later version
    assert (changed.changed, changed.received) == (1, 0)


def test_the_month_is_the_same_after_a_journey_and_in_each_form(city: House) -> None:
    city.bring(administrative_penalty=TITLES + "\n" + row(1, "2026-10-08", "2026-10-09") + row(2, "x", "2026-10-09"))
    quality = measure_month("2026-10", catalogue=city.catalogue, vault=city.vault, rules=QualityRules.load())
    assert month_from(quality.as_json()) == quality
    lines = list(csv.reader(io.StringIO(csv_of(quality).decode("utf-8-sig"))))
    assert [line[4:7] for line in lines[1:]] == [["2", "1", "0.5"]]
    for language, word in (("zh", "合规率"), ("en", "complete")):
        page = page_of(quality, city.catalogue, language).decode()
        assert word in page
        assert "甲局" in page
        assert "<script" not in page


@pytest.mark.attack
def test_a_name_of_a_source_unit_is_text_on_the_page_and_no_formula_in_the_csv(city: House) -> None:
    unit = UnitQuality("administrative_penalty", "=1+<script>alert(1)</script>", received=1, stored=1)
    quality = MonthQuality("2026-10", (unit,), {})
    assert b"<script>alert" not in page_of(quality, city.catalogue, "zh")
    assert "'=1+<script>" in csv_of(quality).decode("utf-8-sig")


@pytest.fixture
def draw(city: House) -> Callable[..., dict[str, Any]]:
    rows = [row(n, f"2026-10-{n:02d}", f"2026-10-{n + 1:02d}", "乙局" if n % 2 else "甲局") for n in range(8, 20)]
    city.bring(administrative_penalty=TITLES + "\n" + "".join(rows))

    def drawn(request: str = "request-1", size: int = 6) -> dict[str, Any]:
        return draw_sample(
            "2026-10", request=request, catalogue=city.catalogue, vault=city.vault, rules=QualityRules.load(),
            key=city.key, ledger=city.ledger, by=CITY, size=size,
        )  # fmt: skip

    return drawn


def test_a_sample_follows_from_the_request_and_is_entered_once(city: House, draw: Callable[..., Any]) -> None:
    first, again, other = draw(), draw(), draw("request-2")
    assert first == again
    assert check_sample(first, city.shelf.ring)["places"] != check_sample(other, city.shelf.ring)["places"]
    entries = [entry for entry in city.ledger.entries() if entry.verb == "quality.sampled"]
    assert len(entries) == 2
    places = check_sample(draw("request-3", 1_000), city.shelf.ring)["places"]
    assert len(places) == 2 * 31  # two units, every day of October
    listed = [number for place in places for number in place["documents"]]
    assert sorted(listed) == sorted(f"文{n}号" for n in range(8, 20))


@pytest.mark.attack
def test_a_sample_that_was_changed_or_not_drawn_is_refused(
    city: House, draw: Callable[..., Any], tmp_path: Path
) -> None:
    from credit.envelope import sign_envelope
    from privacy.quality.sampling import SAMPLE

    content = check_sample(draw(), city.shelf.ring)
    chosen = {**content, "places": content["places"][1:] + content["places"][:1]}
    with pytest.raises(Broken):
        check_sample(sign_envelope(chosen, SAMPLE, city.key), city.shelf.ring)
    other_key = SigningKey.create(tmp_path / "other_key", "custody")
    with pytest.raises(Broken):
        check_sample(sign_envelope(content, SAMPLE, other_key), city.shelf.ring)
    assert check_sample(sign_envelope(content, SAMPLE, other_key), KeyRing.of(other_key)) == content


@pytest.mark.parametrize("month", ["2026-13", "2026", "202610", "2026-1", ""])
def test_another_text_is_no_month(city: House, month: str) -> None:
    with pytest.raises(Malformed):
        measured(city, month)
