"""Why compute made nothing is said in the notebook's language, whatever language compute's own process has."""

from __future__ import annotations

from credit.errors import Refused
from credit.messages import Text
from credit.requests.failure import messages_of
from lab.library.order_wait import failure


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
