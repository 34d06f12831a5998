"""A record is repaired within its publication, after the time of its severity, and only where the two fit."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.errors import Refused
from privacy.repair import repair
from privacy.repair_periods import months_after, repair_periods
from tests.privacy.small_custody import CITY, House, code

HEADER = "CODE,DOCUMENT,DAY,KNOWN,UNTIL,FINE,SEVERITY,STATE,NOTE\n"


def bring(house: House, decided: str, until: str, severity: str) -> None:
    house.bring(administrative_penalty=f"{HEADER}{code(1)},文1,{decided},{decided},{until},1,{severity},normal,\n")


def repair_on(house: House, day: date) -> int:
    return repair("文1", catalogue=house.catalogue, vault=house.vault, ledger=house.ledger, by=CITY, on=day).kept


@pytest.mark.parametrize(
    ("decided", "until", "severity", "message"),
    [
        ("2026-10-08", "2027-10-08", "general", "2027-01-08"),  # three months have not passed
        ("2025-10-08", "2026-10-08", "general", "ended"),
        ("2026-05-08", "2029-05-08", "general", "at most 12 months"),  # three years belong to a serious record
        ("2026-05-08", "2027-05-08", "minor", "at most 3 months"),
    ],
)
def test_what_does_not_fit_is_refused(house: House, decided: str, until: str, severity: str, message: str) -> None:
    bring(house, decided, until, severity)
    with pytest.raises(Refused, match=message):
        repair_on(house, date(2026, 11, 1))


@pytest.mark.parametrize("until", ["2027-05-08", "2027-05-11"])
def test_a_general_record_of_a_year_is_repaired_after_three_months(house: House, until: str) -> None:
    bring(house, "2026-05-08", until, "general")
    assert repair_on(house, date(2026, 8, 8)) == 1


def test_a_record_from_before_the_order_keeps_the_end_that_it_had(house: House) -> None:
    bring(house, "2025-05-08", "2028-05-08", "general")
    assert repair_on(house, date(2026, 11, 1)) == 1


@given(st.dates(date(2026, 4, 1), date(2040, 1, 1)), st.sampled_from(["minor", "general", "serious"]))
def test_no_record_may_be_repaired_only_after_its_longest_publication(day: date, severity: str) -> None:
    periods = repair_periods()
    longest = months_after(day, periods.most[severity])
    assert periods.earliest(day, severity) < longest
    assert periods.fits(day, severity, longest)
    assert not periods.fits(day, severity, longest + timedelta(periods.slack_days + 1))
