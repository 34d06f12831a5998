"""The page of movements draws what was counted, and shows no small count."""

from __future__ import annotations

import re
from typing import Any

from models.snapshots import migration_report


def evaluation(**more: Any) -> dict[str, Any]:
    ways = ("new", "same", "up", "down")
    counts = {
        "district": {"120101": (0, 40, 6, 8), "120102": (3, 40, 4, 4)},
        "industry": {"C": (3, 80, 10, 12)},
        "cause": {"rule fines": (0, 0, 0, 6), "years": (0, 0, 10, 2)},
    }
    model = {
        "snapshot": "snapshot-1",
        "version": "version-1",
        "last": "snapshot-0",
        "subjects": 105,
        "moved": {"new": 3, "same": 80, "up": 10, "down": 12, "gone": 7},
        "by": {n: {v: dict(zip(ways, each, strict=True)) for v, each in of.items()} for n, of in counts.items()},
        "grades": {"A": 60, "B": 40, "D": 5},
        "last_grades": {"A": 62, "B": 45, "D": 2},
        "between": [],
    }
    return {"period": "2026-11", "as_of": "2026-11-01", "models": {"enterprise": model | more}}


def test_falls_are_drawn_by_district_industry_and_cause_in_words() -> None:
    page = migration_report.report_page(evaluation(), {"fines": "罚款", "years": "年限"})
    for words in ("和平区", "制造", "罚款（规则）", "年限", ">14.8%<", ">10<"):
        assert words in page, words
    assert page.count("<svg") == 4


def test_a_small_count_is_not_shown() -> None:
    page = migration_report.report_page(evaluation(), {"fines": "罚款", "years": "年限"})
    assert "河东区" not in page, "four fell and four rose there"
    assert re.search(r'<td class="n">few</td>', page), "three are new"
    assert ">2<" not in page


def test_the_first_month_has_nothing_to_compare() -> None:
    page = migration_report.report_page(evaluation(last=None, last_grades={}), {})
    assert "nothing to compare with" in page
    assert page.count("<svg") == 1
