"""A person gets a notice before a limit is reached, once, in their language, in few enough characters to be shown whole."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.messages import Text
from credit.settings import BEIJING
from infra.sandbox.bubblewrap import Limits
from infra.sandbox.notices import AGAIN, NEAR, Notices

MOST = 140  # characters that JupyterLab shows of a notice
LIMITS = Limits(memory=4 << 30, home=5 << 30)


def ids(notices: Notices) -> list[str]:
    return [each["id"] for each in notices.current()]


@given(st.lists(st.integers(0, 6 << 30), max_size=12))
def test_there_is_one_notice_from_four_fifths_on_until_the_use_is_well_below(used: list[int]) -> None:
    notices, expected, holds = Notices(LIMITS), 0, False
    for each in used:
        notices.memory(each)
        if each >= NEAR * LIMITS.memory and not holds:
            holds, expected = True, expected + 1
        elif each < AGAIN * LIMITS.memory:
            holds = False
        assert ids(notices) == ([f"memory-{expected}"] if holds else [])


def test_the_end_has_a_notice_half_an_hour_and_five_minutes_before() -> None:
    notices, now = Notices(LIMITS), datetime(2026, 12, 1, 9, 0, tzinfo=BEIJING)
    for seconds, count in ((7200, 0), (1801, 0), (1800, 1), (1700, 1), (300, 2), (1, 2), (-1, 2)):
        notices.time(seconds, now)
        assert len(ids(notices)) == count
    assert "09:30" in notices.current()[0]["text"]


def test_a_workspace_that_ends_soon_from_its_start_has_both_notices() -> None:
    notices = Notices(LIMITS)
    notices.time(200)
    assert ids(notices) == ["time-30-1", "time-5-2"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_notice_is_shown_whole(language: str) -> None:
    notices = Notices(LIMITS, language)
    notices.memory(4 << 30)
    notices.home(5 << 30)
    notices.time(100)
    notices.kernels(16, all_run=True, waiting=0, minutes=10)
    notices.ended("k", Text.of("kernels.memory-full", mebibytes=4096))
    notices.ended("k", Text.of("kernels.home-full", mebibytes=5120))
    assert len(ids(notices)) == len(set(ids(notices))) == 7
    assert [each["text"] for each in notices.current() if len(each["text"]) > MOST] == []
    notices.kernels(16, all_run=True, waiting=3, minutes=10)
    assert [each["id"] for each in notices.current() if each["id"].startswith(("kernels", "waiting"))] == ["waiting-8"]
    assert [each["text"] for each in notices.current() if len(each["text"]) > MOST] == []
