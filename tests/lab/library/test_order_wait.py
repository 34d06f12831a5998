"""Why compute made nothing is said in the notebook's language, whatever language compute's own process has."""

from __future__ import annotations

import pytest

from credit.errors import Refused
from credit.messages import Text
from credit.requests.failure import messages_of
from lab.library import order_wait
from lab.library.order_wait import Wait, failure
from lab.library.stopped_waiting import StoppedWaiting, stop_in_words


def test_a_refusal_of_compute_has_its_chinese() -> None:
    refused = Refused("rows-gate.no-labels", remedy=Text.of("orders.give-sql"))
    error = {"what": refused.what, "why": refused.why, "remedy": refused.remedy, "messages": messages_of(refused)}
    refusal = failure(error)
    assert (refusal.what, refusal.why, refusal.remedy) == (refused.what, refused.why, refused.remedy)
    assert refusal.text("what", "zh") == "特征行不含标签"
    assert refusal.text("remedy", "zh") == refused.text("remedy", "zh")


def test_words_without_messages_are_shown_as_they_are() -> None:
    refusal = failure({"what": "Too few rows", "why": "12", "remedy": ""})
    assert (refusal.what, refusal.why, refusal.remedy) == ("Too few rows", "12", "")


def test_a_wait_shows_that_compute_is_away_at_once_and_what_else_it_waits_for_after_a_while() -> None:
    just_now, long_ago = Wait(), Wait(since=-10 * order_wait.UNATTENDED)
    away = {"compute_away_since": "2026-11-01T04:03:00+00:00"}
    assert "has not answered since 2026-11-01 12:03" in just_now.words(away)
    assert just_now.words({"compute_away_since": None}) == just_now.words({"compute_away_since": ""})
    assert "nobody has taken this order up" in long_ago.words({"compute_away_since": None})
    assert "other orders first" in long_ago.words({"compute_away_since": ""})


def test_an_interruption_is_still_one() -> None:
    with pytest.raises(KeyboardInterrupt) as stopped, stop_in_words(Refused("order-wait.stopped")):
        raise KeyboardInterrupt
    assert isinstance(stopped.value, StoppedWaiting)
    assert "同样的订单不会重复执行" in stopped.value.words.in_language("zh")
